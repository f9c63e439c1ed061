"""Draws of a recipe's labels, as pure functions of the recipe, the object and the view."""

from turntable.datasets.draws.distribution_checks import DrawnColumn, find_distribution_faults
from turntable.datasets.draws.factor_draws import draw_factors, is_same_draw
from turntable.datasets.draws.label_preview import compute_histogram, draw_pseudo_labels, format_histogram
from turntable.datasets.draws.online_rendering import (
    IMAGES,
    LATENTS,
    OBJECT_INDEX,
    VIEW_INDEX,
    FillReport,
    IntArray,
    ObjectInventory,
    ObjectQuery,
    RenderBlocks,
    RenderSetup,
    UnusableObject,
    ViewRequest,
)
from turntable.datasets.draws.philox import draw_words, make_philox_key, words_to_units
from turntable.datasets.draws.rotation_overlap import (
    compute_training_overlap,
    has_different_rotations,
    is_in_box,
)
from turntable.datasets.draws.symmetry_degrees import compute_symmetry_degrees

__all__ = [
    "IMAGES",
    "LATENTS",
    "OBJECT_INDEX",
    "VIEW_INDEX",
    "DrawnColumn",
    "FillReport",
    "IntArray",
    "ObjectInventory",
    "ObjectQuery",
    "RenderBlocks",
    "RenderSetup",
    "UnusableObject",
    "ViewRequest",
    "compute_histogram",
    "compute_symmetry_degrees",
    "compute_training_overlap",
    "draw_factors",
    "draw_pseudo_labels",
    "draw_words",
    "find_distribution_faults",
    "format_histogram",
    "has_different_rotations",
    "is_in_box",
    "is_same_draw",
    "make_philox_key",
    "words_to_units",
]
