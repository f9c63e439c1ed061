"""Made-up data sets: real shards of pictures that show category and pose, without a renderer."""

from turntable.testing.sets.synthetic import (
    make_full_dataset,
    make_synthetic_dataset,
    synthetic_objects,
    write_synthetic_dataset,
    write_synthetic_shard,
)

__all__ = [
    "make_full_dataset",
    "make_synthetic_dataset",
    "synthetic_objects",
    "write_synthetic_dataset",
    "write_synthetic_shard",
]
