"""The objects of a data set: records, splits, published lists, duplicates, and those left out."""

from turntable.datasets.objects.duplicates import DuplicateCounts, count_duplicates
from turntable.datasets.objects.quarantine import (
    QUARANTINE_NAME,
    WARNINGS_NAME,
    QuarantineRecord,
    format_quarantine,
    parse_quarantine,
    read_quarantine,
)
from turntable.datasets.objects.records import (
    SPLITS,
    TRAIN,
    ObjectRecord,
    ShardPlan,
    SplitName,
    compute_objects_per_shard,
    plan_shards,
)
from turntable.datasets.objects.shapenet_lists import (
    EMPTY_CARS,
    find_stream_positions,
    make_shapenet_lists,
    read_lists,
)
from turntable.datasets.objects.splits import count_unmatched, read_split, split_objects

__all__ = [
    "EMPTY_CARS",
    "QUARANTINE_NAME",
    "SPLITS",
    "TRAIN",
    "WARNINGS_NAME",
    "DuplicateCounts",
    "ObjectRecord",
    "QuarantineRecord",
    "ShardPlan",
    "SplitName",
    "compute_objects_per_shard",
    "count_duplicates",
    "count_unmatched",
    "find_stream_positions",
    "format_quarantine",
    "make_shapenet_lists",
    "parse_quarantine",
    "plan_shards",
    "read_lists",
    "read_quarantine",
    "read_split",
    "split_objects",
]
