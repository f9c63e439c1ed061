"""The models that learn from views: one file a method, over shared backbones, heads and losses."""

from turntable.models.backbones import BACKBONES, Backbone, build_backbone
from turntable.models.method import (
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
from turntable.models.registry import METHODS, build_method, method_config

__all__ = [
    "BACKBONES",
    "METHODS",
    "Aggregates",
    "Backbone",
    "Batch",
    "DataInfo",
    "Embedding",
    "Method",
    "MethodConfig",
    "Moment",
    "Normalize",
    "Predicts",
    "SampleKind",
    "build_backbone",
    "build_method",
    "method_config",
]
