"""The models that learn from views: one file a method, over shared backbones, heads and losses."""

from turntable.models.backbones import BACKBONES, Backbone, build_backbone
from turntable.models.method import Batch, DataInfo, Embedding, Method, MethodConfig, Normalize
from turntable.models.registry import METHODS, build_method, method_config

__all__ = [
    "BACKBONES",
    "METHODS",
    "Backbone",
    "Batch",
    "DataInfo",
    "Embedding",
    "Method",
    "MethodConfig",
    "Normalize",
    "build_backbone",
    "build_method",
    "method_config",
]
