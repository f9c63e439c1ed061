"""The models that learn from views: one file a method, over shared backbones, heads and losses."""

from turntable.models.abilities import Classifies
from turntable.models.actions import action_of
from turntable.models.backbones import BACKBONES, Backbone, build_backbone
from turntable.models.method import (
    PAIR,
    Aggregates,
    Batch,
    DataInfo,
    Embedding,
    Method,
    MethodConfig,
    Moment,
    Normalize,
    Predicts,
    SampleKind,
)
from turntable.models.registry import METHODS, build_method, method_config, method_entry
from turntable.models.values import MOST_ITEMS, Bounds, said, value_faults

__all__ = [
    "BACKBONES",
    "METHODS",
    "MOST_ITEMS",
    "PAIR",
    "Aggregates",
    "Backbone",
    "Batch",
    "Bounds",
    "Classifies",
    "DataInfo",
    "Embedding",
    "Method",
    "MethodConfig",
    "Moment",
    "Normalize",
    "Predicts",
    "SampleKind",
    "action_of",
    "build_backbone",
    "build_method",
    "method_config",
    "method_entry",
    "said",
    "value_faults",
]
