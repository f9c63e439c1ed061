"""One run at a time writes to a folder: threads, processes, other commands, and what is left after an end."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.support import with_tests
from tests.support.equal_runs import same_bits
from turntable.errors import InvalidInputError
from turntable.training import hold_output_folder, make_demo_config, train

TRAIN_AND_WAIT = """
import sys
from turntable.training import make_demo_config, train

def wait(progress):
    if progress.step == 3:
        print("waiting", flush=True)
        sys.stdin.readline()

settings = {"epochs": 3, "pairs_per_object": 2, "batch_size": 4, "log_every": 1, "checkpoint_every": 1}
train(make_demo_config("vicreg", sys.argv[1], **settings), sys.argv[2], wait)
"""


def short(dataset, **changes):
    settings = {"epochs": 3, "pairs_per_object": 2, "batch_size": 4, "log_every": 1, "checkpoint_every": 1}
    return make_demo_config("vicreg", dataset, **{**settings, **changes})


@pytest.fixture(scope="module")
def whole(dataset, tmp_path_factory):
    return train(short(dataset), tmp_path_factory.mktemp("runs") / "whole")


def test_a_second_start_in_a_thread_is_refused_and_changes_nothing(dataset, whole, tmp_path):
    run, second_is_done, third_step = tmp_path / "run", threading.Event(), threading.Event()

    def wait(progress):
        if progress.step == 3:
            third_step.set()
            assert second_is_done.wait(60)

    first = threading.Thread(target=train, args=(short(dataset), run, wait))
    first.start()
    assert third_step.wait(60)
    before = (run / "records.jsonl").read_bytes()
    words = (
        rf"another run is writing there \(this process, process {os.getpid()} on .*, since 20\d\d-.* UTC\)"
    )
    try:
        with pytest.raises(InvalidInputError, match=words):
            train(short(dataset), run)
        assert (run / "records.jsonl").read_bytes() == before
    finally:
        second_is_done.set()
        first.join()
    same_bits(whole, run)
    assert not (run / "run.lock").exists()


def test_a_run_in_another_process_is_named_and_its_lock_dies_with_it(dataset, whole, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, "-c", TRAIN_AND_WAIT, str(dataset), str(run)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    holder = subprocess.Popen(command, env=with_tests(OMP_NUM_THREADS="1"), **pipes)
    try:
        assert holder.stdout.readline() == b"waiting\n"
        words = (
            f"another run is writing there .process {holder.pid} on .*since .*; wait for it or stop it, or"
        )
        with pytest.raises(InvalidInputError, match=words):
            train(short(dataset), run)
        holder.send_signal(signal.SIGKILL)
    finally:
        holder.kill()
        holder.communicate()
    same_bits(whole, train(short(dataset), run))


def test_a_finished_run_needs_no_lock(dataset, whole):
    with hold_output_folder(whole, pytest.fail):
        assert train(short(dataset), whole) == whole


def test_other_settings_are_found_before_the_lock(dataset, whole):
    with (
        hold_output_folder(whole, pytest.fail),
        pytest.raises(InvalidInputError, match="holds a run with other settings: seed was 0, now 1"),
    ):
        train(short(dataset, seed=1), whole)


def test_an_interrupt_leaves_no_lock_and_a_run_that_continues(dataset, whole, tmp_path):
    def interrupt(progress):
        if progress.step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(short(dataset), tmp_path / "run", interrupt)
    assert not (tmp_path / "run" / "run.lock").exists()
    same_bits(whole, train(short(dataset), tmp_path / "run"))


def test_a_file_system_without_locks_is_warned_of(dataset, tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    said = []
    train(short(dataset, epochs=1), tmp_path / "run", warn=said.append)
    assert "run: this file system has no locks, so nothing keeps a second run from writing" in said[0]
