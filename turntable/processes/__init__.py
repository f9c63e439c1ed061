"""Worker processes: a supervised worker, and the ways of using it (task runner, pool, isolated worker)."""

from turntable.processes.cores import count_usable_cores
from turntable.processes.failures import describe_exit, format_exit_code, make_picklable
from turntable.processes.isolated_worker import IsolatedWorker, WorkerFailedError
from turntable.processes.shared_memory import ArraySpec, Layout, SharedSlots
from turntable.processes.shared_number import SharedNumber
from turntable.processes.slot_filler import SlotFiller
from turntable.processes.stop_signals import catch_stop_signals
from turntable.processes.task_runner import WorkerDeath, WorkerLimits, run_tasks
from turntable.processes.worker_pool import STALL_S, WorkerPool
from turntable.processes.worker_process import read_resident_bytes

__all__ = [
    "STALL_S",
    "ArraySpec",
    "IsolatedWorker",
    "Layout",
    "SharedNumber",
    "SharedSlots",
    "SlotFiller",
    "WorkerDeath",
    "WorkerFailedError",
    "WorkerLimits",
    "WorkerPool",
    "catch_stop_signals",
    "count_usable_cores",
    "describe_exit",
    "format_exit_code",
    "make_picklable",
    "read_resident_bytes",
    "run_tasks",
]
