"""Shards to batches: views of objects with labels by name, in an order that any number of workers keeps.

Importing it loads neither torch nor OpenGL: what needs torch does so when it is used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from turntable.loaders.augment_parameters import Augmentation
from turntable.loaders.items import ItemDataset
from turntable.loaders.loader import Loader
from turntable.loaders.online import OnlinePairs
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
    if name in ("augment", "parameters_in"):
        return getattr(importlib.import_module("turntable.loaders.augment_images"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
