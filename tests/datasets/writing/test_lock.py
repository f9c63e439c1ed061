import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from turntable.datasets.writing import hold_lock
from turntable.errors import InvalidInputError, StoreError

HOLD = """
import sys, time
from pathlib import Path
from turntable.datasets.writing.lock import hold_lock
with hold_lock(Path(sys.argv[1]), shared=sys.argv[2] == "shared"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "set/run.lock"


@pytest.fixture
def hold(path):
    """Starts another process that holds the lock."""
    started = []

    def start(kind="alone"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(path), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_one_at_a_time_and_nothing_is_left(path):
    for _ in range(2):
        with hold_lock(path):
            assert path.exists()
        assert list(path.parent.iterdir()) == []


def test_another_process_is_refused_by_name(path, hold):
    holder = hold()
    said = rf"another run is writing there \(process {holder.pid} on .*, since 20\d\d-.* UTC\); wait for it"
    with pytest.raises(InvalidInputError, match=said), hold_lock(path):
        pass
    holder.communicate(b"\n")
    with hold_lock(path):
        pass


def test_another_thread_of_this_process_is_refused_too(path):
    said = rf"another run is writing there \(this process, process {os.getpid()} on "
    with hold_lock(path) as is_locked:
        assert is_locked
        with pytest.raises(InvalidInputError, match=said), hold_lock(path):
            pass


def test_a_file_system_without_locks_is_told(path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with hold_lock(path) as is_locked:
        assert not is_locked


def test_a_holder_that_was_killed_holds_nothing(path, hold):
    holder = hold()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert path.exists()
    with hold_lock(path):
        pass
    assert not path.exists()


def test_shared_among_those_who_share(path, hold):
    first = hold("shared")
    with hold_lock(path, shared=True):
        pass
    assert path.exists(), "another still holds it"
    with pytest.raises(InvalidInputError, match="another run is writing there"), hold_lock(path):
        pass
    first.communicate(b"\n")
    assert not path.exists()


def test_not_shared_with_one_who_has_it_alone(path, hold):
    hold("alone")
    with pytest.raises(InvalidInputError, match="another run is writing there"), hold_lock(path, shared=True):
        pass


def test_a_link_in_the_place_of_the_lock_leads_nowhere(path, tmp_path):
    private = tmp_path / "private.txt"
    private.write_text("mine")
    path.parent.mkdir()
    path.symlink_to(private)
    with pytest.raises(StoreError, match="a link or no plain file"), hold_lock(path):
        pass
    assert private.read_text() == "mine"


@pytest.mark.parametrize("text", ["[" * 1000, '{"process": "\\u001b[2J", "host": "x"}'])
def test_a_holder_that_is_not_ours_is_told_without_harm(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(InvalidInputError, match="another run is writing there") as told,
            hold_lock(path),
        ):
            pass
    assert str(told.value).isprintable()
