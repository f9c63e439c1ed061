"""Running tasks in worker processes that are replaced when they die.

A worker does one task at a time. It may be ended by the kernel's out-of-memory killer, by a driver that
crashes or hangs, or by a lost device. The parent then starts another worker in its place and gives it the
same task. So a crash costs one more try and not the run. A worker whose parent is gone ends by itself.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from turntable.errors import DeviceLostError, TurntableError
from turntable.processes.worker_main import P, R, T, TaskFailure, TaskFunction, TaskProgress, TaskResult
from turntable.processes.worker_process import Message, WorkerExit, WorkerProcess, end_workers, receive_any

MAX_TRIES = 3
"""Number of tries at a task: the run fails when so many workers have died of it."""
POLL_S = 0.2
"""Time in seconds between two looks at limits and progress."""
GRACE_S = 5.0
"""Time in seconds that a worker has to end before it is killed."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits of a worker process."""

    max_silence_s: float = float("inf")
    """Longest time in seconds without a message during a task; then the worker counts as hung and is
    killed."""
    max_bytes: float = float("inf")
    """Largest amount of memory; a worker that holds more is killed. A worker that holds more than half of it
    after a task is replaced."""
    max_tasks: float = float("inf")
    """Number of tasks after which a worker is replaced, to free the memory that libraries and drivers
    leak."""


@dataclass(frozen=True, slots=True)
class WorkerDeath(Generic[T, P]):
    """The death of a worker during a task."""

    worker_number: int
    """Number of the worker."""
    reason: str
    """Reason of its death, in words: "ended by SIGKILL"."""
    task: T
    last_report: P | None
    """Last report of the worker on the task; None: it had not reported."""


def _repeat_task(death: WorkerDeath[T, Any]) -> T:
    return death.task


def _return_false() -> bool:
    return False


def run_tasks(
    tasks: Sequence[T],
    make_worker: Callable[..., TaskFunction[T, P, R]],
    setups: Sequence[tuple[object, ...]],
    *,
    format_task: Callable[[T], str],
    on_done: Callable[[T, R], None],
    on_progress: Callable[[Sequence[P]], None],
    on_replaced: Callable[[int, str], None],
    choose_retry: Callable[[WorkerDeath[T, P]], T] = _repeat_task,
    should_stop: Callable[[], bool] = _return_false,
    limits: WorkerLimits | None = None,
) -> None:
    """Run all tasks in worker processes, in any order. No process is left behind when this returns or raises.

    Args:
        tasks: Tasks to run.
        make_worker: Function that is called in each new process with a setup, and returns the function that
            runs its tasks. Setups, tasks, reports and results must be picklable. A report covers all that is
            done of its task so far.
        setups: Arguments of ``make_worker``, one tuple for each worker. A worker's number is its index here.
            A process that replaces another has the same number and setup.
        format_task: Function that names a task in messages for the user.
        on_done: Callback for each finished task, with its result.
        on_progress: Callback for the latest reports of the tasks in progress, called repeatedly. The report
            of a task is left out once the task is done or its worker has died.
        on_replaced: Callback for a worker that died, with its number and how it ended.
        choose_retry: Function that picks the task to run after a worker has died. If it returns another task
            than the lost one, that starts with all its tries. So it must not return other tasks without end.
        should_stop: Function that returns True when no more tasks are to be started. Tasks in progress are
            finished.
        limits: Limits of each worker; None: no limits.

    Raises:
        TurntableError: ``MAX_TRIES`` workers have died of the same task.
        Exception: An error of ``make_worker`` or of a task. Only a DeviceLostError is tried again.
    """
    assert setups, "there must be at least one worker"
    waiting = deque(_PendingTask(task) for task in tasks)
    workers = [_TaskWorker(number, make_worker, setup) for number, setup in enumerate(setups)]
    _TaskRunner(
        waiting,
        workers,
        format_task,
        on_done,
        on_progress,
        on_replaced,
        choose_retry,
        should_stop,
        limits or WorkerLimits(),
    ).run()


@dataclass(slots=True)
class _PendingTask(Generic[T]):
    """A task to run, and the number of workers that have died of it."""

    value: T
    num_lost_workers: int = 0


