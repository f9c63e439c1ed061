"""How much of what one recipe shows another shows too, as rotations and not as angles.

Two triples of Euler angles can be one rotation, so ranges of angles that do not meet say nothing. Here every
drawn rotation is written in both its triples, (x, y, z) and (x + pi, pi - y, z + pi), and looked for in the
other recipe's ranges, modulo a turn. The rule that drew it takes no part.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.preview import pseudo_labels
from turntable.datasets.labels import ROTATION_NAMES, Factor
from turntable.datasets.recipes import Recipe, load_recipe
from turntable.errors import InvalidInputError

FloatArray = NDArray[np.float64]

TRAINING = "3diebench"

_SLACK_RAD = 1e-6
"""Labels are float32: an angle at the end of a range may be rounded by as much."""
_COMPARED = 2500
"""Rotations that distances are measured from."""
_REFERENCES = 4096
"""Rotations of the other recipe that the nearest are looked for among."""
_REFINED = 64
"""Of the nearest pairs, so many are brought nearer still."""
_STEP_SIZES = 0.2 * 0.75 ** np.arange(48)
"""Radians; the last is far below what is printed."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two recipes have in common on SO(3)."""

    share: float
    """Of the rotations drawn, those that the reference can show."""
    least_rad: float
    """Least angle found between a rotation drawn and one of the reference; 0 where some are shared."""
    samples: int


def overlap(recipe: Recipe, reference: Recipe, samples: int = 10_000) -> Overlap:
    """Compare the rotations of a recipe with those another can show.

    Args:
        recipe: what is drawn.
        reference: gives every angle a range; "3diebench" for what models are trained on.
        samples: how many rotations are drawn.

    Raises:
        InvalidInputError: the reference draws on SO(3), or moves objects: it has no ranges of angles.
    """
    box = reference_box(reference)
    drawn = recipe.schema.rotations(pseudo_labels(recipe, samples))[:samples]
    shared = in_box(drawn, box)
    least = 0.0 if shared.any() else least_distance(drawn[:_COMPARED], box)
    return Overlap(float(shared.mean()), least, len(drawn))


def overlap_with_training(recipe: Recipe, samples: int = 10_000) -> Overlap:
    """The same with what the models of 3DIEBench are trained on."""
    return overlap(recipe, load_recipe(TRAINING), samples)


def differs(recipe: Recipe) -> bool:
    """Whether a recipe draws rotations in another way than 3DIEBench does."""
    theirs = reference_box(load_recipe(TRAINING))
    return recipe.factors[: len(theirs)] != theirs


def reference_box(reference: Recipe) -> tuple[Factor, ...]:
    """The factors of a recipe's three angles.

    Raises:
        InvalidInputError: rotations are decided in another way.
    """
    box = tuple(factor for factor in reference.factors if factor.name in ROTATION_NAMES)
    if any(factor.distribution == "joint" for factor in box):
        raise InvalidInputError(f"{reference.name} has no ranges of angles to compare with")
    return box


def in_box(matrix: FloatArray, box: tuple[Factor, ...]) -> NDArray[np.bool_]:
    """Tell which rotations [N, 3, 3] have angles within three factors' values."""
    angles = geometry.matrix_to_euler(matrix)
    x, y, z = np.moveaxis(angles, -1, 0)
    other = np.stack([x + np.pi, np.pi - y, z + np.pi], axis=-1)
    return _within(angles, box) | _within(other, box)


def least_distance(drawn: FloatArray, box: tuple[Factor, ...]) -> float:
    """The least angle found between rotations [N, 3, 3] and those of a box: never below the true one."""
    cells = list(itertools.product(*(factor.intervals() for factor in box)))
    return min(_least_in_cell(drawn, np.array(cell)) for cell in cells)


def _least_in_cell(drawn: FloatArray, cell: FloatArray) -> float:
    """By samples, then by shrinking steps from the nearest of them. ``cell`` is [3, 2], low and high."""
    random = np.random.Generator(np.random.Philox(key=0))
    angles = random.uniform(cell[:, 0], cell[:, 1], size=(_REFERENCES, 3))
    cosine = np.abs(geometry.matrix_to_quaternion(drawn) @ geometry.euler_to_quaternion(angles).T)
    nearest = np.argsort(-cosine.max(axis=1))[:_REFINED]
    target, at = drawn[nearest], angles[cosine[nearest].argmax(axis=1)]
    steps = np.array(list(itertools.product((-1, 0, 1), repeat=3)), dtype=np.float64)
    for size in _STEP_SIZES:
        tried = np.clip(at[:, None] + size * steps, cell[:, 0], cell[:, 1])
        best = geometry.geodesic_angle(target[:, None], geometry.euler_to_matrix(tried)).argmin(axis=1)
        at = np.take_along_axis(tried, best[:, None, None], axis=1)[:, 0]
    return float(geometry.geodesic_angle(target, geometry.euler_to_matrix(at)).min())


def _within(angles: FloatArray, box: tuple[Factor, ...]) -> NDArray[np.bool_]:
    inside = np.ones(len(angles), dtype=np.bool_)
    for column, factor in enumerate(box):
        turned = angles[:, column, None] + 2 * np.pi * np.arange(-2, 3)
        hits = [
            ((turned >= low - _SLACK_RAD) & (turned <= high + _SLACK_RAD)).any(axis=1)
            for low, high in factor.intervals()
        ]
        inside &= np.any(hits, axis=0)
    return inside
