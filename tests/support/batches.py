"""Batches compared, joined and described."""

import torch
from torch import Tensor

from turntable.loaders.engines import BatchLoader

Batch = dict[str, Tensor]


def equal(first: Batch, second: Batch) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def all_equal(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(map(equal, first, second))


def joined(batches: list[Batch]) -> Batch:
    return {name: torch.cat([batch[name] for batch in batches]) for name in batches[0]}


def described(batch: Batch) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    return {name: (tuple(value.shape), value.dtype) for name, value in batch.items()}


def list_workers(loader: BatchLoader) -> list[int]:
    """Process ids of the workers of a loader of which one iteration runs."""
    (engine,) = loader._engines._lent
    return [worker.pid for worker in engine._pool._workers]  # type: ignore[attr-defined]
