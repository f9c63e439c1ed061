"""Processes that do tasks, and are replaced when they die: a crash costs one more try, not the run.

A worker does one task at a time, which it gets and answers over a pipe of its own. Whatever ends it (the
kernel's out-of-memory killer, a driver that crashes, a lost device), the parent sees its end, starts another
in its place, and gives the task again. A worker whose parent is gone leaves by itself.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from threading import Thread
from typing import Any, Generic, TypeAlias, TypeVar, cast

from turntable.errors import DeviceLostError, TurntableError

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

_Pipe: TypeAlias = "Connection[Any, Any]"
_SPAWN = multiprocessing.get_context("spawn")  # a forked process would share the parent's driver state
_CRASH = " (a crash in native code, as a rule the graphics driver's)"
_HINTS = {
    signal.SIGKILL: " (as a rule by the kernel's out-of-memory killer: use fewer --workers)",
    signal.SIGSEGV: _CRASH,
    signal.SIGBUS: _CRASH,
    signal.SIGABRT: _CRASH,
}


def run_tasks(
    tasks: Sequence[T],
    make_worker: Callable[..., Work[T, P, R]],
    setups: Sequence[tuple[object, ...]],
    *,
    name: Callable[[T], str],
    on_done: Callable[[T, R], None],
    on_progress: Callable[[Sequence[P]], None],
    on_replaced: Callable[[int, str], None],
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

    Raises:
        TurntableError: A task has cost ``TRIES`` workers.
        Exception: What ``make_worker`` or a task raised; only a DeviceLostError is tried again.
    """
    assert setups, "someone has to do the tasks"
    waiting = deque(_Task(task) for task in tasks)
    slots = [_Slot(number, make_worker, setup) for number, setup in enumerate(setups)]
    _Pool(waiting, slots, name, on_done, on_progress, on_replaced).run()


# What a worker says.


@dataclass(frozen=True, slots=True)
class _Report(Generic[P]):
    value: P


@dataclass(frozen=True, slots=True)
class _Result(Generic[R]):
    value: R


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


# The parent's side.


@dataclass(frozen=True, slots=True)
class _Ended:
    """A worker is gone, and this is how: "ended by SIGKILL"."""

    how: str


@dataclass(slots=True)
class _Task(Generic[T]):
    value: T
    lost_workers: int = 0


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process, with our end of its pipe."""

    process: SpawnProcess
    pipe: _Pipe

    @classmethod
    def start(cls, *to_serve: object) -> "_Worker":
        ours, theirs = cast("tuple[_Pipe, _Pipe]", _SPAWN.Pipe())  # of a type of its own on Windows
        with theirs:  # open here, it would keep the pipe from ending with the process
            process = _SPAWN.Process(target=_serve, args=(theirs, *to_serve), daemon=True)
            process.start()
        return cls(process, ours)

    def receive(self) -> "_Report[Any] | _Result[Any] | _Failure | _Ended":
        try:
            if self.pipe.poll():
                return self.pipe.recv()
        except (EOFError, OSError):  # it died, perhaps in the middle of a word
            pass
        return _Ended(_how(self.reap(time.monotonic() + GRACE_S)))

    def reap(self, deadline: float) -> int | None:
        """The exit code; none where even the kernel cannot end it, in a driver that does not return."""
        self.pipe.close()
        self.process.join(max(0.0, deadline - time.monotonic()))
        if self.process.is_alive():
            self.process.kill()
            self.process.join(GRACE_S)
        return self.process.exitcode


@dataclass(slots=True, eq=False)
class _Slot(Generic[T, P, R]):
    """A worker's place: its number and setup stay, its process may be replaced."""

    number: int
    make_worker: Callable[..., Work[T, P, R]]
    setup: tuple[object, ...]
    worker: _Worker | None = None

    def give(self, task: T) -> None:
        if self.worker is None:
            with _interrupts_held():
                self.worker = _Worker.start(self.make_worker, self.setup)
        with suppress(ConnectionError):  # it has died since; whoever listens to it next will know
            self.worker.pipe.send(task)

    def hear(self) -> "_Report[P] | _Result[R] | _Failure | _Ended":
        assert self.worker is not None
        message = self.worker.receive()
        if isinstance(message, _Failure) and isinstance(message.error, DeviceLostError):
            self.worker.process.kill()  # to leave by itself it would have to close the device
            self.worker.reap(time.monotonic() + GRACE_S)
            message = _Ended(f"lost its device ({message.error})")
        if isinstance(message, _Ended):
            self.worker = None
        return message


