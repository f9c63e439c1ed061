"""Training methods, one file each, with shared backbones, layers and losses, and the interface of methods."""

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch as _torch

from turntable.models.abilities import Aggregates, Classifies, Embedding, Embeds, Predicts
from turntable.models.actions import action_from_batch
from turntable.models.backbones import BACKBONES, Backbone, build_backbone
from turntable.models.config_checks import (
    MAX_TEXT_LENGTH,
    MAX_TUPLE_ITEMS,
    Bounds,
    find_value_faults,
    get_field_types,
)
from turntable.models.entry import MethodEntry
from turntable.models.image_methods import ImageMethod
from turntable.models.layers import gather_all_ranks
from turntable.models.method import (
    PAIR,
    SINGLE,
    Batch,
    DataInfo,
    Method,
    MethodConfig,
    SampleSpec,
    TrainState,
    check_num_rows,
)
from turntable.models.old_names import (
    explain_old_settings,
    rename_keys,
    rename_method,
    rename_settings,
    rename_terms,
)
from turntable.models.preprocessing import Normalize
from turntable.models.registry import (
    METHODS,
    build_method,
    check_setting_names,
    format_methods_table,
    get_method_entry,
    is_method_available,
    list_methods,
    make_method_config,
    register_method,
    resolve_method,
)
from turntable.models.user_methods import shorten_method_name

del _torch

__all__ = [
    "BACKBONES",
    "MAX_TEXT_LENGTH",
    "MAX_TUPLE_ITEMS",
    "METHODS",
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
    "Normalize",
    "Predicts",
    "SampleSpec",
    "TrainState",
    "action_from_batch",
    "build_backbone",
    "build_method",
    "check_num_rows",
    "check_setting_names",
    "explain_old_settings",
    "find_value_faults",
    "format_methods_table",
    "gather_all_ranks",
    "get_field_types",
    "get_method_entry",
    "is_method_available",
    "list_methods",
    "make_method_config",
    "register_method",
    "rename_keys",
    "rename_method",
    "rename_settings",
    "rename_terms",
    "resolve_method",
    "shorten_method_name",
]
