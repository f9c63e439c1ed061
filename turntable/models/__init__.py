"""Methods, one file each, over shared backbones, heads and losses; and what a method of one's own needs."""

from turntable.models.abilities import Aggregates, Classifies, Embedding, Embeds, Predicts
from turntable.models.actions import action_of
from turntable.models.backbones import BACKBONES, Backbone, build_backbone
from turntable.models.entry import MethodEntry
from turntable.models.images import Normalize
from turntable.models.layers import gathered
from turntable.models.method import (
    PAIR,
    SINGLE,
    Batch,
    DataInfo,
    Method,
    MethodConfig,
    Moment,
    SampleKind,
    check_rows,
)
from turntable.models.own_methods import method_label
from turntable.models.registry import (
    METHODS,
    build_method,
    choose_method,
    is_at_hand,
    method_config,
    method_entry,
    method_names,
    methods_text,
    register_method,
)
from turntable.models.values import MOST_CHARACTERS, MOST_ITEMS, Bounds, field_types, value_faults
from turntable.models.views import ImageMethod

__all__ = [
    "BACKBONES",
    "METHODS",
    "MOST_CHARACTERS",
    "MOST_ITEMS",
    "PAIR",
    "SINGLE",
    "Aggregates",
    "Backbone",
    "Batch",
    "Bounds",
    "Classifies",
    "DataInfo",
    "Embedding",
    "Embeds",
    "ImageMethod",
    "Method",
    "MethodConfig",
    "MethodEntry",
    "Moment",
    "Normalize",
    "Predicts",
    "SampleKind",
    "action_of",
    "build_backbone",
    "build_method",
    "check_rows",
    "choose_method",
    "field_types",
    "gathered",
    "is_at_hand",
    "method_config",
    "method_entry",
    "method_label",
    "method_names",
    "methods_text",
    "register_method",
    "value_faults",
]
