"""Synthetic data sets for tests: real shards with pictures that show category and pose."""

from turntable.testing.datasets.synthetic import (
    make_full_dataset,
    make_synthetic_dataset,
    make_synthetic_objects,
    write_synthetic_dataset,
    write_synthetic_shard,
)

__all__ = [
    "make_full_dataset",
    "make_synthetic_dataset",
    "make_synthetic_objects",
    "write_synthetic_dataset",
    "write_synthetic_shard",
]
