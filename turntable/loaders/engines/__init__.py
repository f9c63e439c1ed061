"""Engines: making batches in this process, in a pool of workers, or in torch's DataLoader."""

from turntable.loaders.engines.batch_engines import (
    BatchEngine,
    BatchRequest,
    DataLoaderEngine,
    EngineName,
    InProcessEngine,
    RawBatch,
    SharedMemoryEngine,
)
from turntable.loaders.engines.batch_loader import BatchLoader, Output, SampleOrder, resolve_ranks
from turntable.loaders.engines.batch_plan import BatchPlan, LastBatch, iter_plan_faults
from turntable.loaders.engines.engine_stock import EngineStock
from turntable.loaders.engines.image_cuts import fill_crops
from turntable.loaders.engines.prefetcher import Prefetcher
from turntable.loaders.engines.view_filler import Arrays, BatchSpec, CorruptView, make_image_specs

__all__ = [
    "Arrays",
    "BatchEngine",
    "BatchLoader",
    "BatchPlan",
    "BatchRequest",
    "BatchSpec",
    "CorruptView",
    "DataLoaderEngine",
    "EngineName",
    "EngineStock",
    "InProcessEngine",
    "LastBatch",
    "Output",
    "Prefetcher",
    "RawBatch",
    "SampleOrder",
    "SharedMemoryEngine",
    "fill_crops",
    "iter_plan_faults",
    "make_image_specs",
    "resolve_ranks",
]
