"""Loaders: batches of views and labels, read from the shards of a data set or rendered during training.

The order of samples does not depend on the number of workers or ranks. Every worker process imports this
package when it starts, so importing it loads neither torch nor OpenGL nor the code that reads recipes.
"""

from turntable.loaders.batch_config import BatchConfig
from turntable.loaders.clouds import CloudOptions, PointCorruption
from turntable.loaders.covariances import (
    REGION_FEATURES,
    SHAPE_FEATURES,
    Covariances,
    compute_covariances,
)
from turntable.loaders.draws import (
    AUGMENTATIONS,
    Augmentation,
    FlowMotion,
    GridCrops,
    RandomCrops,
    get_augmentation,
    list_velocities,
)
from turntable.loaders.flow_loader import Flow2d
from turntable.loaders.graph_options import GraphOptions
from turntable.loaders.item_dataset import ItemDataset
from turntable.loaders.loader import Loader
from turntable.loaders.online_loader import OnlineLoader
from turntable.loaders.overlap_pairs import find_overlap_pairs
from turntable.loaders.sampling import (
    Edges,
    Fixed,
    Fresh,
    Pairs,
    Quads,
    RelationSampler,
    Samples,
    Sequences,
    Singles,
    Tuples,
    Views,
    ViewSelection,
    draw_anchors,
    draw_validation_pairs,
    match_anchors,
    pick_spread_anchors,
    read_pairs,
    select_all_views,
    write_pairs,
)
from turntable.loaders.split_views import select_split_views

__all__ = [
    "AUGMENTATIONS",
    "REGION_FEATURES",
    "SHAPE_FEATURES",
    "Augmentation",
    "BatchConfig",
    "CloudOptions",
    "Covariances",
    "Edges",
    "Fixed",
    "Flow2d",
    "FlowMotion",
    "Fresh",
    "GraphOptions",
    "GridCrops",
    "ItemDataset",
    "Loader",
    "OnlineLoader",
    "Pairs",
    "PointCorruption",
    "Quads",
    "RandomCrops",
    "RelationSampler",
    "Samples",
    "Sequences",
    "Singles",
    "Tuples",
    "ViewSelection",
    "Views",
    "compute_covariances",
    "draw_anchors",
    "draw_validation_pairs",
    "find_overlap_pairs",
    "get_augmentation",
    "list_velocities",
    "match_anchors",
    "pick_spread_anchors",
    "read_pairs",
    "select_all_views",
    "select_split_views",
    "write_pairs",
]
