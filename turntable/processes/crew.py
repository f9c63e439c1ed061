"""A ring of slots, and the processes that fill them: jobs go in, filled slots come out in the same order.

Every worker fills its part of every job, so a job is ready in a share of the time that one worker would take,
and a few slots are enough for any number of workers. What comes out is the shared memory itself, without a
copy. A slot is filled again when nobody holds any of its arrays any more; who keeps many of them gets copies,
so that work never stands still for want of slots.

A fork of the process that made a ring has a ring of its own, with slots and workers of its own.
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
from turntable.processes.filling import FillTask, PartFilled, open_filler
from turntable.processes.serving import Failure, TaskResult
from turntable.processes.slots import Layout, SharedSlots
from turntable.processes.supervised import Ended, Message, WorkerProcess, end_workers, hear_any

SPARE = 2
"""Slots that may be looked at while all others are under way: the one in use, and the next."""
_MOMENT_S = 0.001
STALL_S = 600.0
"""A worker that has said nothing for so long while it was waited for hangs."""

Fence = Callable[[], Callable[[], bool]]
"""Called when a slot is let go; what it returns says whether whatever was still reading it is done."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A job that is done."""

    arrays: dict[str, NDArray[Any]]
    reports: tuple[Any, ...]
    """What the filler said of each part."""


