"""A data set in the making: who works on it, what has been made of it, and where it goes."""

from turntable.datasets.making.destination import (
    PLAN_NAME,
    Destination,
    LocalFolder,
    as_destination,
    open_destination,
    standing,
)
from turntable.datasets.making.finishing import finish_dataset, table_context, totals_of
from turntable.datasets.making.jobs import Job
from turntable.datasets.making.lock import only_writer
from turntable.datasets.making.outcomes import Outcome

__all__ = [
    "PLAN_NAME",
    "Destination",
    "Job",
    "LocalFolder",
    "Outcome",
    "as_destination",
    "finish_dataset",
    "only_writer",
    "open_destination",
    "standing",
    "table_context",
    "totals_of",
]
