"""Loaders: batches of views and labels, read from the shards of a data set or rendered during training.

The order of samples does not depend on the number of workers or ranks. Every worker process imports this
package when it starts, so importing it loads neither torch nor OpenGL nor the code that reads recipes.
"""

from turntable.loaders.augmentation import AUGMENTATIONS, Augmentation, get_augmentation
from turntable.loaders.batch_config import BatchConfig
from turntable.loaders.graph_options import GraphOptions
from turntable.loaders.item_dataset import ItemDataset
from turntable.loaders.loader import Loader
from turntable.loaders.online_loader import OnlineLoader
from turntable.loaders.sampling import (
    Fixed,
    Fresh,
    Pairs,
    Samples,
    Sequences,
    Singles,
    Tuples,
    Views,
    ViewSelection,
    draw_validation_pairs,
    read_pairs,
    select_all_views,
    write_pairs,
)
from turntable.loaders.split_views import select_split_views

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "BatchConfig",
    "Fixed",
    "Fresh",
    "GraphOptions",
    "ItemDataset",
    "Loader",
    "OnlineLoader",
    "Pairs",
    "Samples",
    "Sequences",
    "Singles",
    "Tuples",
    "ViewSelection",
    "Views",
    "draw_validation_pairs",
    "get_augmentation",
    "read_pairs",
    "select_all_views",
    "select_split_views",
    "write_pairs",
]