class Crew:
    """Workers that fill slots. They start with the first job and stay until ``close``.

    Args:
        opener: makes each worker's filler there: "package.module:function".
        arguments: of that function; picklable.
        layout: of a slot.
        workers: at least 1.
        ahead: jobs under way at once.
        fence: for memory that a device may still read when its arrays are gone.
        stall_s: a worker that is silent for longer, while it is waited for, is given up.

    Raises:
        InvalidInputError: there is not enough memory for the slots.
    """

    def __init__(
        self,
        opener: str,
        arguments: Mapping[str, Any],
        layout: Layout,
        *,
        workers: int,
        ahead: int = 3,
        fence: Fence | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        self.waited_s = 0.0
        """Time that the consumer has waited for jobs, in all."""
        self._opener, self._arguments, self._layout = opener, dict(arguments), layout
        self._workers_wanted, self._ahead = workers, ahead
        self._fence, self._stall_s = fence, stall_s
        self._serial = 0
        self._waiting = deque[_SlotJob]()
        """Of the latest run."""
        self._make_ring()

    def _make_ring(self) -> None:
        """Have slots that are all free, and no worker yet."""
        self._owner = os.getpid()
        self.slots = SharedSlots(self._layout, self._ahead + SPARE)
        self._free = _FreeSlots(deque((slot, None) for slot in range(self.slots.count)))
        self._workers: list[WorkerProcess] = []
        self._under_way: dict[int, _SlotJob] = {}

    def run(self, jobs: Iterable[Sequence[Any]]) -> Generator[Filled, None, None]:
        """Have jobs done, a few ahead of who asks.

        Leaving an iteration early is no harm: what is under way is finished and forgotten. Beginning another
        ends the one before it.

        Args:
            jobs: each a part a worker, at most; None where a worker has nothing to do.

        Yields:
            Them in their order. The arrays may be kept as long as one likes.

        Raises:
            TurntableError: a worker was killed, or hangs.
            Exception: what a filler raised. In either case all workers are ended.
        """
        self._leave_to_parent()
        self._forget(self._waiting)
        self._waiting = waiting = deque[_SlotJob]()
        source, more = iter(jobs), True
        try:
            while True:
                self._check_current(waiting)
                while more and len(waiting) < self._ahead and (slot := self._free.take()) is not None:
                    parts = next(source, None)
                    if parts is None:
                        more = False
                        self._free.give(slot)
                    else:
                        waiting.append(self._begin(slot, parts))
                if waiting:
                    self._wait_for(waiting[0])
                    yield self._filled(waiting.popleft())
                elif more:
                    self._look_for_slots()
                else:
                    return
        finally:
            self._forget(waiting)

    def close(self) -> None:
        """End all workers; the next job would start others."""
        end_workers(self._workers)
        self._workers.clear()
        for job in self._under_way.values():
            self._free.give(job.slot)
        self._under_way.clear()

    def _begin(self, slot: int, parts: Sequence[Any]) -> "_SlotJob":
        if not self._workers:
            of_all = (self._opener, self._arguments, self.slots.layout, self.slots.count)
            descriptor = self.slots.descriptor
            self._workers += [
                WorkerProcess(open_filler, (*of_all, descriptor), descriptors=(descriptor,))
                for _ in range(self._workers_wanted)
            ]
        self._serial += 1
        busy = [number for number, part in enumerate(parts) if part is not None]
        job = _SlotJob(self._serial, slot, set(busy))
        self._under_way[job.serial] = job
        for number in busy:
            self._workers[number].send(FillTask(job.serial, slot, parts[number]))
        return job

    def _leave_to_parent(self) -> bool:
        """In a fork of the process that has made the ring: leave that to it, and make another one.

        Returns:
            Whether this is one, and its first look at the ring.
        """
        if self._owner == os.getpid():
            return False
        self._waiting.clear()  # jobs of the parent's
        self._make_ring()
        return True

    def _forget(self, jobs: "deque[_SlotJob]") -> None:
        while jobs:
            job = jobs.popleft()
            job.forgotten = True
            self._let_go(job)

    def _check_current(self, waiting: "deque[_SlotJob]") -> None:
        if self._leave_to_parent():
            raise TurntableError("a fork of a process cannot go on with its iteration; begin another one")
        if self._waiting is not waiting:
            raise TurntableError("another iteration over the same loader has begun, which ended this one")

    def _look_for_slots(self) -> None:
        """All are still being filled for an iteration that was left, or read by a device."""
        if not self._listen(_MOMENT_S):
            time.sleep(_MOMENT_S)

    def _wait_for(self, job: "_SlotJob") -> None:
        began = time.perf_counter()
        while job.missing:
            if not self._listen(self._stall_s):
                silent = self._workers[min(job.missing)]
                self._fail(silent, f"has said nothing for {self._stall_s:.0f} s; is its storage reachable?")
        self.waited_s += time.perf_counter() - began

    def _listen(self, seconds: float) -> bool:
        """Hear all workers that say something within so long; whether any did."""
        heard = hear_any(self._workers, seconds)
        for worker, message in heard:
            self._hear(worker, message)
        return bool(heard)

    def _hear(self, worker: WorkerProcess, message: Message) -> None:
        if isinstance(message, Ended):
            self._fail(worker, message.how)
        if isinstance(message, Failure):
            self.close()
            raise message.error
        if isinstance(message, TaskResult):
            self._part_filled(self._workers.index(worker), message.value)

    def _part_filled(self, number: int, part: PartFilled) -> None:
        job = self._under_way[part.serial]
        job.missing.discard(number)
        job.reports.append(part.report)
        if not job.missing:
            del self._under_way[job.serial]
            self._let_go(job)

    def _let_go(self, job: "_SlotJob") -> None:
        """Free the slot of a job that nobody wants, once no worker writes into it any more."""
        if job.forgotten and not job.missing:
            self._free.give(job.slot)

    def _fail(self, worker: WorkerProcess, how: str) -> NoReturn:
        number, pid = self._workers.index(worker), worker.pid
        self.close()
        raise TurntableError(
            f"worker process {number} (pid {pid}) {how}. The position is not lost: go on from the last "
            "state_dict()"
        )

    def _filled(self, job: "_SlotJob") -> Filled:
        whole, named = self.slots.arrays(job.slot)
        if len(self._free.lent) >= SPARE:
            # Whoever iterates keeps what it got: it keeps copies from here on.
            named = {name: array.copy() for name, array in named.items()}
            self._free.give(job.slot)
        else:
            self._free.lent.add(job.slot)
            done = weakref.finalize(whole, self._free.give_back, job.slot, self._fence)
            done.atexit = False
        return Filled(named, tuple(job.reports))


@dataclass(slots=True)
class _SlotJob:
    """A slot that is being filled, part by part."""

    serial: int
    slot: int
    missing: set[int]
    """Workers whose part is not done."""
    reports: list[Any] = field(default_factory=list)
    forgotten: bool = False


@dataclass(slots=True)
class _FreeSlots:
    """Slots that may be filled. Those that were lent come back from wherever garbage is collected."""

    slots: "deque[tuple[int, Callable[[], bool] | None]]"
    lent: set[int] = field(default_factory=set)

    def take(self) -> int | None:
        """A slot that nobody reads or writes; None where there is none."""
        for _ in range(len(self.slots)):
            slot, ready = self.slots.popleft()
            if ready is None or ready():
                return slot
            self.slots.append((slot, ready))
        return None

    def give(self, slot: int) -> None:
        self.slots.append((slot, None))

    def give_back(self, slot: int, fence: Fence | None) -> None:
        self.lent.discard(slot)
        self.slots.append((slot, fence() if fence is not None else None))
