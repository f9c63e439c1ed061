"""Locks where the file system or another process does what it seldom does."""

import errno
import fcntl
import os

import pytest

from turntable.datasets.writing import hold_lock


def refusing(error):
    """Return an ``flock`` that fails with this error."""

    def flock(descriptor, kind):
        raise OSError(error, os.strerror(error))

    return flock


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_without_locks_has_runs_on_their_own(tmp_path, monkeypatch, error):
    monkeypatch.setattr(fcntl, "flock", refusing(error))
    path = tmp_path / "run.lock"
    with hold_lock(path), hold_lock(path):
        assert path.exists()
    assert not path.exists()


def test_any_other_error_is_told_and_nothing_stays_open(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", refusing(errno.EIO))
    before = os.listdir("/proc/self/fd")  # noqa: PTH208
    with pytest.raises(OSError, match=os.strerror(errno.EIO)), hold_lock(tmp_path / "run.lock"):
        pass
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208


def test_a_file_that_its_last_holder_removes_meanwhile_is_made_again(tmp_path, monkeypatch):
    path, lock, removed = tmp_path / "run.lock", fcntl.flock, []

    def flock(descriptor, kind):
        if not removed:  # between its opening here and its locking
            path.unlink()
            removed.append(path)
        lock(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    with hold_lock(path):
        assert removed
        assert str(os.getpid()) in path.read_text()
    assert not path.exists()
