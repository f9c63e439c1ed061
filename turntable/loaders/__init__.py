"""Shards to batches: views of objects with labels by name, in an order that any number of workers keeps.

Importing it loads neither torch nor OpenGL, and of recipes nothing: every worker imports it when it starts.
"""

import importlib
from typing import TYPE_CHECKING, Any

from turntable.loaders.augment_parameters import Augmentation
from turntable.loaders.items import ItemDataset
from turntable.loaders.loader import Loader
from turntable.loaders.pair_list import read_pairs, write_pairs
from turntable.loaders.samplers import (
    Fixed,
    Fresh,
    Pairs,
    Samples,
    Sequences,
    Tuples,
    Views,
    validation_pairs,
)
from turntable.loaders.selection import Selection, whole_split

if TYPE_CHECKING:
    from turntable.loaders.augment_images import augment, parameters_in
    from turntable.loaders.online import OnlinePairs

_WHEN_ASKED_FOR = {
    "OnlinePairs": "turntable.loaders.online",
    "augment": "turntable.loaders.augment_images",
    "parameters_in": "turntable.loaders.augment_images",
}

__all__ = [
    "Augmentation",
    "Fixed",
    "Fresh",
    "ItemDataset",
    "Loader",
    "OnlinePairs",
    "Pairs",
    "Samples",
    "Selection",
    "Sequences",
    "Tuples",
    "Views",
    "augment",
    "parameters_in",
    "read_pairs",
    "validation_pairs",
    "whole_split",
    "write_pairs",
]


def __getattr__(name: str) -> Any:
    if name in _WHEN_ASKED_FOR:
        return getattr(importlib.import_module(_WHEN_ASKED_FOR[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
