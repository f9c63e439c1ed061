"""Engines that fill batches: processes over shared memory, threads, and torch's own workers."""

from turntable.loaders.engines.batches import BatchPlan, Last, plan_faults
from turntable.loaders.engines.engines import (
    BatchEngine,
    DataLoaderEngine,
    EngineName,
    HereEngine,
    MadeBatch,
    RingEngine,
    Wanted,
)
from turntable.loaders.engines.filling import Arrays, CorruptView, Filling, picture_specs
from turntable.loaders.engines.iteration import BatchLoader, Order, Output, ranks
from turntable.loaders.engines.prefetch import Prefetcher

__all__ = [
    "Arrays",
    "BatchEngine",
    "BatchLoader",
    "BatchPlan",
    "CorruptView",
    "DataLoaderEngine",
    "EngineName",
    "Filling",
    "HereEngine",
    "Last",
    "MadeBatch",
    "Order",
    "Output",
    "Prefetcher",
    "RingEngine",
    "Wanted",
    "picture_specs",
    "plan_faults",
    "ranks",
]
