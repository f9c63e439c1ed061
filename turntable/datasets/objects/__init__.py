"""The objects of a data set: their records, their splits, the published lists, and those left out."""

from turntable.datasets.objects.duplicates import EqualMeshes, equal_meshes
from turntable.datasets.objects.published import EMPTY_CARS, read_lists, stream_places, whole_shapenet
from turntable.datasets.objects.quarantine import (
    QUARANTINE_NAME,
    WARNINGS_NAME,
    QuarantineRecord,
    parse_quarantine,
    quarantine_text,
    read_quarantine,
)
from turntable.datasets.objects.records import (
    SPLITS,
    TRAIN,
    ObjectRecord,
    ShardPlan,
    SplitName,
    objects_a_shard,
    plan_shards,
)
from turntable.datasets.objects.splits import read_split, split_objects, unmatched

__all__ = [
    "EMPTY_CARS",
    "QUARANTINE_NAME",
    "SPLITS",
    "TRAIN",
    "WARNINGS_NAME",
    "EqualMeshes",
    "ObjectRecord",
    "QuarantineRecord",
    "ShardPlan",
    "SplitName",
    "equal_meshes",
    "objects_a_shard",
    "parse_quarantine",
    "plan_shards",
    "quarantine_text",
    "read_lists",
    "read_quarantine",
    "read_split",
    "split_objects",
    "stream_places",
    "unmatched",
    "whole_shapenet",
]
