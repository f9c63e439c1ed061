"""Runs and checkpoints that strangers made: a fault has its name, and what does not fit gets no memory."""

import json
import os

import pytest
import torch

from tests.support.hostile_weights import archive, numbers, storage, tensor, weights
from turntable import cli
from turntable.errors import IntegrityError, InvalidInputError, StoppedError, TurntableError
from turntable.training import import_checkpoint, load_method, open_run, read_records, train
from turntable.training.runs import save_weights


def stopped(toy_config, folder):
    """A run after its third step."""
    steps = iter(range(99))
    with pytest.raises(StoppedError):
        train(toy_config(checkpoint_every=1), folder, stop=lambda: next(steps) == 2)
    return folder


@pytest.fixture
def run(toy_config, tmp_path):
    return train(toy_config(), tmp_path / "run")


CHANGES = {
    "not JSON": lambda text: "{]",
    "empty": lambda text: "",
    "a list": lambda text: "[1]",
    "nested without end": lambda text: "[" * 100_000,
    "of no settings": lambda text: changed(text, config=3),
    "of settings in a list": lambda text: changed(text, config=[["method", "toy"]]),
    "a method without end": lambda text: changed(text, method="x" * 10**6),
    "a method that is a list": lambda text: changed(text, method=["toy"]),
    "a size that is a text": lambda text: changed(text, batch_size="4"),
    "a size beyond all": lambda text: changed(text, image_size=10**30),
    "a size of thousands of figures": lambda text: text.replace(
        '"batch_size": 4', f'"batch_size": {"9" * 5000}'
    ),
    "a rate that is not finite": lambda text: text.replace('"weight_decay": 1e-06', '"weight_decay": NaN'),
    "an infinite rate": lambda text: text.replace('"weight_decay": 1e-06', '"weight_decay": 1e999'),
    "a setting of its own": lambda text: changed(text, **{"\x1b[2Jevil": 1}),
    "a method's setting that is a list of lists": lambda text: changed(text, method_config={"fields": [[1]]}),
    "a method's setting that is none": lambda text: changed(text, method_config={"views": None}),
    "settings of a method that are a text": lambda text: changed(text, method_config="abc"),
    "no data": lambda text: changed(text, data=None),
    "data of images without end": lambda text: changed(text, image_size_px=10**9),
    "data of no deviation": lambda text: changed(text, std=[0, 0, 0]),
    "data of colors that are texts": lambda text: changed(text, mean="abc"),
    "data of two colors": lambda text: changed(text, mean=[0.5, 0.5]),
    "categories without end": lambda text: changed(text, num_categories=2**62),
    "categories that are numbers": lambda text: changed(text, categories=[1, 2]),
    "a fingerprint that is a list": lambda text: changed(text, fingerprint=[1]),
}


def changed(text, **values):
    """The file with other values, wherever in it their names stand."""
    tree = json.loads(text)
    for name, value in values.items():
        places = [table for table in (tree, tree["config"], tree["data"]) if name in table]
        for table in places or [tree["config"]]:
            table[name] = value
    return json.dumps(tree)


@pytest.mark.parametrize("name", CHANGES)
def test_settings_that_are_not_what_was_written_are_refused(run, name):
    path = run / "config.json"
    text = CHANGES[name](path.read_text())
    assert text != path.read_text()
    path.write_text(text)
    with pytest.raises(IntegrityError, match="does not hold the settings of a run") as caught:
        open_run(run)
    assert len(str(caught.value)) < 2000
    assert str(caught.value).replace("\n", "").isprintable()


def test_settings_without_end_are_not_read(run):
    with (run / "config.json").open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(IntegrityError, match="more than"):
        open_run(run)


def test_weights_are_compared_before_there_is_room_for_them(dataset, tmp_path):
    from turntable.datasets import open_dataset
    from turntable.training import TrainConfig, make_demo_config
    from turntable.training.runs import TrainingData, create_run, plan_run

    config = make_demo_config("vicreg", dataset, method_config={"projector_widths": (2**17, 2**14, 2**10)})
    assert isinstance(config, TrainConfig)
    run = plan_run(tmp_path / "run", config, TrainingData.from_dataset(open_dataset(dataset)))
    create_run(run)
    save_weights(run.weights_path, {"normalize.mean": torch.zeros(1, 3, 1, 1)})
    with pytest.raises(IntegrityError, match="does not fit VICReg"):  # 2**31 numbers, 8 GiB
        load_method(run)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.update({"bias": torch.full((3,), torch.nan)}), "bias is not finite"),
        (lambda w: w.update({"bias": torch.full((3,), -torch.inf)}), "bias is not finite"),
        (
            lambda w: w.update({"bias": torch.zeros(3, dtype=torch.complex64)}),
            "bias has type torch.complex64",
        ),
        (lambda w: w.update({"bias": torch.zeros(3, dtype=torch.int64)}), "bias has type torch.int64"),
        (lambda w: w.update({"bias": "text"}), "bias is not a tensor"),
        (lambda w: w.update({"bias": None}), "bias is not a tensor"),
        (lambda w: w.update({"\x1b[2J": torch.zeros(1)}), r"\\x1b\[2J is superfluous"),
        (lambda w: w.update({7: torch.zeros(1)}), "7 is superfluous"),
    ],
)
def test_weights_that_no_training_leaves_are_refused(run, change, words):
    values = torch.load(run / "weights.pt", weights_only=True)
    change(values)
    torch.save(values, run / "weights.pt")
    with pytest.raises(IntegrityError, match=words):
        load_method(open_run(run))


