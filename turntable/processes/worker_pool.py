"""A pool of workers that fill slots of shared memory: jobs go in, filled slots come out in the same order.

Each job is divided among all workers. So a job is done in a fraction of the time of one worker, and a few
slots are enough for any number of workers.

The arrays of a filled slot are the shared memory itself, not a copy. A slot is filled again when all its
arrays are deleted. A caller that keeps the arrays of many jobs gets copies, so that the pool never runs out
of slots.

In a fork of the process that made a pool, the pool starts slots and workers for that fork.
"""

import os
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from numpy.typing import NDArray

from turntable.errors import TurntableError
from turntable.processes.shared_memory import Layout, SharedSlots
from turntable.processes.slot_filler import FillTask, PartResult, make_fill_function
from turntable.processes.worker_main import TaskFailure, TaskResult
from turntable.processes.worker_process import Message, WorkerExit, WorkerProcess, end_workers, receive_any

NUM_SPARE_SLOTS = 2
"""Number of slots that the caller may hold while all others are being filled: the one in use, and the
next."""
_POLL_S = 0.001
"""Time in seconds between two looks for a free slot."""
STALL_S = 600.0
"""Default time in seconds without a message after which a worker that is waited for counts as hung."""

Fence = Callable[[], Callable[[], bool]]
"""Function that is called when the arrays of a slot are deleted. It returns a function that returns True once
all devices that were still reading the slot are done."""


@dataclass(frozen=True, slots=True)
class FilledSlot:
    """The result of a job."""

    arrays: dict[str, NDArray[Any]]
    reports: tuple[Any, ...]
    """Reports of the fillers, one for each part, in the order in which the parts were done."""


