"""What tests ask of processes: whether one runs, whose children it has, and what has been left behind."""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


def wait_until(condition: Callable[[], object]) -> None:
    """Wait, but not for ever."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def alive(pid: int) -> bool:
    """Whether a process runs, or is a zombie of ours; those of others are for the system to clear away."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    state, parent = stat.rpartition(")")[2].split()[:2]
    return state != "Z" or int(parent) == os.getpid()


def wait_until_gone(pids: Iterable[int]) -> None:
    """Until none of some processes is alive."""
    pids = list(pids)
    wait_until(lambda: not any(map(alive, pids)))


def children(pid: int) -> list[int]:
    """Of a process; those that it started itself."""
    found = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found += [int(word) for word in thread.read_text("ascii").split()]
    return found


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs."""
    own = children(pid)
    return own + [pid for child in own for pid in descendants(child)]


def shared_memory() -> set[Path]:
    """Named shared memory of the whole machine."""
    return set(SHARED_MEMORY.iterdir())


def shared_memory_left(before: set[Path]) -> set[Path]:
    """What is there now, was not before, and is held by no process: other tests may use theirs meanwhile."""
    return (shared_memory() - before) - _held()


def _held() -> set[Path]:
    """Named shared memory that some process maps or has open."""
    held = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            maps = (process / "maps").read_text("utf-8", "replace").splitlines()
            held |= {Path(line.split(maxsplit=5)[-1]) for line in maps if str(SHARED_MEMORY) in line}
        for link in process.glob("fd/*"):
            with suppress(OSError):  # closed meanwhile
                held.add(link.readlink())
    return held


def in_a_fork(look: Callable[[], object]) -> bool:
    """Whether a fork of this process finds that something is true."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if look() else 7)
        finally:
            os._exit(8)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
