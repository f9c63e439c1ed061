"""Processes that do tasks, and are replaced when they die: a crash costs one more try, not the run.

A worker does one task at a time, which it gets and answers over a pipe of its own. Whatever ends it (the
kernel's out-of-memory killer, a driver that crashes or hangs, a lost device), the parent sees its end, starts
another in its place, and gives the task again. A worker whose parent is gone leaves by itself.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from turntable.errors import DeviceLostError, TurntableError
from turntable.processes.serving import Failure, P, R, T, TaskProgress, TaskResult, Work
from turntable.processes.supervised import Ended, Message, WorkerProcess, end_workers, hear_any

TRIES = 3
"""So many workers may one task cost."""
POLL_S = 0.2
GRACE_S = 5.0
"""How long a worker that is to end may take before it is killed."""


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
            All that goes to another process must be picklable. A worker's report stands for all of its task
            that is done so far.
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


@dataclass(slots=True)
class _PoolTask(Generic[T]):
    """A task, and the number of workers that it has cost."""

    value: T
    lost_workers: int = 0


@dataclass(slots=True, eq=False)
class _Slot(Generic[T, P, R]):
    """A worker's place: its number and setup stay, its process may be replaced."""

    number: int
    make_worker: Callable[..., Work[T, P, R]]
    setup: tuple[object, ...]
    worker: WorkerProcess | None = None
    heard: float = 0.0
    """When it last said a word, or got a task."""

    def give(self, task: T) -> None:
        if self.worker is None:
            self.worker = WorkerProcess(self.make_worker, self.setup)
        self.heard = time.monotonic()
        self.worker.send(task)

    def kill(self) -> None:
        """End the process at once."""
        if self.worker is not None:
            self.worker.kill()
            self.worker.end(GRACE_S)
            self.worker = None

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
        if self.worker and self.worker.is_spent(watch.most_tasks, watch.most_bytes):
            self.worker.end(GRACE_S)  # it leaves when its pipe ends
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
                self._listen()
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

    def _listen(self) -> None:
        """Hear those that have said something, or died, within the next moment."""
        slots = {slot.worker: slot for slot in self.busy if slot.worker}
        for worker, message in hear_any(slots, POLL_S):
            self._hear(slots[worker], message)

    def _hear(self, slot: _Slot[T, P, R], message: Message) -> None:
        slot.heard = time.monotonic()
        if isinstance(message, TaskProgress):
            self.reports[slot] = message.value
        elif isinstance(message, Ended):
            slot.worker = None
            self._lost(slot, message.how)
        elif isinstance(message, Failure):
            if not isinstance(message.error, DeviceLostError):
                raise message.error
            # Not asked to leave: it would have to close the device.
            self._lost(slot, f"lost its device ({message.error})")
        elif isinstance(message, TaskResult):
            self.reports.pop(slot, None)
            slot.rest(self.watch)
            self.on_done(self.busy.pop(slot).value, message.value)

    def _look(self) -> None:
        """Kill those that do what they may not."""
        for slot in list(self.busy):
            if how := slot.offence(self.watch):
                self._lost(slot, how)

    def _lost(self, slot: _Slot[T, P, R], how: str) -> None:
        """Kill a worker if it still lives, and give its task again, or what is to be done instead."""
        slot.kill()
        task, report = self.busy.pop(slot), self.reports.pop(slot, None)
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
        busy = [slot.worker for slot in self.busy if slot.worker]
        end_workers([slot.worker for slot in self.slots if slot.worker], GRACE_S, busy)
