"""The writing of a data set: its destination, the locks and jobs of its runs, and its journal."""

from turntable.datasets.writing.destination import (
    PLAN_NAME,
    Destination,
    FolderDestination,
    as_destination,
    find_finished_outcomes,
    open_destination,
)
from turntable.datasets.writing.finishing import compute_totals, finish_dataset, make_table_context
from turntable.datasets.writing.jobs import Job
from turntable.datasets.writing.lock import LOCK_NAME, hold_lock
from turntable.datasets.writing.shard_outcome import ShardOutcome

__all__ = [
    "LOCK_NAME",
    "PLAN_NAME",
    "Destination",
    "FolderDestination",
    "Job",
    "ShardOutcome",
    "as_destination",
    "compute_totals",
    "find_finished_outcomes",
    "finish_dataset",
    "hold_lock",
    "make_table_context",
    "open_destination",
]