@dataclass(slots=True, eq=False)
class _TaskWorker(Generic[T, P, R]):
    """A worker with a fixed number and setup, whose process may be replaced."""

    number: int
    make_worker: Callable[..., TaskFunction[T, P, R]]
    setup: tuple[object, ...]
    process: WorkerProcess | None = None
    last_heard: float = 0.0
    """Time of its last message or of the start of its task, by ``time.monotonic``."""

    def start_task(self, task: T) -> None:
        """Send a task to the process, which is started first if there is none."""
        if self.process is None:
            self.process = WorkerProcess(self.make_worker, self.setup)
        self.last_heard = time.monotonic()
        self.process.send(task)

    def kill(self) -> None:
        """End the process at once."""
        if self.process is not None:
            self.process.kill()
            self.process.end(GRACE_S)
            self.process = None

    def find_violation(self, limits: WorkerLimits) -> str | None:
        """Return a phrase for the limit that the process exceeds; None if it exceeds none."""
        silent_s = time.monotonic() - self.last_heard
        if silent_s > limits.max_silence_s:
            return f"hung (no message for {silent_s:.0f} s) and was killed"
        held_bytes = self.process.get_resident_bytes() if self.process else 0
        if held_bytes > limits.max_bytes:
            return (
                f"took {held_bytes / 2**30:.1f} GiB of memory, more than {limits.max_bytes / 2**30:.1f} GiB, "
                "and was killed"
            )
        return None

    def replace_if_spent(self, limits: WorkerLimits) -> None:
        """End the process after a task, if it has done enough tasks or holds too much memory."""
        if self.process and self.process.is_spent(limits.max_tasks, limits.max_bytes):
            self.process.end(GRACE_S)
            self.process = None


@dataclass(frozen=True, slots=True)
class _TaskRunner(Generic[T, P, R]):
    """The loop of ``run_tasks``, which explains the fields."""

    waiting: deque[_PendingTask[T]]
    workers: Sequence[_TaskWorker[T, P, R]]
    format_task: Callable[[T], str]
    on_done: Callable[[T, R], None]
    on_progress: Callable[[Sequence[P]], None]
    on_replaced: Callable[[int, str], None]
    choose_retry: Callable[[WorkerDeath[T, P]], T]
    should_stop: Callable[[], bool]
    limits: WorkerLimits
    busy: dict[_TaskWorker[T, P, R], _PendingTask[T]] = field(default_factory=dict)
    reports: dict[_TaskWorker[T, P, R], P] = field(default_factory=dict)

    def run(self) -> None:
        """Run all tasks, then end all workers."""
        try:
            while self._assign_tasks() or self.busy:
                self._receive_messages()
                self._enforce_limits()
                self.on_progress(list(self.reports.values()))
        finally:
            self._end_workers()

    def _assign_tasks(self) -> bool:
        """Give tasks to idle workers. Return True if more tasks are waiting and may be started."""
        if self.should_stop():
            return False
        for worker in self.workers:
            if self.waiting and worker not in self.busy:
                self.busy[worker] = self.waiting.popleft()
                worker.start_task(self.busy[worker].value)
        return bool(self.waiting)

    def _receive_messages(self) -> None:
        """Handle the messages and deaths of busy workers within the next ``POLL_S`` seconds."""
        worker_by_process = {worker.process: worker for worker in self.busy if worker.process}
        for process, message in receive_any(worker_by_process, POLL_S):
            self._handle_message(worker_by_process[process], message)

    def _handle_message(self, worker: _TaskWorker[T, P, R], message: Message) -> None:
        worker.last_heard = time.monotonic()
        if isinstance(message, TaskProgress):
            self.reports[worker] = message.value
        elif isinstance(message, WorkerExit):
            worker.process = None
            self._handle_death(worker, message.description)
        elif isinstance(message, TaskFailure):
            if not isinstance(message.error, DeviceLostError):
                raise message.error
            # The process is killed and not asked to end: it would try to close the lost device, and may hang.
            self._handle_death(worker, f"lost its device ({message.error})")
        elif isinstance(message, TaskResult):
            self.reports.pop(worker, None)
            worker.replace_if_spent(self.limits)
            self.on_done(self.busy.pop(worker).value, message.value)

    def _enforce_limits(self) -> None:
        """Kill the workers that exceed a limit."""
        for worker in list(self.busy):
            if violation := worker.find_violation(self.limits):
                self._handle_death(worker, violation)

    def _handle_death(self, worker: _TaskWorker[T, P, R], reason: str) -> None:
        """Kill a worker if it is still alive, and put its task or a replacement first in the queue."""
        worker.kill()
        task, report = self.busy.pop(worker), self.reports.pop(worker, None)
        retry = self.choose_retry(WorkerDeath(worker.number, reason, task.value, report))
        num_lost_workers = task.num_lost_workers + 1 if retry == task.value else 0
        if num_lost_workers == MAX_TRIES:
            raise TurntableError(
                f"{self.format_task(task.value)}: {MAX_TRIES} worker processes failed at it, one after the "
                f"other; the last {reason}. Run the same command again: it resumes"
            )
        self.waiting.appendleft(_PendingTask(retry, num_lost_workers))
        self.on_replaced(worker.number, f"{reason} while making {self.format_task(task.value)}")

    def _end_workers(self) -> None:
        """End idle workers, stop busy ones, and kill those that do not end in time."""
        busy = [worker.process for worker in self.busy if worker.process]
        end_workers([worker.process for worker in self.workers if worker.process], GRACE_S, busy)