def test_hostile_weights_of_a_run_are_refused(run):
    (run / "weights.pt").write_bytes(archive(weights(a=tensor(storage(), numbers(2**40), numbers(0)))))
    with pytest.raises(IntegrityError, match="repeats them; remove it and train again"):
        load_method(open_run(run))
    (run / "weights.pt").unlink()
    os.mkfifo(run / "weights.pt")
    with pytest.raises(InvalidInputError, match=r"no weights\.pt"):
        load_method(open_run(run))


STATES = {
    "of nothing": lambda state: state.clear() or state.update({"format": 2}),
    "without a model": lambda state: state.pop("model"),
    "whose model is a text": lambda state: state.update(model="abc"),
    "whose model is of texts": lambda state: state.update(model=dict.fromkeys(state["model"], "abc")),
    "without a step": lambda state: state.pop("step"),
    "of a step before the first": lambda state: state.update(step=-1),
    "of a step that is a text": lambda state: state.update(epoch="1"),
    "whose optimizer is a list": lambda state: state.update(optimizer=[]),
    "whose optimizer has no groups": lambda state: state["optimizer"].update(param_groups=[]),
    "whose optimizer decays otherwise": lambda state: state["optimizer"]["param_groups"][0].update(
        weight_decay=float("nan")
    ),
    "whose optimizer is of other sizes": lambda state: state["optimizer"]["state"][0].update(
        exp_avg=torch.zeros(7)
    ),
    "whose generators are none": lambda state: state.update(generators=[{}]),
    "whose generator is short": lambda state: state["generators"][0].update(
        cpu=torch.zeros(3, dtype=torch.uint8)
    ),
    "whose generator is of zeros": lambda state: state["generators"][0]["numpy"].update(key=torch.zeros(3)),
    "whose loader is none": lambda state: state.update(loader={}),
    "whose loader is far": lambda state: state["loader"].update(samples=10**12),
    "whose sums are texts": lambda state: state.update(sums={"loss": "abc"}),
}


@pytest.mark.parametrize("name", STATES)
def test_a_checkpoint_that_is_none_of_this_run_is_refused(toy_config, tmp_path, name):
    folder = stopped(toy_config, tmp_path / "run")
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    STATES[name](state)
    torch.save(state, folder / "checkpoint.pt")
    (folder / "checkpoint-previous.pt").unlink()
    with pytest.raises(TurntableError) as caught:
        train(toy_config(), folder)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    "line",
    [
        "{]",
        "[" * 100_000,
        "[1]",
        "3",
        '"step"',
        "{}",
        '{"kind": "step", "epoch": 0}',
        '{"kind": "step", "epoch": 0, "step": "1"}',
        '{"kind": 3, "epoch": 0, "step": 1}',
        '{"kind": "epoch", "epoch": 0, "step": 1, "loss": "abc"}',
        '{"kind": "epoch", "epoch": 0, "step": 1, "loss": [1]}',
        '{"kind": "epoch", "epoch": 0, "step": 1, "loss": ' + "9" * 4000 + "}",
        '{"kind": "epoch", "epoch": 0, "step": 1, "loss": ' + "9" * 5000 + "}",
        '"\x1b[2J"',
    ],
)
def test_records_that_are_none_are_refused(toy_config, tmp_path, line):
    folder = stopped(toy_config, tmp_path / "run")
    with (folder / "records.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(IntegrityError, match="no record of a run") as caught:
        read_records(folder / "records.jsonl")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    with pytest.raises(IntegrityError, match="no record of a run"):
        train(toy_config(checkpoint_every=1), folder)
    (folder / "records.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(IntegrityError, match="holds no records"):
        read_records(folder / "records.jsonl")


def published(path, first=(8, 64), middle=(8, 8), last=(8, 8)):
    """SIE's projectors and predictor alone, of these shapes."""
    torch.save(
        {
            "projector_equi.0.weight": torch.zeros(first),
            "projector_equi.3.weight": torch.zeros(middle),
            "projector_equi.6.weight": torch.zeros(last),
            "predictor.hypernet.net.0.weight": torch.zeros(last[0] ** 2, 4),
        },
        path,
    )
    return path


def test_a_published_file_makes_no_room_for_more_than_it_has(dataset, tmp_path):
    file = published(tmp_path / "a.pt", (10**5, 1), (10**5, 1), (1, 1))  # 10**10 between two layers
    with pytest.raises(TurntableError, match=r"would have 20,.* numbers"):
        import_checkpoint(file, dataset, tmp_path / "run")
    file = published(tmp_path / "a.pt", (10**4, 1), (10**4, 1), (1, 1))
    with pytest.raises(IntegrityError, match="does not fit SIE"):
        import_checkpoint(file, dataset, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_layers_without_end_are_refused(dataset, tmp_path):
    names = [f"transformer_encoder.transformer_encoder.layers.{n}.linear1.weight" for n in range(2000)]
    more = ("agg_token", "predictor.0.weight", "action_proj.0.weight")
    torch.save({name: torch.zeros(2, 2) for name in (*names, *more)}, tmp_path / "a.pt")
    with pytest.raises(InvalidInputError, match="num_layers is 2000; it must be at most 256"):
        import_checkpoint(tmp_path / "a.pt", dataset, tmp_path / "run")


def test_the_command_refuses_a_hostile_file_in_a_line(dataset, tmp_path, capsys):
    (tmp_path / "a.pt").write_bytes(archive(weights(a=tensor(storage(), numbers(2**40), numbers(0)))))
    with pytest.raises(SystemExit) as ended:
        cli.main(["import-checkpoint", str(tmp_path / "a.pt"), str(dataset), "--out", str(tmp_path / "run")])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "which repeats them" in said
    assert "Traceback" not in said
