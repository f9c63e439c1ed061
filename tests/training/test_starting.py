"""A run that starts with the weights of another one."""

import shutil

import pytest
import torch

from turntable import cli
from turntable.errors import InvalidInputError
from turntable.training import (
    Start,
    compute_weights_sha256,
    load_method,
    make_demo_config,
    open_run,
    read_records,
    train,
)
from turntable.training.runs.checkpoints import read_weights


def short(dataset, method="vicreg", **changes):
    small = {"method_config": {"projector_widths": (32, 32, 32)}, "log_every": 1, "checkpoint_every": 1}
    settings = {"epochs": 1, "pairs_per_object": 2, "batch_size": 4, "schedule": "constant", **small}
    return make_demo_config(method, dataset, **{**settings, **changes})


@pytest.fixture(scope="module")
def source(dataset, tmp_path_factory):
    return train(short(dataset, epochs=2), tmp_path_factory.mktemp("runs") / "source")


def test_it_starts_with_these_weights_and_records_them(dataset, source, tmp_path):
    """At a learning rate of 0 the parameters stay what they were at the start."""
    said = []
    config = short(dataset, learning_rate=0.0, weight_decay=0.0, warmup_epochs=0, start_from=str(source))
    run = open_run(train(config, tmp_path / "run", say=said.append))
    before, after = read_weights(source / "weights.pt"), read_weights(run.weights_path)
    parameters = [name for name, _ in load_method(run).named_parameters()]
    assert parameters
    assert all(torch.equal(before[name], after[name]) for name in parameters)
    fresh = read_weights(
        train(short(dataset, learning_rate=0.0, weight_decay=0.0), tmp_path / "b") / "weights.pt"
    )
    assert not all(torch.equal(before[name], fresh[name]) for name in parameters)
    start = run.lineage.start
    sha256, fingerprint = compute_weights_sha256(open_run(source)), open_run(source).fingerprint
    assert start == Start(str(source), "vicreg", 2, sha256, fingerprint)
    told = f"started with the weights of {source} (vicreg, 2 epochs, sha256 {start.weights_sha256[:12]})"
    assert f"{run.folder}: {told}" in said


def test_it_learns_on_from_them(dataset, source, tmp_path):
    run = train(short(dataset, start_from=str(source)), tmp_path / "run")
    fresh = train(short(dataset), tmp_path / "fresh")
    losses = [read_records(folder / "records.jsonl")[0]["loss"] for folder in (run, fresh)]
    assert losses[0] != losses[1]


def test_a_resumed_one_ends_with_the_same_bits_though_the_source_is_gone(dataset, source, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(source, copy)
    config = short(dataset, epochs=2, start_from=str(copy))
    whole = train(config, tmp_path / "whole")

    def interrupt(progress):
        if progress.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", interrupt)
    shutil.rmtree(copy)
    one, two = (read_weights(folder / "weights.pt") for folder in (whole, train(config, tmp_path / "run")))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_source_that_moved_is_the_same_and_another_is_not(dataset, source, tmp_path):
    run = train(short(dataset, start_from=str(source)), tmp_path / "run")
    shutil.copytree(source, tmp_path / "moved")
    train(short(dataset, start_from=str(tmp_path / "moved")), run)
    other = train(short(dataset, seed=1), tmp_path / "other")
    for start_from in (str(other), None):
        with pytest.raises(
            InvalidInputError, match=r"holds a run with other settings: start_from was '.*source'"
        ):
            train(short(dataset, start_from=start_from), run)


def test_the_colors_are_normalized_as_in_the_source(full_dataset, source, tmp_path):
    run = train(short(full_dataset, start_from=str(source)), tmp_path / "run")
    assert open_run(train(short(full_dataset), tmp_path / "fresh")).data.mean != open_run(source).data.mean
    assert open_run(run).data.mean == open_run(source).data.mean
    assert open_run(run).fingerprint != open_run(source).fingerprint
    assert torch.equal(
        load_method(open_run(run)).normalize.mean, load_method(open_run(source)).normalize.mean
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"method": "simclr"},
            "source holds a run of vicreg, and its weights do not fit simclr; start from a run of",
        ),
        (
            {"method_config": {"projector_widths": (32, 32, 16)}},
            r"do not fit this run: projector_widths was \(32, 32, 32\), now \(32, 32, 16\); projector.* is"
            r" \[32, 32\], not \[16, 32\].*Give the settings of that run, or leave --start-from",
        ),
        (
            {"backbone": "resnet18", "image_size": 48},
            "do not fit this run: backbone was 'small', now 'resnet18'; .* is missing.* and .* more",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused_with_all_differences(dataset, source, tmp_path, changes, words):
    with pytest.raises(InvalidInputError, match=words):
        train(short(dataset, start_from=str(source), **changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_no_finished_run_is_refused(dataset, source, tmp_path):
    shutil.copytree(source, tmp_path / "half")
    (tmp_path / "half" / "weights.pt").unlink()
    cases = {"half": r"has no weights\.pt: the run is not finished", "none": "none holds no run"}
    for name, words in cases.items():
        with pytest.raises(InvalidInputError, match=words):
            train(short(dataset, start_from=str(tmp_path / name)), tmp_path / "run")


def test_a_run_does_not_start_from_itself(dataset, tmp_path):
    with pytest.raises(
        InvalidInputError, match=r"cannot start from itself; give --epochs .epochs. to extend it"
    ):
        train(short(dataset, start_from=str(tmp_path / "run")), tmp_path / "run")


def test_the_option_of_the_command(dataset, source, tmp_path, capsys):
    words = ["train", dataset, "--method", "vicreg", "--preset", "demo", "--epochs", 1, "--batch-size", 4]
    words += ["--set", "projector_widths=32,32,32", "--start-from", source, "--out", tmp_path / "run"]
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    assert ended.value.code == 0
    assert "started with the weights of" in capsys.readouterr().err
    assert open_run(tmp_path / "run").config.start_from == str(source)
