"""The share of a recipe's rotations that another recipe can show too, compared on SO(3).

Two triples of Euler angles can be one rotation, so ranges of angles that are disjoint prove nothing. Each
drawn rotation is therefore written as both its triples, (x, y, z) and (x + pi, pi - y, z + pi), and each is
looked up in the other recipe's ranges, modulo full turns. The rule that drew the rotation is not used.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.label_preview import draw_pseudo_labels
from turntable.datasets.labels import ROTATION_NAMES, Factor
from turntable.datasets.recipes import Recipe, load_recipe
from turntable.errors import InvalidInputError

FloatArray = NDArray[np.float64]

TRAINING_RECIPE = "3diebench"

_SLACK_RAD = 1e-6
"""Tolerance at the ends of a range: labels are float32, so an angle there may be rounded by as much."""
_NUM_COMPARED = 2500
"""Number of rotations whose distances are measured."""
_NUM_REFERENCES = 4096
"""Number of rotations of the other recipe among which the nearest are searched."""
_NUM_REFINED = 64
"""Number of nearest pairs that are refined."""
_STEP_SIZES = 0.2 * 0.75 ** np.arange(48)
"""Step sizes of the refinement in radians. The last is far below the precision that is printed."""


@dataclass(frozen=True, slots=True)
class RotationOverlap:
    """The overlap of two recipes on SO(3)."""

    share: float
    """Share of the drawn rotations that the reference can show."""
    min_angle_rad: float
    """Smallest angle found between a drawn rotation and one of the reference; 0 if the two share
    rotations."""
    num_samples: int


def compute_overlap(recipe: Recipe, reference: Recipe, num_samples: int = 10_000) -> RotationOverlap:
    """Compare the rotations of a recipe with those that another can show.

    Args:
        recipe: Recipe whose rotations are drawn.
        reference: Recipe that gives every angle a range, such as "3diebench", on which models are trained.
        num_samples: Number of rotations to draw.

    Raises:
        InvalidInputError: The reference draws on SO(3) or has a motion, so it has no ranges of angles.
    """
    box = get_reference_box(reference)
    drawn = recipe.schema.compute_rotations(draw_pseudo_labels(recipe, num_samples))[:num_samples]
    shared = is_in_box(drawn, box)
    least = 0.0 if shared.any() else compute_min_distance(drawn[:_NUM_COMPARED], box)
    return RotationOverlap(float(shared.mean()), least, len(drawn))


def compute_training_overlap(recipe: Recipe, num_samples: int = 10_000) -> RotationOverlap:
    """Compare the rotations of a recipe with those on which the models of 3DIEBench are trained."""
    return compute_overlap(recipe, load_recipe(TRAINING_RECIPE), num_samples)


def has_different_rotations(recipe: Recipe) -> bool:
    """Return True if a recipe draws rotations differently from 3DIEBench."""
    training = get_reference_box(load_recipe(TRAINING_RECIPE))
    return recipe.factors[: len(training)] != training


def get_reference_box(reference: Recipe) -> tuple[Factor, ...]:
    """Return the factors of a recipe's three angles.

    Raises:
        InvalidInputError: The recipe's rotations are not drawn as three angles.
    """
    box = tuple(factor for factor in reference.factors if factor.name in ROTATION_NAMES)
    if any(factor.distribution == "joint" for factor in box):
        raise InvalidInputError(f"{reference.name} has no ranges of angles to compare with")
    return box


def is_in_box(matrix: FloatArray, box: tuple[Factor, ...]) -> NDArray[np.bool_]:
    """Return for each rotation of [N, 3, 3] whether it has Euler angles within three factors' ranges."""
    angles = geometry.matrix_to_euler(matrix)
    x, y, z = np.moveaxis(angles, -1, 0)
    other = np.stack([x + np.pi, np.pi - y, z + np.pi], axis=-1)
    return _is_within(angles, box) | _is_within(other, box)


def compute_min_distance(drawn: FloatArray, box: tuple[Factor, ...]) -> float:
    """Compute the smallest angle found between rotations [N, 3, 3] and the rotations of a box.

    It is an upper bound of the true minimum, because the box is sampled.
    """
    cells = list(itertools.product(*(factor.get_intervals() for factor in box)))
    return min(_compute_min_in_cell(drawn, np.array(cell)) for cell in cells)


def _compute_min_in_cell(drawn: FloatArray, cell: FloatArray) -> float:
    """Search a cell [3, 2] (low and high of each angle) for rotations near the drawn ones.

    Samples come first, then shrinking steps from the nearest of them.
    """
    random = np.random.Generator(np.random.Philox(key=0))
    angles = random.uniform(cell[:, 0], cell[:, 1], size=(_NUM_REFERENCES, 3))
    # |q1 . q2| is the cosine of half the angle between two rotations: the largest is the nearest.
    cosine = np.abs(geometry.matrix_to_quaternion(drawn) @ geometry.euler_to_quaternion(angles).T)
    nearest = np.argsort(-cosine.max(axis=1))[:_NUM_REFINED]
    target, current = drawn[nearest], angles[cosine[nearest].argmax(axis=1)]
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=3)), dtype=np.float64)
    for size in _STEP_SIZES:
        tried = np.clip(current[:, None] + size * steps, cell[:, 0], cell[:, 1])
        distances = geometry.compute_geodesic_angle(target[:, None], geometry.euler_to_matrix(tried))
        best = distances.argmin(axis=1)
        current = np.take_along_axis(tried, best[:, None, None], axis=1)[:, 0]
    return float(geometry.compute_geodesic_angle(target, geometry.euler_to_matrix(current)).min())


def _is_within(angles: FloatArray, box: tuple[Factor, ...]) -> NDArray[np.bool_]:
    inside = np.ones(len(angles), dtype=np.bool_)
    for column, factor in enumerate(box):
        turned = angles[:, column, None] + 2 * np.pi * np.arange(-2, 3)
        hits = [
            ((turned >= low - _SLACK_RAD) & (turned <= high + _SLACK_RAD)).any(axis=1)
            for low, high in factor.get_intervals()
        ]
        inside &= np.any(hits, axis=0)
    return inside
