"""Processes that do tasks, and are replaced when they die: a crash costs one more try, not the run.

A worker does one task at a time, which it gets and answers over a pipe of its own. Whatever ends it (the
kernel's out-of-memory killer, a driver that crashes or hangs, a lost device), the parent sees its end, starts
another in its place, and gives the task again. A worker whose parent is gone leaves by itself.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Generic, TypeVar

from turntable.errors import DeviceLostError, TurntableError
from turntable.processes import how_ended
from turntable.renderer.runs.pool_process import LEAVE, Failure, Pipe, Result, TaskProgress, serve, spawned

TRIES = 3
"""So many workers may one task cost."""
POLL_S = 0.2
GRACE_S = 5.0
"""How long a worker that is to end may take before it is killed."""

T = TypeVar("T")
"""A task."""
P = TypeVar("P")
"""What a worker says of a task that is not done."""
R = TypeVar("R")
"""What comes of a task."""

Work = Callable[[T, Callable[[P], None]], R]
"""Does a task, and may report how far it is; a report stands for all of the task that is done so far."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What no worker may do."""

    silent_s: float = float("inf")
    """Be silent so long while it has a task: it hangs, and is killed."""
    most_bytes: float = float("inf")
    """Hold more memory than this: it is killed. With more than half of it, it is replaced after its task."""
    most_tasks: float = float("inf")
    """After so many tasks it is replaced: what libraries and drivers leak goes with the process."""


@dataclass(frozen=True, slots=True)
class Loss(Generic[T, P]):
    """A worker died with a task in hand."""

    worker: int
    """Its number."""
    how: str
    """"ended by SIGKILL"."""
    task: T
    report: P | None
    """Its last."""


def _same_again(loss: Loss[T, Any]) -> T:
    return loss.task


def _never() -> bool:
    return False


def run_tasks(
    tasks: Sequence[T],
    make_worker: Callable[..., Work[T, P, R]],
    setups: Sequence[tuple[object, ...]],
    *,
    name: Callable[[T], str],
    on_done: Callable[[T, R], None],
    on_progress: Callable[[Sequence[P]], None],
    on_replaced: Callable[[int, str], None],
    again: Callable[[Loss[T, P]], T] = _same_again,
    stop: Callable[[], bool] = _never,
    watch: Watch | None = None,
) -> None:
    """Do all tasks, in any order; whatever happens, no worker is left behind.

    Args:
        tasks: What to do.
        make_worker: Called in every new process with a setup; what it returns does that process's tasks.
            All that goes to another process must be picklable.
        setups: Arguments of ``make_worker``, one tuple a worker. A worker's number is its place among them; a
            process that replaces another has the same number and setup.
        name: How a user knows a task.
        on_done: Told of each task and what came of it.
        on_progress: Told, again and again, the latest reports of the tasks now in work. A report is no longer
            among them when its task is done, or its worker has died.
        on_replaced: Told a worker's number, and how it ended, when another is to take its place.
        again: Asked what to do instead when a worker has died. Another task than the one lost has all of its
            tries before it, and may not be asked for without end.
        stop: Once true, no task is begun any more; those in work are finished.
        watch: What no worker may do; nothing is watched without it.

    Raises:
        TurntableError: A task has cost ``TRIES`` workers.
        Exception: What ``make_worker`` or a task raised; only a DeviceLostError is tried again.
    """
    assert setups, "someone has to do the tasks"
    waiting = deque(_PoolTask(task) for task in tasks)
    slots = [_Slot(number, make_worker, setup) for number, setup in enumerate(setups)]
    _Pool(waiting, slots, name, on_done, on_progress, on_replaced, again, stop, watch or Watch()).run()


@dataclass(frozen=True, slots=True)
class _Ended:
    """A worker is gone, and this is how: "ended by SIGKILL"."""

    how: str


@dataclass(slots=True)
class _PoolTask(Generic[T]):
    """A task, and the number of workers that it has cost."""

    value: T
    lost_workers: int = 0


@dataclass(frozen=True, slots=True)
class _PoolWorker:
    """A process, with our end of its pipe."""

    process: SpawnProcess
    pipe: Pipe

    @classmethod
    def start(cls, *to_serve: object) -> "_PoolWorker":
        return cls(*spawned(serve, *to_serve))

    def receive(self) -> "TaskProgress[Any] | Result[Any] | Failure | _Ended":
        try:
            if self.pipe.poll():
                return self.pipe.recv()
        except (EOFError, OSError):  # it died, perhaps in the middle of a word
            pass
        return _Ended(how_ended(self.reap(time.monotonic() + GRACE_S)))

    def ask_to_leave(self) -> None:
        with suppress(ProcessLookupError):
            if self.process.is_alive() and self.process.pid:
                os.kill(self.process.pid, LEAVE)

    def reap(self, deadline: float) -> int | None:
        """The exit code; none where even the kernel cannot end it, in a driver that does not return."""
        self.pipe.close()
        self.process.join(max(0.0, deadline - time.monotonic()))
        if self.process.is_alive():
            self.process.kill()
            self.process.join(GRACE_S)
        return self.process.exitcode

    def resident_bytes(self) -> int:
        return resident_bytes(self.process.pid)


