"""Processes that work for another: one kind of supervised worker, and what is made of it."""

from turntable.processes.cores import default_workers
from turntable.processes.crew import STALL_S, Crew
from turntable.processes.endings import ending_name, how_ended, portable
from turntable.processes.filling import Filler
from turntable.processes.pool import Loss, Watch, run_tasks
from turntable.processes.slots import ArraySpec, Layout, SharedSlots
from turntable.processes.stopping import stop_when_asked
from turntable.processes.supervised import resident_bytes
from turntable.processes.worker import Worker, WorkerFailedError

__all__ = [
    "STALL_S",
    "ArraySpec",
    "Crew",
    "Filler",
    "Layout",
    "Loss",
    "SharedSlots",
    "Watch",
    "Worker",
    "WorkerFailedError",
    "default_workers",
    "ending_name",
    "how_ended",
    "portable",
    "resident_bytes",
    "run_tasks",
    "stop_when_asked",
]