class WorkerPool:
    """A pool of workers that fill slots. The workers start with the first job and stay until ``close``.

    Args:
        factory: Function that makes a worker's filler, in the worker: "package.module:function".
        arguments: Picklable arguments of that function by name.
        layout: Arrays of a slot by name.
        num_workers: Number of workers, at least 1.
        num_ahead: Number of jobs in progress at a time.
        fence: Fence for slots that a device may still read after their arrays are deleted.
        stall_s: Time in seconds without a message after which a worker that is waited for counts as hung.

    Raises:
        InvalidInputError: There is not enough memory for the slots.
    """

    def __init__(
        self,
        factory: str,
        arguments: Mapping[str, Any],
        layout: Layout,
        *,
        num_workers: int,
        num_ahead: int = 3,
        fence: Fence | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        self.waited_s = 0.0
        """Total time in seconds that the caller has waited for jobs."""
        self._factory, self._arguments, self._layout = factory, dict(arguments), layout
        self._num_workers, self._num_ahead = num_workers, num_ahead
        self._fence, self._stall_s = fence, stall_s
        self._last_serial = 0
        self._waiting_jobs = deque[_SlotJob]()
        """Jobs of the latest ``run`` that have not been yielded."""
        self._create_slots()

    def _create_slots(self) -> None:
        """Create the slots, all free. Workers start later."""
        self._owner = os.getpid()
        self.slots = SharedSlots(self._layout, self._num_ahead + NUM_SPARE_SLOTS)
        self._free = _FreeSlots(deque((slot, None) for slot in range(self.slots.num_slots)))
        self._workers: list[WorkerProcess] = []
        self._running_jobs: dict[int, _SlotJob] = {}

    def run(self, jobs: Iterable[Sequence[Any]]) -> Generator[FilledSlot, None, None]:
        """Run jobs, some of them ahead of the caller.

        An iteration may be left early: jobs in progress are finished, and their results are dropped. A new
        iteration ends the one before it.

        Args:
            jobs: Jobs, each a sequence of at most one part for each worker; None for a worker without a part.

        Yields:
            The results of the jobs, in order. The arrays may be kept for any time.

        Raises:
            TurntableError: A worker was killed or hangs. All workers are ended.
            Exception: An error of a filler. All workers are ended.
        """
        self._reset_after_fork()
        self._abandon_jobs(self._waiting_jobs)
        self._waiting_jobs = waiting = deque[_SlotJob]()
        job_iterator, has_more = iter(jobs), True
        try:
            while True:
                self._check_is_current(waiting)
                while has_more and len(waiting) < self._num_ahead and (slot := self._free.take()) is not None:
                    parts = next(job_iterator, None)
                    if parts is None:
                        has_more = False
                        self._free.add(slot)
                    else:
                        waiting.append(self._start_job(slot, parts))
                if waiting:
                    self._wait_for(waiting[0])
                    yield self._take_result(waiting.popleft())
                elif has_more:
                    self._wait_for_slot()
                else:
                    return
        finally:
            self._abandon_jobs(waiting)

    def close(self) -> None:
        """End all workers. The next job starts new ones."""
        end_workers(self._workers)
        self._workers.clear()
        for job in self._running_jobs.values():
            self._free.add(job.slot)
        self._running_jobs.clear()

    def _start_job(self, slot: int, parts: Sequence[Any]) -> "_SlotJob":
        """Send the parts of a job to the workers, which are started first if there are none."""
        if not self._workers:
            slots = self.slots
            arguments = (self._factory, self._arguments, slots.layout, slots.num_slots, slots.descriptor)
            self._workers += [
                WorkerProcess(make_fill_function, arguments, descriptors=(slots.descriptor,))
                for _ in range(self._num_workers)
            ]
        self._last_serial += 1
        busy = [number for number, part in enumerate(parts) if part is not None]
        job = _SlotJob(self._last_serial, slot, set(busy))
        self._running_jobs[job.serial] = job
        for number in busy:
            self._workers[number].send(FillTask(job.serial, slot, parts[number]))
        return job

    def _reset_after_fork(self) -> bool:
        """Create new slots in a fork. The old ones and their workers belong to the process that made them.

        Returns:
            True if this process is such a fork, and had not created its slots yet.
        """
        if self._owner == os.getpid():
            return False
        self._waiting_jobs.clear()  # these are jobs of the parent
        self._create_slots()
        return True

    def _abandon_jobs(self, jobs: "deque[_SlotJob]") -> None:
        while jobs:
            job = jobs.popleft()
            job.is_abandoned = True
            self._release_slot(job)

    def _check_is_current(self, waiting: "deque[_SlotJob]") -> None:
        if self._reset_after_fork():
            raise TurntableError(
                "a forked process cannot continue the iteration of its parent; start a new one"
            )
        if self._waiting_jobs is not waiting:
            raise TurntableError("a new iteration over the same loader was started, which ended this one")

    def _wait_for_slot(self) -> None:
        """Wait a moment: all slots are being filled for an iteration that was left, or read by a device."""
        if not self._receive_messages(_POLL_S):
            time.sleep(_POLL_S)

    def _wait_for(self, job: "_SlotJob") -> None:
        start = time.perf_counter()
        while job.pending_workers:
            if not self._receive_messages(self._stall_s):
                silent = self._workers[min(job.pending_workers)]
                self._raise_worker_error(
                    silent, f"sent no message for {self._stall_s:.0f} s (is its storage reachable?)"
                )
        self.waited_s += time.perf_counter() - start

    def _receive_messages(self, timeout_s: float) -> bool:
        """Handle the messages of all workers; return False if none came within the time limit."""
        messages = receive_any(self._workers, timeout_s)
        for worker, message in messages:
            self._handle_message(worker, message)
        return bool(messages)

    def _handle_message(self, worker: WorkerProcess, message: Message) -> None:
        if isinstance(message, WorkerExit):
            self._raise_worker_error(worker, message.description)
        if isinstance(message, TaskFailure):
            self.close()
            raise message.error
        if isinstance(message, TaskResult):
            self._finish_part(self._workers.index(worker), message.value)

    def _finish_part(self, number: int, part: PartResult) -> None:
        job = self._running_jobs[part.serial]
        job.pending_workers.discard(number)
        job.reports.append(part.report)
        if not job.pending_workers:
            del self._running_jobs[job.serial]
            self._release_slot(job)

    def _release_slot(self, job: "_SlotJob") -> None:
        """Free the slot of an abandoned job, once no worker writes into it any more."""
        if job.is_abandoned and not job.pending_workers:
            self._free.add(job.slot)

    def _raise_worker_error(self, worker: WorkerProcess, reason: str) -> NoReturn:
        number, pid = self._workers.index(worker), worker.pid
        self.close()
        raise TurntableError(
            f"worker process {number} (pid {pid}) {reason}. The position is not lost: resume from the last "
            "state_dict()"
        )

    def _take_result(self, job: "_SlotJob") -> FilledSlot:
        """Return the arrays of a finished job, and lend its slot to the caller."""
        memory, arrays = self.slots.get_arrays(job.slot)
        if len(self._free.lent) >= NUM_SPARE_SLOTS:
            # The caller keeps its arrays. It gets copies from here on, so that slots are left to fill.
            arrays = {name: array.copy() for name, array in arrays.items()}
            self._free.add(job.slot)
        else:
            # All arrays of the slot refer to `memory`. It is deleted with the last of them, and then the slot
            # can be filled again.
            self._free.lent.add(job.slot)
            finalizer = weakref.finalize(memory, self._free.reclaim, job.slot, self._fence)
            finalizer.atexit = False
        return FilledSlot(arrays, tuple(job.reports))


@dataclass(slots=True)
class _SlotJob:
    """A job in progress: a slot that is being filled, part by part."""

    serial: int
    slot: int
    pending_workers: set[int]
    """Numbers of the workers whose part is not done."""
    reports: list[Any] = field(default_factory=list)
    is_abandoned: bool = False
    """True if nobody waits for the result."""


@dataclass(slots=True)
class _FreeSlots:
    """The slots that may be filled.

    Lent slots are added again by the garbage collector, which may run in any thread. A deque is safe for
    that.
    """

    slots: "deque[tuple[int, Callable[[], bool] | None]]"
    """Free slots, each with a function that returns True once no device reads the slot; None: no device
    does."""
    lent: set[int] = field(default_factory=set)
    """Slots whose arrays the caller holds."""

    def take(self) -> int | None:
        """Take a slot that nobody reads or writes; return None if there is none."""
        for _ in range(len(self.slots)):
            slot, is_ready = self.slots.popleft()
            if is_ready is None or is_ready():
                return slot
            self.slots.append((slot, is_ready))
        return None

    def add(self, slot: int) -> None:
        """Add a slot that no device reads."""
        self.slots.append((slot, None))

    def reclaim(self, slot: int, fence: Fence | None) -> None:
        """Add a lent slot again, after its last array was deleted."""
        self.lent.discard(slot)
        self.slots.append((slot, fence() if fence is not None else None))