@dataclass(slots=True, eq=False)
class _Slot(Generic[T, P, R]):
    """A worker's place: its number and setup stay, its process may be replaced."""

    number: int
    make_worker: Callable[..., Work[T, P, R]]
    setup: tuple[object, ...]
    worker: _PoolWorker | None = None
    tasks_done: int = 0
    """By this process."""
    heard: float = 0.0
    """When it last said a word, or got a task."""

    def give(self, task: T) -> None:
        if self.worker is None:
            with _interrupts_held():
                self.worker = _PoolWorker.start(self.make_worker, self.setup)
            self.tasks_done = 0
        self.heard = time.monotonic()
        with suppress(ConnectionError):  # it has died since; whoever listens to it next will know
            self.worker.pipe.send(task)

    def hear(self) -> "TaskProgress[P] | Result[R] | Failure | _Ended":
        assert self.worker is not None
        message = self.worker.receive()
        self.heard = time.monotonic()
        if isinstance(message, Failure) and isinstance(message.error, DeviceLostError):
            return self.kill(f"lost its device ({message.error})")  # to leave, it would have to close it
        if isinstance(message, _Ended):
            self.worker = None
        return message

    def kill(self, how: str) -> _Ended:
        """End the process at once."""
        assert self.worker is not None
        self.worker.process.kill()
        self.worker.reap(time.monotonic() + GRACE_S)
        self.worker = None
        return _Ended(how)

    def offence(self, watch: Watch) -> str | None:
        """What its process does that it may not."""
        silent = time.monotonic() - self.heard
        if silent > watch.silent_s:
            return f"hung (no word for {silent:.0f} s) and was killed"
        held = self.worker.resident_bytes() if self.worker else 0
        if held > watch.most_bytes:
            most = watch.most_bytes / 2**30
            return f"took {held / 2**30:.1f} GiB of memory, more than {most:.1f}, and was killed"
        return None

    def rest(self, watch: Watch) -> None:
        """After a task: let a process go that has done enough, or grown."""
        self.tasks_done += 1
        grown = self.worker is not None and self.worker.resident_bytes() > watch.most_bytes / 2
        if self.worker and (grown or self.tasks_done >= watch.most_tasks):
            self.worker.reap(time.monotonic() + GRACE_S)  # it leaves when its pipe ends
            self.worker = None


@dataclass(frozen=True, slots=True)
class _Pool(Generic[T, P, R]):
    """See ``run_tasks``."""

    waiting: deque[_PoolTask[T]]
    slots: Sequence[_Slot[T, P, R]]
    name: Callable[[T], str]
    on_done: Callable[[T, R], None]
    on_progress: Callable[[Sequence[P]], None]
    on_replaced: Callable[[int, str], None]
    again: Callable[[Loss[T, P]], T]
    stop: Callable[[], bool]
    watch: Watch
    busy: dict[_Slot[T, P, R], _PoolTask[T]] = field(default_factory=dict)
    reports: dict[_Slot[T, P, R], P] = field(default_factory=dict)

    def run(self) -> None:
        try:
            while self._begin() or self.busy:
                for slot in _speaking(self.busy):
                    self._hear(slot)
                self._look()
                self.on_progress(list(self.reports.values()))
        finally:
            self._end()

    def _begin(self) -> bool:
        """Give tasks to those without one; whether any are still to be given."""
        if self.stop():
            return False
        for slot in self.slots:
            if self.waiting and slot not in self.busy:
                self.busy[slot] = self.waiting.popleft()
                slot.give(self.busy[slot].value)
        return bool(self.waiting)

    def _hear(self, slot: _Slot[T, P, R]) -> None:
        message = slot.hear()
        if isinstance(message, TaskProgress):
            self.reports[slot] = message.value
            return
        report, task = self.reports.pop(slot, None), self.busy.pop(slot)
        if isinstance(message, Failure):
            raise message.error
        if isinstance(message, _Ended):
            self._lost(slot, task, report, message.how)
        else:
            slot.rest(self.watch)
            self.on_done(task.value, message.value)

    def _look(self) -> None:
        """Kill those that do what they may not."""
        for slot in list(self.busy):
            if how := slot.offence(self.watch):
                slot.kill(how)
                self._lost(slot, self.busy.pop(slot), self.reports.pop(slot, None), how)

    def _lost(self, slot: _Slot[T, P, R], task: _PoolTask[T], report: P | None, how: str) -> None:
        instead = self.again(Loss(slot.number, how, task.value, report))
        lost = task.lost_workers + 1 if instead == task.value else 0
        if lost == TRIES:
            raise TurntableError(
                f"{self.name(task.value)}: {TRIES} worker processes failed at it, one after the other; the "
                f"last {how}. Run the same command again: it resumes"
            )
        self.waiting.appendleft(_PoolTask(instead, lost))
        self.on_replaced(slot.number, f"{how} while making {self.name(task.value)}")

    def _end(self) -> None:
        """Let idle workers go, stop busy ones, kill those that stay."""
        workers = [slot.worker for slot in self.slots if slot.worker]
        for slot in self.busy:
            if slot.worker:
                slot.worker.ask_to_leave()
        for worker in workers:
            worker.pipe.close()
        deadline = time.monotonic() + GRACE_S
        for worker in workers:
            worker.reap(deadline)


def _speaking(busy: dict[_Slot[T, P, R], _PoolTask[T]]) -> list[_Slot[T, P, R]]:
    """Those that have said something, or died, within the next moment."""
    slots: dict[Any, _Slot[T, P, R]] = {}
    for slot in busy:
        if slot.worker:
            slots |= {slot.worker.pipe: slot, slot.worker.process.sentinel: slot}
    return list(dict.fromkeys(slots[handle] for handle in wait(slots, POLL_S)))


def resident_bytes(pid: int | None) -> int:
    """Memory that a process holds; 0 where that cannot be known."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


@contextmanager
def _interrupts_held() -> Generator[None, None, None]:
    """Ctrl-C waits for the end of the block, and never comes to a process that is started in it."""
    resource_tracker.ensure_running()  # its start would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
