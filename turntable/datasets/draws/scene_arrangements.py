"""The draw of the arrangements of a scene: a pose of every object, without overlap, by rejection.

An arrangement depends on the recipe's label digest, the scene and the arrangement's number alone. Objects are
placed one after the other, the largest first. Each has a few candidates, uniform over the area, and takes the
first that is free. If one finds no place, the whole arrangement is drawn again, from other words.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.draws.philox import draw_words, make_philox_key, words_to_units
from turntable.datasets.draws.rectangles import measure_rectangle_gaps
from turntable.datasets.labels import SceneRule
from turntable.datasets.recipes import Recipe
from turntable.errors import MeshError

Array = NDArray[np.float64]

NUM_CANDIDATES = 16
"""Number of places that are drawn for an object in each try of an arrangement."""
_WORDS_PER_CANDIDATE = 8
_COUNTER_STEPS_PER_TRY = 1 << 64
"""Steps of the counter between two tries, so far apart that no two read the same words."""
_ROUNDING = 1e-6
"""Share of the area that is added to gaps, because labels are rounded to float32."""


def draw_arrangements(
    recipe: Recipe, scene_id: str, boxes: Array, views: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Draw the poses of a scene's objects in some views.

    Args:
        recipe: Recipe with a table [scene].
        scene_id: Id of the scene.
        boxes: Bounding boxes [K, 2, 3] of the objects, each in the object's own frame: lowest and highest
            corner.
        views: Numbers [V] of the views, in any order.

    Returns:
        [V, K, 4, 4] poses of the objects' own frames in the scene's frame.

    Raises:
        MeshError: An arrangement was not found in ``recipe.scene.tries`` tries.
    """
    rule = recipe.scene
    assert rule is not None
    length = recipe.sequence.length if recipe.sequence is not None else 1
    numbers, index = np.unique(rule.number_arrangements(views, length), return_inverse=True)
    shapes = _make_shapes(rule, boxes)
    keys = [make_philox_key(recipe.label_digest, scene_id, "scene", f"{part}") for part in range(len(boxes))]
    poses = np.zeros((len(numbers), len(boxes), 4, 4))
    waiting = np.arange(len(numbers))
    for number_of_try in range(rule.tries):
        if not waiting.size:
            break
        tried, found = _try_arrangements(shapes, keys, numbers[waiting], number_of_try, rule)
        poses[waiting[found]] = tried[found]
        waiting = waiting[~found]
    if waiting.size:
        raise _make_placement_error(scene_id, rule, len(boxes), int(numbers[waiting[0]]))
    return poses[index]


