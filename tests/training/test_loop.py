import dataclasses

import pytest
import torch
from synthetic import make_synthetic_dataset

from turntable.datasets.dataset import open_dataset
from turntable.errors import IntegrityError, InvalidInputError, TurntableError
from turntable.models import METHODS, Method
from turntable.training import demo_config, load_method, open_run, read_records, train
from turntable.training.checkpoints import read_weights


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "set"
    make_synthetic_dataset(folder)
    return folder


def short(dataset, method="sie", **changes):
    settings = {"epochs": 3, "pairs_per_object": 2, "batch_size": 4, "log_every": 1, "checkpoint_every": 3}
    return demo_config(method, dataset, **{**settings, **changes})


class Killed(BaseException):
    """As a kill: nothing in the package catches it."""


def kill_at(step):
    def onlooker(progress):
        if progress.step == step:
            raise Killed

    return onlooker


@pytest.mark.parametrize("method", METHODS)
def test_a_run_leaves_its_files_and_a_method_that_loads(dataset, tmp_path, method):
    folder = train(short(dataset, method), tmp_path / "run")
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "records.jsonl", "tb", "checkpoint.pt", "weights.pt"}
    run = open_run(folder)
    assert run.config == short(dataset, method)
    trained = load_method(run)
    assert not trained.training
    written = read_weights(folder / "weights.pt")
    assert all(torch.equal(tensor, written[name]) for name, tensor in trained.state_dict().items())


def test_records_hold_every_step_and_the_means_of_every_epoch(dataset, tmp_path):
    folder = train(short(dataset), tmp_path / "run")
    records = read_records(folder / "records.jsonl")
    per_epoch = open_dataset(dataset).split("train").num_objects * 2 // 4
    steps = [record for record in records if record["kind"] == "step"]
    epochs = [record for record in records if record["kind"] == "epoch"]
    assert [record["step"] for record in steps] == list(range(1, 3 * per_epoch + 1))
    assert [record["epoch"] for record in epochs] == [0, 1, 2]
    for epoch in epochs:
        losses = [record["loss"] for record in steps if record["epoch"] == epoch["epoch"]]
        assert epoch["loss"] == pytest.approx(sum(losses) / len(losses))
    assert {"invariance", "equivariance", "variance", "covariance"} <= set(epochs[0])


@pytest.mark.parametrize("killed_at", [2, 5, 7, 9])
def test_a_killed_run_continues_to_the_same_bits(dataset, tmp_path, killed_at):
    whole = train(short(dataset), tmp_path / "whole")
    with pytest.raises(Killed):
        train(short(dataset), tmp_path / "killed", progress=kill_at(killed_at))
    killed = train(short(dataset), tmp_path / "killed")
    first, second = read_weights(whole / "weights.pt"), read_weights(killed / "weights.pt")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (whole / "records.jsonl").read_bytes() == (killed / "records.jsonl").read_bytes()


def test_the_seed_decides_the_run_and_the_callers_generator_is_left_alone(dataset, tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = train(short(dataset, epochs=1), tmp_path / "first")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    second = train(short(dataset, epochs=1), tmp_path / "second")
    other = train(short(dataset, epochs=1, seed=1), tmp_path / "other")
    assert (first / "records.jsonl").read_bytes() == (second / "records.jsonl").read_bytes()
    assert (first / "records.jsonl").read_bytes() != (other / "records.jsonl").read_bytes()


def test_workers_change_nothing(dataset, tmp_path):
    first = train(short(dataset, epochs=1), tmp_path / "first")
    second = train(short(dataset, epochs=1, num_workers=1), tmp_path / "second")
    assert (first / "records.jsonl").read_bytes() == (second / "records.jsonl").read_bytes()


def test_a_finished_run_is_left_alone(dataset, tmp_path):
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    before = (folder / "weights.pt").stat().st_mtime_ns
    train(short(dataset, epochs=1), folder, progress=lambda progress: pytest.fail("it trained again"))
    assert (folder / "weights.pt").stat().st_mtime_ns == before


def test_other_settings_are_refused_by_name(dataset, tmp_path):
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    with pytest.raises(InvalidInputError, match=r"learning_rate was 0\.001, now 0\.5"):
        train(short(dataset, epochs=1, learning_rate=0.5), folder)


def test_other_data_are_refused(dataset, tmp_path):
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    make_synthetic_dataset(tmp_path / "other", seed=1)
    with pytest.raises(InvalidInputError, match="fingerprint"):
        train(short(tmp_path / "other", epochs=1), folder)


def test_the_loss_falls(dataset, tmp_path):
    config = short(dataset, "supervised", epochs=15, learning_rate=2e-3, log_every=100)
    records = read_records(train(config, tmp_path / "run") / "records.jsonl")
    assert records[-1]["loss"] < 0.5 * records[0]["loss"]


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint(dataset, tmp_path, monkeypatch):
    whole = Method.forward

    def poisoned(self, batch):
        terms = whole(self, batch)
        self.steps = getattr(self, "steps", 0) + 1
        return {**terms, "loss": terms["loss"] * (float("nan") if self.steps == 6 else 1)}

    monkeypatch.setattr(Method, "forward", poisoned)
    with pytest.raises(TurntableError, match=r"not finite at step 5 \(epoch 1, batch 1\): loss nan, .*Lower"):
        train(short(dataset), tmp_path / "run")
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 3
    assert not (tmp_path / "run" / "weights.pt").exists()


def test_bf16_trains_near_the_full_precision(dataset, tmp_path):
    full = read_records(train(short(dataset, epochs=1), tmp_path / "full") / "records.jsonl")
    half = read_records(train(short(dataset, epochs=1, amp="bf16"), tmp_path / "half") / "records.jsonl")
    assert full[0]["loss"] != half[0]["loss"]
    assert full[0]["loss"] == pytest.approx(half[0]["loss"], rel=0.05)


def test_a_batch_larger_than_the_data_is_refused(dataset, tmp_path):
    with pytest.raises(InvalidInputError, match="batch_size"):
        train(short(dataset, batch_size=64), tmp_path / "run")


def test_an_unfinished_run_has_no_method(dataset, tmp_path):
    with pytest.raises(Killed):
        train(short(dataset), tmp_path / "run", progress=kill_at(4))
    with pytest.raises(InvalidInputError, match="not finished"):
        load_method(open_run(tmp_path / "run"))


def test_no_run_and_a_damaged_one_are_told_apart(dataset, tmp_path):
    with pytest.raises(InvalidInputError, match="holds no run"):
        open_run(tmp_path)
    folder = train(short(dataset, epochs=1), tmp_path / "run")
    (folder / "config.json").write_text('{"config": {}}')
    with pytest.raises(IntegrityError, match="not what was written"):
        open_run(folder)


def test_a_data_set_without_statistics_still_trains(tmp_path):
    from turntable.training.runs import data_info

    dataset = make_synthetic_dataset(tmp_path / "set", objects=4)
    bare = dataclasses.replace(dataset, manifest=dataclasses.replace(dataset.manifest, pixel_mean=None))
    assert data_info(bare).std == (0.25, 0.25, 0.25)
    assert data_info(dataset).mean == dataset.manifest.pixel_mean
