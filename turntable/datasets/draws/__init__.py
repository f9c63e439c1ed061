"""Draws of a recipe's labels, as pure functions of the recipe, the object and the view."""

from turntable.datasets.draws.distribution_checks import DrawnColumn, find_distribution_faults
from turntable.datasets.draws.factor_draws import draw_factors, get_drawn_id, is_same_draw
from turntable.datasets.draws.joint_draws import draw_joint_values
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
from turntable.datasets.draws.philox import (
    WORDS_PER_BLOCK,
    draw_words,
    make_philox_key,
    pairs_to_normals,
    units_to_normals,
    words_to_units,
)
from turntable.datasets.draws.rotation_overlap import (
    compute_training_overlap,
    has_different_rotations,
    is_in_box,
)
from turntable.datasets.draws.scene_arrangements import draw_arrangements
from turntable.datasets.draws.scene_compositions import compute_composition_digest, draw_composition
from turntable.datasets.draws.scene_preview import PseudoScene, draw_pseudo_scene
from turntable.datasets.draws.sensor_poses import draw_sensor_poses
from turntable.datasets.draws.street_compositions import (
    StreetComposition,
    compute_street_digest,
    draw_street_composition,
)
from turntable.datasets.draws.street_motions import draw_street_poses
from turntable.datasets.draws.symmetry_degrees import compute_symmetry_degrees
from turntable.datasets.draws.world_draws import WorldKeys, WorldNumbers, draw_branches, make_system_key

__all__ = [
    "IMAGES",
    "LATENTS",
    "OBJECT_INDEX",
    "VIEW_INDEX",
    "WORDS_PER_BLOCK",
    "DrawnColumn",
    "FillReport",
    "IntArray",
    "ObjectInventory",
    "ObjectQuery",
    "PseudoScene",
    "RenderBlocks",
    "RenderSetup",
    "StreetComposition",
    "UnusableObject",
    "ViewRequest",
    "WorldKeys",
    "WorldNumbers",
    "compute_composition_digest",
    "compute_histogram",
    "compute_street_digest",
    "compute_symmetry_degrees",
    "compute_training_overlap",
    "draw_arrangements",
    "draw_branches",
    "draw_composition",
    "draw_factors",
    "draw_joint_values",
    "draw_pseudo_labels",
    "draw_pseudo_scene",
    "draw_sensor_poses",
    "draw_street_composition",
    "draw_street_poses",
    "draw_words",
    "find_distribution_faults",
    "format_histogram",
    "get_drawn_id",
    "has_different_rotations",
    "is_in_box",
    "is_same_draw",
    "make_philox_key",
    "make_system_key",
    "pairs_to_normals",
    "units_to_normals",
    "words_to_units",
]