class _Shapes(Protocol):
    """The outlines of a scene's objects, by which they are kept apart."""

    def measure_radii(self) -> Array:
        """Return the radius [K] of each object's outline."""
        ...

    def make_candidates(self, part: int, units: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Return poses [A, C, 4, 4] from uniform numbers [A, C, 8], and whether each lies in the area."""
        ...

    def measure_gaps(self, part: int, poses: Array, other: int, placed: Array) -> Array:
        """Return the gaps [A, C] of a part at ``poses`` [A, C, 4, 4] and another at ``placed`` [A, 4, 4].

        No gap is larger than the distance of the two outlines; where they overlap, it is negative.
        """
        ...


def _make_shapes(rule: SceneRule, boxes: Array) -> _Shapes:
    return (_StandingBoxes if rule.orientation == "upright" else _TurnedSpheres)(rule, boxes)


def _try_arrangements(
    shapes: _Shapes, keys: list[int], numbers: NDArray[np.int64], number_of_try: int, rule: SceneRule
) -> tuple[Array, NDArray[np.bool_]]:
    """Try to place all objects of some arrangements [A].

    Returns:
        Poses [A, K, 4, 4], and a mask [A] of the arrangements in which every object found a place.
    """
    rows, offset = np.arange(len(numbers)), number_of_try * _COUNTER_STEPS_PER_TRY
    poses = np.zeros((len(numbers), len(keys), 4, 4))
    found = np.ones(len(numbers), dtype=np.bool_)
    placed: list[int] = []
    least_gap = rule.gap + _ROUNDING * max(rule.area, 1)
    for part in np.argsort(-shapes.measure_radii(), kind="stable").tolist():
        words = draw_words(keys[part], numbers, NUM_CANDIDATES * _WORDS_PER_CANDIDATE, offset)
        units = words_to_units(words).reshape(len(numbers), NUM_CANDIDATES, _WORDS_PER_CANDIDATE)
        candidates, free = shapes.make_candidates(part, units)
        for other in placed:
            free &= shapes.measure_gaps(part, candidates, other, poses[:, other]) >= least_gap
        poses[:, part] = candidates[rows, free.argmax(axis=1)]
        found &= free.any(axis=1)
        placed.append(part)
    return poses, found


def _make_placement_error(scene_id: str, rule: SceneRule, num_objects: int, number: int) -> MeshError:
    return MeshError(
        f"{scene_id}: no place was found for its {num_objects} objects in arrangement {number}, in "
        f"{rule.tries:,} tries; in [scene] of the recipe, give a larger area or tries, or fewer or smaller "
        "objects or gaps",
        reason="no place in the scene",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _StandingBoxes:
    """Upright objects: boxes that stand on a level, turned about the vertical; from above, rectangles."""

    rule: SceneRule
    boxes: Array

    def measure_radii(self) -> Array:
        return np.linalg.norm(_get_half_sides(self.boxes)[:, :2], axis=1)

    def make_candidates(self, part: int, units: Array) -> tuple[Array, NDArray[np.bool_]]:
        half = _get_half_sides(self.boxes)[part]
        angle = 2 * np.pi * units[..., 2]
        cosine, sine, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
        rows = [[cosine, -sine, zero], [sine, cosine, zero], [zero, zero, zero + 1]]
        rotation = np.moveaxis(np.array(rows), (0, 1), (-2, -1))
        # The rectangle's own bounding square must stay in the area.
        reach = np.abs(rotation[..., :2, :2]) @ half[:2]
        center = np.empty(rotation.shape[:-1])
        center[..., :2] = (2 * units[..., :2] - 1) * (self.rule.area - reach)
        center[..., 2] = self.rule.level + half[2]
        return _make_pose(rotation, center, self.boxes[part]), (reach <= self.rule.area).all(axis=-1)

    def measure_gaps(self, part: int, poses: Array, other: int, placed: Array) -> Array:
        """Return the largest gap along a side of either rectangle."""
        first, second = _get_half_sides(self.boxes)[[part, other], :2]
        offset = _get_centers(placed, self.boxes[other])[:, None] - _get_centers(poses, self.boxes[part])
        own, others = poses[..., :2, :2], placed[:, None, :2, :2]
        return measure_rectangle_gaps(own, first, others, second, offset[..., :2])


@dataclass(frozen=True, slots=True, eq=False)
class _TurnedSpheres:
    """Objects turned at random (Haar measure), each in the sphere around its box."""

    rule: SceneRule
    boxes: Array

    def measure_radii(self) -> Array:
        return np.linalg.norm(_get_half_sides(self.boxes), axis=1)

    def make_candidates(self, part: int, units: Array) -> tuple[Array, NDArray[np.bool_]]:
        room = self.rule.area - self.measure_radii()[part]
        rotation = geometry.quaternion_to_matrix(geometry.units_to_quaternion(units[..., 3:6]))
        pose = _make_pose(rotation, (2 * units[..., :3] - 1) * room, self.boxes[part])
        return pose, np.full(units.shape[:-1], room >= 0)

    def measure_gaps(self, part: int, poses: Array, other: int, placed: Array) -> Array:
        apart = _get_centers(placed, self.boxes[other])[:, None] - _get_centers(poses, self.boxes[part])
        return np.linalg.norm(apart, axis=-1) - self.measure_radii()[[part, other]].sum()


def _get_half_sides(boxes: Array) -> Array:
    return (boxes[..., 1, :] - boxes[..., 0, :]) / 2


def _make_pose(rotation: Array, center: Array, box: Array) -> Array:
    """Return the poses [..., 4, 4] that turn an object and put the center of its box [2, 3] at a place."""
    pose = geometry.make_pose(rotation, -box.mean(axis=0))
    pose[..., :3, 3] += center
    return pose


def _get_centers(poses: Array, box: Array) -> Array:
    """Return the center [..., 3] of a posed box [2, 3]."""
    return poses[..., :3, :3] @ box.mean(axis=0) + poses[..., :3, 3]
