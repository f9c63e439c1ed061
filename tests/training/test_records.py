import json
import sys

import pytest

from turntable.errors import MissingExtraError
from turntable.training import read_records, train
from turntable.training.runs import RecordWriter, TensorboardLogger, WandbLogger


def write(folder, done_steps, steps):
    with RecordWriter(folder / "records.jsonl", done_steps) as records:
        for step in steps:
            records.add("step", 0, step, {"loss": 1 / step})


def test_records_are_json_lines_in_order(tmp_path):
    write(tmp_path, 0, [1, 2, 3])
    found = read_records(tmp_path / "records.jsonl")
    assert found == [{"kind": "step", "epoch": 0, "step": n, "loss": 1 / n} for n in (1, 2, 3)]


def test_a_continued_run_forgets_what_came_after_its_checkpoint(tmp_path):
    write(tmp_path, 0, [1, 2, 3, 4])
    write(tmp_path, 2, [3, 4, 5])
    assert [record["step"] for record in read_records(tmp_path / "records.jsonl")] == [1, 2, 3, 4, 5]


def test_a_line_that_a_kill_cut_short_is_dropped(tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps({"kind": "step", "epoch": 0, "step": 1}) + '\n{"kind": "st')
    write(tmp_path, 1, [2])
    assert [record["step"] for record in read_records(path)] == [1, 2]


def test_tensorboard_reads_the_same_values(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with RecordWriter(tmp_path / "records.jsonl", 0, [TensorboardLogger(tmp_path / "tb", 0)]) as records:
        records.add("epoch", 0, 7, {"loss": 0.25})
        records.add_speed(7, 100.0, 0.25)
    events = EventAccumulator(str(tmp_path / "tb")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("epoch/loss")] == [(7, 0.25)]
    assert "speed" not in (tmp_path / "records.jsonl").read_text()


def test_speeds_go_to_the_sinks_alone(tmp_path):
    class Kept(list):
        def add(self, values, step):
            self.append((dict(values), step))

        def close(self):
            self.append("closed")

    kept = Kept()
    with RecordWriter(tmp_path / "records.jsonl", 0, [kept]) as records:
        records.add_speed(3, 100.0, 0.25)
    assert kept == [({"speed/images_per_second": 100.0, "speed/waiting": 0.25}, 3), "closed"]
    assert read_records(tmp_path / "records.jsonl") == []


class Wandb:
    """A stand-in for the library: what it was given."""

    def __init__(self):
        self.settings, self.logged, self.finished = [], [], 0

    def init(self, **settings):
        self.settings.append(settings)
        return self

    def log(self, values, step):
        self.logged.append((step, values))

    def finish(self):
        self.finished += 1


def test_weights_and_biases_gets_the_records_offline(toy_config, tmp_path, monkeypatch):
    wandb = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    folder = train(toy_config(wandb=True), tmp_path / "run")
    assert wandb.finished == 1
    settings = wandb.settings[0]
    assert (settings["mode"], settings["name"], settings["dir"]) == ("offline", "run", str(folder))
    assert settings["config"]["method"] == "toy"
    steps = [record for record in read_records(folder / "records.jsonl") if record["kind"] == "step"]
    told = {step: values["step/loss"] for step, values in wandb.logged if "step/loss" in values}
    assert told == {record["step"]: record["loss"] for record in steps}


def test_weights_and_biases_may_be_online_and_a_folder_keeps_its_id(tmp_path, monkeypatch):
    wandb = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setenv("WANDB_MODE", "online")
    for name in ("run", "run", "other"):
        WandbLogger(tmp_path / name, {})
    first, second, other = wandb.settings
    assert first["mode"] == "online"
    assert first["id"] == second["id"] != other["id"]


def test_without_the_library_it_is_said_what_to_install(toy_config, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtraError, match="wandb is not installed"):
        train(toy_config(wandb=True), tmp_path / "run")
