"""Processes that work for another: shared memory that leaves nothing behind, and workers that fill it."""

from turntable.processes.child import Filler
from turntable.processes.cores import default_workers
from turntable.processes.crew import STALL_S, Crew
from turntable.processes.endings import how_ended, portable
from turntable.processes.slots import ArraySpec, Layout, SharedSlots
from turntable.processes.stopping import stop_when_asked
from turntable.processes.worker import Worker, WorkerFailedError

__all__ = [
    "STALL_S",
    "ArraySpec",
    "Crew",
    "Filler",
    "Layout",
    "SharedSlots",
    "Worker",
    "WorkerFailedError",
    "default_workers",
    "how_ended",
    "portable",
    "stop_when_asked",
]
