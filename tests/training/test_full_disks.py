"""A disk that is full while a run writes: one line that says so, and a run that continues later."""

import errno
import os
import subprocess
from pathlib import Path

import pytest
import torch

from turntable import cli
from turntable.errors import StoreError
from turntable.training import make_demo_config, train
from turntable.training.runs.checkpoints import Checkpoints, read_weights, save_weights
from turntable.training.runs.records import RecordWriter


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 32 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting a small file system is not permitted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder, *, leave):
    """Fill the disk of a folder but for some bytes."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "ballast").write_bytes(bytes(max(0, free - leave)))


def short(dataset, **changes):
    small = {"method_config": {"projector_widths": (32, 32, 32)}, "log_every": 1, "checkpoint_every": 1}
    settings = {"epochs": 3, "pairs_per_object": 2, "batch_size": 4, **small}
    return make_demo_config("vicreg", dataset, **{**settings, **changes})


def test_a_full_disk_during_training_is_said_and_the_run_continues(small_disk, dataset, tmp_path):
    run = small_disk / "run"

    def fill_at_third_step(progress):
        if progress.step == 3:
            fill(small_disk, leave=100_000)

    with pytest.raises(
        StoreError, match=r"checkpoint\.pt: the disk is full; free some space and run the same"
    ):
        train(short(dataset), run, fill_at_third_step)
    assert torch.load(run / "checkpoint.pt", weights_only=True)["step"] == 2
    assert not list(run.glob(".*.tmp"))
    (small_disk / "ballast").unlink()
    whole, continued = train(short(dataset), tmp_path / "whole"), train(short(dataset), run)
    one, two = read_weights(whole / "weights.pt"), read_weights(continued / "weights.pt")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_full_disk_is_found_before_the_first_step(small_disk, dataset):
    fill(small_disk, leave=500_000)
    with pytest.raises(
        StoreError, match=r"run: \d+ kB are free, about 16\.7 MB are to be written; free some space"
    ):
        train(short(dataset), small_disk / "run")
    assert not (small_disk / "run" / "config.json").exists()


def test_a_disk_without_any_room(small_disk, dataset):
    fill(small_disk, leave=0)
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        train(short(dataset), small_disk / "run")


def test_the_command_ends_with_one_line_and_status_2(small_disk, dataset, capsys):
    fill(small_disk, leave=0)
    words = ["train", dataset, "--method", "vicreg", "--preset", "demo", "--epochs", "1", "--batch-size", "4"]
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in [*words, "--out", small_disk / "run"]])
    assert ended.value.code == 2
    assert "the disk is full" in capsys.readouterr().err


def test_weights_that_find_no_room_leave_the_old_ones(small_disk):
    path = small_disk / "weights.pt"
    save_weights(path, {"weight": torch.zeros(1000)})
    with pytest.raises(StoreError, match=r"weights\.pt: the disk is full"):
        save_weights(path, {"weight": torch.zeros(10_000_000)})
    assert len(read_weights(path)["weight"]) == 1000


class FullLogger:
    """A logger whose disk is full, as tensorboard's is when it writes out."""

    def add(self, values, step):
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_logger_without_room_is_said_too(tmp_path):
    with (
        pytest.raises(StoreError, match="the disk is full"),
        RecordWriter(tmp_path / "records.jsonl", 0, [FullLogger()]) as records,
    ):
        records.add("step", 0, 1, {"loss": 1.0})


def test_the_first_error_is_the_one_that_is_told(tmp_path):
    with pytest.raises(ZeroDivisionError), RecordWriter(tmp_path / "records.jsonl", 0, [FullLogger()]):
        raise ZeroDivisionError


def test_another_fault_of_saving_is_not_called_a_full_disk(tmp_path):
    checkpoints = Checkpoints(Path(tmp_path), "sie", "f" * 64)
    with pytest.raises(Exception, match="pickle"):
        checkpoints.save({"fault": lambda: None})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"run: Not a directory: a file is where a folder should be"):
        train(short(dataset), tmp_path / "file" / "run")
