"""The objects of a data set: records, splits, lists, duplicates, those left out, and warnings."""

from turntable.datasets.objects.duplicates import DuplicateCounts, count_duplicates
from turntable.datasets.objects.part_summary import PartSummary, summarize_parts
from turntable.datasets.objects.parts import (
    MAX_PARTS,
    Joint,
    ObjectPart,
    check_parts,
    compute_joint_motions,
    get_rest_poses,
    list_joints,
    to_pose_rows,
)
from turntable.datasets.objects.quarantine import (
    QUARANTINE_NAME,
    QuarantineRecord,
    format_quarantine,
    parse_quarantine,
    read_quarantine,
)
from turntable.datasets.objects.records import (
    SPLITS,
    TRAIN,
    VAL,
    ObjectRecord,
    ShardPlan,
    SplitName,
    compute_objects_per_shard,
    compute_sort_key,
    plan_shards,
)
from turntable.datasets.objects.shapenet_lists import (
    EMPTY_CARS,
    find_stream_positions,
    make_shapenet_lists,
    read_lists,
)
from turntable.datasets.objects.split_lists import count_unmatched, read_split
from turntable.datasets.objects.split_rules import (
    LISTS_TEXT,
    SCENES_TEXT,
    SPLIT_RULE_TEXTS,
    SplitRule,
    find_untrained_categories,
    split_objects,
)
from turntable.datasets.objects.symmetry import ObjectSymmetry, make_object_symmetry
from turntable.datasets.objects.twins import add_twins, get_base_id, is_twin, make_twin_id
from turntable.datasets.objects.warning_records import (
    WARNINGS_NAME,
    KindCount,
    WarningRecord,
    count_by_kind,
    count_warned_objects,
    format_warnings,
    parse_warnings,
    read_warnings,
)

__all__ = [
    "EMPTY_CARS",
    "LISTS_TEXT",
    "MAX_PARTS",
    "QUARANTINE_NAME",
    "SCENES_TEXT",
    "SPLITS",
    "SPLIT_RULE_TEXTS",
    "TRAIN",
    "VAL",
    "WARNINGS_NAME",
    "DuplicateCounts",
    "Joint",
    "KindCount",
    "ObjectPart",
    "ObjectRecord",
    "ObjectSymmetry",
    "PartSummary",
    "QuarantineRecord",
    "ShardPlan",
    "SplitName",
    "SplitRule",
    "WarningRecord",
    "add_twins",
    "check_parts",
    "compute_joint_motions",
    "compute_objects_per_shard",
    "compute_sort_key",
    "count_by_kind",
    "count_duplicates",
    "count_unmatched",
    "count_warned_objects",
    "find_stream_positions",
    "find_untrained_categories",
    "format_quarantine",
    "format_warnings",
    "get_base_id",
    "get_rest_poses",
    "is_twin",
    "list_joints",
    "make_object_symmetry",
    "make_shapenet_lists",
    "make_twin_id",
    "parse_quarantine",
    "parse_warnings",
    "plan_shards",
    "read_lists",
    "read_quarantine",
    "read_split",
    "read_warnings",
    "split_objects",
    "summarize_parts",
    "to_pose_rows",
]
