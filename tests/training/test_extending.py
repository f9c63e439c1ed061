"""More epochs for a run, finished or not: what continues, what is kept, and what is recorded."""

import json

import pytest

from tests.support.equal_runs import same_bits
from turntable import cli
from turntable.datasets.files import compute_file_sha256
from turntable.errors import IntegrityError, InvalidInputError, StoppedError
from turntable.evaluation import summarize_run
from turntable.training import (
    Extension,
    Lineage,
    compute_weights_sha256,
    load_method,
    make_demo_config,
    open_run,
    read_records,
    read_settings,
    train,
)


def short(dataset, method="vicreg", **changes):
    small = {"method_config": {"projector_widths": (32, 32, 32)}, "log_every": 1, "schedule": "constant"}
    settings = {"epochs": 2, "pairs_per_object": 2, "batch_size": 4, **small}
    return make_demo_config(method, dataset, **{**settings, **changes})


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    """One run of four epochs."""
    return train(short(dataset, epochs=4), tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def finished(dataset, tmp_path):
    return train(short(dataset), tmp_path / "run")


def test_a_finished_run_goes_on_to_the_bits_of_one_longer_run(dataset, whole, finished):
    shorter = compute_file_sha256(finished / "weights.pt")
    said, warned = [], []
    train(short(dataset, epochs=4), finished, say=said.append, warn=warned.append)
    same_bits(whole, finished)
    run = open_run(finished)
    assert run.config.epochs == 4
    assert run.lineage == Lineage(extensions=(Extension(2, shorter),))
    assert compute_file_sha256(finished / "weights-2-epochs.pt") == shorter != compute_weights_sha256(run)
    told = f"extended from 2 to 4 epochs (weights then: sha256 {shorter[:12]})"
    assert f"{finished}: {told}" in said
    assert summarize_run(finished).settings.endswith(f"seed 0; {told}")
    assert summarize_run(whole).settings.endswith("seed 0")
    assert not [line for line in warned if "schedule" in line]


def test_a_run_that_is_extended_twice_tells_both(dataset, whole, tmp_path, finished):
    train(short(dataset, epochs=3), finished)
    train(short(dataset, epochs=4), finished)
    same_bits(whole, finished)
    run = open_run(finished)
    assert [extension.epochs_before for extension in run.lineage.extensions] == [2, 3]
    assert [line.split(" (")[0] for line in run.lineage.describe(run.config.epochs)] == [
        "extended from 2 to 3 epochs",
        "extended from 3 to 4 epochs",
    ]


def test_a_run_that_is_not_finished_may_become_longer_too(dataset, whole, tmp_path):
    asked = iter([False, False, True])
    with pytest.raises(StoppedError):
        train(short(dataset), tmp_path / "run", stop=lambda: next(asked))
    same_bits(whole, train(short(dataset, epochs=4), tmp_path / "run"))
    assert open_run(tmp_path / "run").lineage.extensions == (Extension(2, None),)


def test_while_it_goes_on_the_old_weights_are_not_taken_for_the_new(dataset, whole, finished):
    asked = iter([False, True])
    with pytest.raises(StoppedError):
        train(short(dataset, epochs=4), finished, stop=lambda: next(asked))
    with pytest.raises(InvalidInputError, match=r"has no weights\.pt: the run is not finished"):
        load_method(open_run(finished))
    same_bits(whole, train(short(dataset, epochs=4), finished))
    assert len(open_run(finished).lineage.extensions) == 1


def test_a_run_does_not_become_shorter(dataset, finished):
    words = (
        r"epochs was 2, now 1 \(a run can be extended, not shortened: give --epochs 2 \(epochs=2\) or more\)"
    )
    with pytest.raises(InvalidInputError, match=words):
        train(short(dataset, epochs=1), finished)


def test_other_settings_do_not_change_with_the_epochs(dataset, finished):
    with pytest.raises(InvalidInputError, match=r"learning_rate was 0\.001, now 0\.01"):
        train(short(dataset, epochs=4, learning_rate=0.01), finished)


def test_without_its_checkpoint_a_run_is_started_from_instead(dataset, finished):
    (finished / "checkpoint.pt").unlink()
    words = r"has weights\.pt but no checkpoint\.pt, .*; train into another folder with --start-from .*run"
    with pytest.raises(InvalidInputError, match=words):
        train(short(dataset, epochs=4), finished)
    assert open_run(finished).config.epochs == 2
    assert (finished / "weights.pt").exists()


def test_a_cosine_says_that_its_end_moves(dataset, tmp_path):
    run = train(short(dataset, schedule="cosine"), tmp_path / "run")
    warned = []
    train(short(dataset, schedule="cosine", epochs=4), run, warn=warned.append)
    (line,) = [line for line in warned if "cosine" in line]
    assert "now ends after 4 epochs: the learning rate, which fell to 0 within 2, goes on from" in line
    assert "--schedule constant" in line
    rates = [
        record["learning_rate"] for record in read_records(run / "records.jsonl") if "learning_rate" in record
    ]
    per_epoch = len(rates) // 4
    assert f"{rates[2 * per_epoch]:.3g}" in line
    assert rates[2 * per_epoch - 1] < rates[2 * per_epoch] > rates[-1]


def test_a_method_with_schedules_of_its_own_says_so(dataset, tmp_path):
    warned = []
    changes = {"method": "byol", "method_config": {}}
    run = train(short(dataset, **changes), tmp_path / "run", warn=warned.append)
    assert not [line for line in warned if "moving average" in line]
    train(short(dataset, **changes, epochs=3), run, warn=warned.append)
    assert [line for line in warned if line.startswith("byol may have schedules over the whole training")]


def test_the_same_command_continues_an_extended_run(dataset, tmp_path, capsys):
    """Without --epochs the demo aims at a number of steps, which is for new runs."""

    def call(*more):
        words = ["train", dataset, "--method", "vicreg", "--preset", "demo", "--batch-size", 4, *more]
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in [*words, "--set", "target_steps=4", "--out", tmp_path / "run"]])
        assert ended.value.code == 0, capsys.readouterr().err
        return open_run(tmp_path / "run").config.epochs

    first = call()
    longer = first + 1
    words = ["train", dataset, "--method", "vicreg", "--preset", "demo", "--batch-size", 4]
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in [*words, "--epochs", longer, "--out", tmp_path / "run"]])
    assert ended.value.code == 0
    assert call() == longer


@pytest.mark.parametrize(
    "lineage",
    [
        [],
        {"start": None},
        {"start": None, "extensions": [{"epochs_before": -1, "weights_sha256": None}]},
        {"start": None, "extensions": [{"epochs_before": 1, "weights_sha256": "x"}]},
        {"start": None, "extensions": [{"epochs_before": 1}]},
        {"start": {"run": 1}, "extensions": []},
        {
            "start": {"run": "a", "method": [], "epochs": 1, "weights_sha256": "0" * 64, "fingerprint": ""},
            "extensions": [],
        },
    ],
)
def test_a_lineage_that_is_none_is_an_error(whole, tmp_path, lineage):
    settings = json.loads((whole / "config.json").read_text()) | {"lineage": lineage}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(IntegrityError, match=r"config\.json does not hold the settings of a run"):
        open_run(tmp_path)
    with pytest.raises(IntegrityError):
        read_settings(tmp_path)
