"""Shards to batches: views of objects with labels by name, in an order that any number of workers keeps.

Importing it loads neither torch nor OpenGL, and of recipes nothing: every worker imports it when it starts.
"""

from turntable.loaders.augmentation import AUGMENTATIONS, Augmentation, augmentation_by_name
from turntable.loaders.batch_config import BatchConfig
from turntable.loaders.items import ItemDataset
from turntable.loaders.loader import Loader
from turntable.loaders.online import OnlinePairs
from turntable.loaders.sampling import (
    Fixed,
    Fresh,
    Pairs,
    Samples,
    Selection,
    Sequences,
    Singles,
    Tuples,
    Views,
    read_pairs,
    validation_pairs,
    whole_split,
    write_pairs,
)

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "BatchConfig",
    "Fixed",
    "Fresh",
    "ItemDataset",
    "Loader",
    "OnlinePairs",
    "Pairs",
    "Samples",
    "Selection",
    "Sequences",
    "Singles",
    "Tuples",
    "Views",
    "augmentation_by_name",
    "read_pairs",
    "validation_pairs",
    "whole_split",
    "write_pairs",
]