@dataclass(frozen=True, slots=True)
class _Pool(Generic[T, P, R]):
    """See ``run_tasks``."""

    waiting: deque[_Task[T]]
    slots: Sequence[_Slot[T, P, R]]
    name: Callable[[T], str]
    on_done: Callable[[T, R], None]
    on_progress: Callable[[Sequence[P]], None]
    on_replaced: Callable[[int, str], None]
    busy: dict[_Slot[T, P, R], _Task[T]] = field(default_factory=dict)
    reports: dict[_Slot[T, P, R], P] = field(default_factory=dict)

    def run(self) -> None:
        try:
            while self.waiting or self.busy:
                for slot in self.slots:
                    if self.waiting and slot not in self.busy:
                        self.busy[slot] = self.waiting.popleft()
                        slot.give(self.busy[slot].value)
                for slot in _speaking(self.busy):
                    self._hear(slot)
                self.on_progress(list(self.reports.values()))
        finally:
            self._end()

    def _hear(self, slot: _Slot[T, P, R]) -> None:
        message = slot.hear()
        if isinstance(message, _Report):
            self.reports[slot] = message.value
            return
        self.reports.pop(slot, None)
        task = self.busy.pop(slot)
        if isinstance(message, _Failure):
            raise message.error
        if isinstance(message, _Ended):
            self._again(slot, task, message)
        else:
            self.on_done(task.value, message.value)

    def _again(self, slot: _Slot[T, P, R], task: _Task[T], end: _Ended) -> None:
        task.lost_workers += 1
        if task.lost_workers == TRIES:
            raise TurntableError(
                f"{self.name(task.value)}: {TRIES} worker processes failed at it, one after the other; the "
                f"last {end.how}. Run the same command again: it resumes"
            )
        self.waiting.appendleft(task)
        self.on_replaced(slot.number, f"{end.how} while making {self.name(task.value)}")

    def _end(self) -> None:
        """Let idle workers go, stop busy ones, kill those that stay."""
        workers = [slot.worker for slot in self.slots if slot.worker]
        for slot in self.busy:
            if slot.worker:
                slot.worker.process.terminate()
        for worker in workers:
            worker.pipe.close()
        deadline = time.monotonic() + GRACE_S
        for worker in workers:
            worker.reap(deadline)


def _speaking(busy: dict[_Slot[T, P, R], _Task[T]]) -> list[_Slot[T, P, R]]:
    """Those that have said something, or died, within the next moment."""
    slots: dict[Any, _Slot[T, P, R]] = {}
    for slot in busy:
        if slot.worker:
            slots |= {slot.worker.pipe: slot, slot.worker.process.sentinel: slot}
    return list(dict.fromkeys(slots[handle] for handle in wait(slots, POLL_S)))


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return "hangs and cannot be killed"
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        number = signal.Signals(-exit_code)
    except ValueError:
        return f"ended by signal {-exit_code}"
    return f"ended by {number.name}{_HINTS.get(number, '')}"


@contextmanager
def _interrupts_held() -> Generator[None, None, None]:
    """Ctrl-C waits for the end of the block, and never comes to a process that is started in it."""
    resource_tracker.ensure_running()  # its start would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# The worker's side.


def _serve(pipe: _Pipe, make_worker: Callable[..., Work[Any, Any, Any]], setup: tuple[object, ...]) -> None:
    """A worker's life. Any error ends it: by then its parent wants another worker, or none."""
    signal.signal(signal.SIGTERM, _leave)
    Thread(target=_leave_with_parent, daemon=True).start()
    with suppress(ConnectionError):  # no one listens any more
        try:
            work = make_worker(*setup)
            for task in _received(pipe):
                pipe.send(_Result(work(task, lambda report: pipe.send(_Report(report)))))
        except Exception as error:
            pipe.send(_Failure(_portable(error)))


def _received(pipe: _Pipe) -> Iterator[Any]:
    """Tasks, until the parent closes its end."""
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        yield task


def _leave(*_: object) -> None:
    """Leave by way of all open blocks: half a file is removed by the one who writes it."""
    sys.exit(128 + signal.SIGTERM)


def _leave_with_parent() -> None:
    """Leave even from the middle of a task: the next run makes the same files."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _portable(error: Exception) -> Exception:
    """The error as another process can read it; where it happened is in a note."""
    where = "".join(traceback.format_exception(error))
    error.add_note(f"In a worker process:\n{where}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(where)
    return error
