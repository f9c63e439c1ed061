"""Engines that fill batches: processes over shared memory, threads, and torch's own workers."""

from turntable.loaders.engines.batches import BatchPlan, Last
from turntable.loaders.engines.engines import (
    DataLoaderEngine,
    Engine,
    EngineName,
    HereEngine,
    Made,
    RingEngine,
    Wanted,
)
from turntable.loaders.engines.filling import Arrays, CorruptView, Filling, picture_specs
from turntable.loaders.engines.iteration import BatchLoader, Order, Output, ranks
from turntable.loaders.engines.prefetch import Prefetcher

__all__ = [
    "Arrays",
    "BatchLoader",
    "BatchPlan",
    "CorruptView",
    "DataLoaderEngine",
    "Engine",
    "EngineName",
    "Filling",
    "HereEngine",
    "Last",
    "Made",
    "Order",
    "Output",
    "Prefetcher",
    "RingEngine",
    "Wanted",
    "picture_specs",
    "ranks",
]
