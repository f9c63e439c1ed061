"""The draws of a recipe: labels as pure functions of the recipe, the object and the view."""

from turntable.datasets.draws.counters import counter_key, units_of, words_of
from turntable.datasets.draws.distributions import DrawnColumn, check_columns
from turntable.datasets.draws.drawing import draw_factors, same_draws
from turntable.datasets.draws.fresh_views import (
    IMAGES,
    LATENTS,
    OBJECT_INDEX,
    VIEW_INDEX,
    Blocks,
    IntArray,
    Inventory,
    ObjectQuery,
    RenderSetup,
    Unusable,
    ViewRequest,
)
from turntable.datasets.draws.preview import bars, histogram, pseudo_labels
from turntable.datasets.draws.rotation_overlap import differs, in_box, overlap_with_training

__all__ = [
    "IMAGES",
    "LATENTS",
    "OBJECT_INDEX",
    "VIEW_INDEX",
    "Blocks",
    "DrawnColumn",
    "IntArray",
    "Inventory",
    "ObjectQuery",
    "RenderSetup",
    "Unusable",
    "ViewRequest",
    "bars",
    "check_columns",
    "counter_key",
    "differs",
    "draw_factors",
    "histogram",
    "in_box",
    "overlap_with_training",
    "pseudo_labels",
    "same_draws",
    "units_of",
    "words_of",
]
