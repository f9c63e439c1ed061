"""``turntable train``: its settings, its signals, and what it shows."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest
from rich.console import Console

from turntable import cli
from turntable.console import TrainBar, progress_log
from turntable.datasets import Selection
from turntable.training import TrainProgress, open_run, select_preset
from turntable.training.runs.checkpoints import read_weights


@pytest.fixture
def turntable_train(capsys, dataset, tmp_path):
    """Exit status, output and error of the command on a small run."""

    def call(*arguments, out="run", epochs=2, preset="demo"):
        given = ["train", dataset, "--method", "sie", "--preset", preset, "--out", tmp_path / out]
        small = [
            "--epochs",
            epochs,
            "--batch-size",
            "6",
            "--set",
            "pairs_per_object=2",
            "--set",
            "log_every=1",
        ]
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in [*given, *small, *arguments]])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return call


def test_every_setting_reaches_the_run(turntable_train, dataset, tmp_path):
    flags = ["--accumulate", 2, "--learning-rate", 0.01, "--schedule", "constant", "--image-size", 24]
    flags += ["--seed", 3, "--workers", 1, "--device", "cpu", "--amp", "bf16", "--backbone", "small"]
    flags += ["--views", "0-", "--shots", 100, "--shots-seed", 2]
    flags += ["--set", "equivariant_dim=128", "--set", "decay_norms=false"]
    status, out, _ = turntable_train(*flags)
    assert status == 0
    assert f"trained sie; next: turntable evaluate {tmp_path / 'run'} {dataset} --preset demo" in out
    config = open_run(tmp_path / "run").config
    assert (config.epochs, config.batch_size, config.accumulate, config.pairs_per_object) == (2, 6, 2, 2)
    assert (config.learning_rate, config.schedule, config.image_size) == (0.01, "constant", 24)
    assert (config.seed, config.num_workers, config.device, config.amp) == (3, 1, "cpu", "bf16")
    assert (config.method_config.equivariant_dim, config.decay_norms) == (128, False)
    assert (config.preset, config.target_steps) == ("demo", None)
    assert config.selection == Selection(views="0-", shots=100, seed=2)


@pytest.mark.parametrize(
    ("has_gpu", "device", "preset"),
    [
        (False, None, "demo"),
        (False, "auto", "demo"),
        (False, "cuda", "demo"),
        (True, None, "paper"),
        (True, "auto", "paper"),
        (True, "cuda:1", "paper"),
        (True, "cpu", "demo"),
    ],
)
def test_the_machine_chooses_the_preset_and_says_so(monkeypatch, has_gpu, device, preset):
    monkeypatch.setattr("torch.cuda.is_available", lambda: has_gpu)
    chosen, why = select_preset(device)
    assert chosen == preset
    assert why.startswith(f"--preset {preset}, as there is ")


def test_a_first_training_is_none_of_days_without_a_gpu(capsys, dataset, tmp_path):
    words = [
        "train",
        dataset,
        "--method",
        "sie",
        "--batch-size",
        6,
        "--epochs",
        1,
        "--device",
        "cpu",
        "--out",
    ]
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in [*words, tmp_path / "run"]])
    assert ended.value.code == 0
    assert "--preset demo, as there is no GPU to train on" in capsys.readouterr().err.replace("\n", " ")
    assert open_run(tmp_path / "run").config.backbone == "small"


def test_a_run_with_the_papers_settings_is_evaluated_with_the_papers(turntable_train, dataset, tmp_path):
    small = ["--backbone", "small", "--set", "projector_widths=32,32,32", "--set", "equivariant_dim=128"]
    status, out, err = turntable_train(*small, epochs=1, preset="paper")
    assert status == 0, err
    assert out.rstrip().replace("\n", "").endswith(f"turntable evaluate {tmp_path / 'run'} {dataset}")
    assert open_run(tmp_path / "run").config.preset == "paper"
    assert "9 objects: 3 steps of 6 pairs in 1 epoch" in err


def test_an_unknown_setting_is_one_line(turntable_train, tmp_path):
    status, _, err = turntable_train("--set", "colour=3")
    assert status == 2
    assert "--set colour: there is no such setting; sie has" in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        (signal.SIGTERM, 75, "stopped after step 2 of 6; run the same command again to resume"),
        (signal.SIGUSR1, 75, "stopped after step 2 of 6"),
        (signal.SIGINT, 130, ""),
    ],
)
def test_a_signal_ends_the_run_with_a_checkpoint(
    turntable_train, tmp_path, monkeypatch, number, status, words
):
    shown = TrainBar.__call__

    def show(bar, progress):
        shown(bar, progress)
        if progress.step == 1:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with monkeypatch.context() as patched:
        patched.setattr(TrainBar, "__call__", show)
        ended, _, err = turntable_train()
    assert ended == status
    assert f"{number.name}: ending after the current step" in err
    assert words in err
    assert (tmp_path / "run" / "checkpoint.pt").exists()
    assert not (tmp_path / "run" / "weights.pt").exists()
    assert signal.getsignal(number) is before
    if number == signal.SIGTERM:
        assert turntable_train()[0] == turntable_train(out="whole")[0] == 0
        one, two = (read_weights(tmp_path / name / "weights.pt") for name in ("run", "whole"))
        assert all((one[name] == two[name]).all() for name in one)


def test_the_same_signal_again_ends_it_at_once(turntable_train, tmp_path, monkeypatch):
    def show(bar, progress):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(TrainBar, "__call__", show)
    assert turntable_train()[0] == 130
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_of_many_ranks_one_speaks(turntable_train, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    status, out, _ = turntable_train(epochs=1)
    assert status == 0
    assert "trained" not in out


def test_the_package_is_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "turntable", "train", "--help"], capture_output=True, text=True, check=True
    )
    assert "--accumulate" in done.stdout


def progress(step, **changes):
    values = {"epoch": 0, "num_epochs": 2, "step": step, "num_steps": 9, "terms": {"loss": 1.25}}
    speeds = {"images_per_second": 321.4, "wait_fraction": 0.5, "seconds_left": 7200.0}
    return TrainProgress(**{**values, **speeds, **changes})


def test_where_no_one_watches_a_line_now_and_then_says_how_it_goes(monkeypatch):
    out, now = io.StringIO(), [0.0]
    monkeypatch.setattr(progress_log.time, "monotonic", lambda: now[0])
    bar = TrainBar(Console(file=out), "sie")
    for moment, step in [(4, 1), (6, 2), (35, 3), (37, 4)]:
        now[0] = moment
        bar(progress(step, wait_fraction=0.01 if step == 4 else 0.5))
    assert out.getvalue().splitlines() == [
        "sie: 2/9 steps, loss 1.250, 321 images/s, waits 50%, 2 h 0 min left",
        "sie: 4/9 steps, loss 1.250, 321 images/s, 2 h 0 min left",
    ]


def test_the_bar_shows_loss_speed_and_waiting():
    out = io.StringIO()
    with TrainBar(Console(file=out, force_terminal=True, width=120), "sie") as bar:
        bar(progress(4))
    assert "loss 1.250, 321 images/s, waits 50%" in out.getvalue()


def test_before_the_first_step_there_is_no_bar():
    out = io.StringIO()
    with TrainBar(Console(file=out, force_terminal=True, width=120), "sie"):
        pass
    assert "sie" not in out.getvalue()


def test_settings_of_a_run_are_plain_json(turntable_train, tmp_path):
    turntable_train(epochs=1)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["config"]["wandb"] is False
