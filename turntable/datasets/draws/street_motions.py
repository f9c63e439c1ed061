"""The draw of a street's sequences: where all stand in every frame, without overlap, and where the sensor is.

A sequence depends on the recipe's label digest, the street and the sequence's number alone. All are placed
one after the other, the largest first. Each has a motion of its own, and a few candidates for its start, of
which it takes the first that keeps clear of the others in every frame. If none does, all starts are drawn
again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.philox import draw_words, make_philox_key, words_to_units
from turntable.datasets.draws.rectangles import measure_rectangle_gaps
from turntable.datasets.labels import Span, StreetRule
from turntable.datasets.recipes import Recipe
from turntable.errors import MeshError

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

_NUM_CANDIDATES = 16
_WORDS = 4
"""Words of each motion, and of each candidate."""
_COUNTER_STEPS_PER_TRY = 1 << 64
_COUNTER_OF_MOTIONS = 1 << 128
"""Step of the counter from which motions are drawn, beyond those of all tries."""
_ROUNDING_M = 1e-4
"""Length that is added to gaps, because labels are rounded to float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Motions in the plane over T frames."""

    place: Array
    """[..., T, 2] places in meters."""
    yaw: Array
    """[..., T] headings in radians."""

    def __getitem__(self, chosen: tuple[NDArray[np.integer], ...]) -> "Tracks":
        return Tracks(self.place[chosen], self.yaw[chosen])

    @property
    def sides(self) -> Array:
        """[..., T, 2, 2] rotations, whose columns are ahead and to the left."""
        cosine, sine = np.cos(self.yaw), np.sin(self.yaw)
        return np.moveaxis(np.array([[cosine, -sine], [sine, cosine]]), (0, 1), (-2, -1))

    def make_poses(self, height: float | Array = 0.0) -> Array:
        """Return poses [..., T, 4, 4], at a height above the ground."""
        poses = np.zeros((*self.yaw.shape, 4, 4))
        poses[..., :2, :2], poses[..., :2, 3] = self.sides, self.place
        poses[..., 2, 2] = poses[..., 3, 3] = 1
        poses[..., 2, 3] = height
        return poses


def draw_street_poses(
    recipe: Recipe, street_id: str, boxes: Array, num_objects: int, views: Numbers
) -> Array:
    """Draw the poses of all that stands on a street in some views, in meters; the ground is z = 0.

    Args:
        recipe: Recipe with a table [street].
        street_id: Id of the street.
        boxes: Bounding boxes [K, 2, 3] in meters of all that stands there, each in its own frame around the
            origin: lowest and highest corner.
        num_objects: Number of those that may move, which come first.
        views: Numbers [V] of the views, in any order.

    Returns:
        [V, K, 4, 4] poses of the objects' own frames, each with x ahead and z up.

    Raises:
        MeshError: No place was found in ``recipe.street.tries`` tries.
    """
    rule = recipe.street
    assert rule is not None
    length = recipe.sequence.length if recipe.sequence is not None else 1
    numbers, row = np.unique(views // length, return_inverse=True)
    times = rule.frame_s * np.arange(length, dtype=np.float64)
    ego = _draw_ego(recipe, street_id, numbers, times)
    keys = [
        make_philox_key(recipe.label_digest, street_id, "street", f"{part}") for part in range(len(boxes))
    ]
    placer = _Placer(rule, boxes[:, 1, :2], num_objects, keys, times)
    found = placer.place_all(numbers, ego)
    if found is None:
        raise MeshError(
            f"{street_id}: no place was found for its {num_objects} objects, and {len(boxes) - num_objects} "
            f"walls and poles, in {rule.tries:,} tries; in [street] of the recipe, give a larger area_m or "
            "tries, or fewer objects, smaller gaps or speeds",
            reason="no place in the street",
        )
    poses = found.make_poses(boxes[:, None, 1, 2])
    return poses[row, :, views % length]


def draw_ego_poses(recipe: Recipe, street_id: str, views: Numbers) -> Array:
    """Draw the poses [V, 4, 4] in meters of the vehicle that carries a street's sensor.

    Args:
        recipe: Recipe with a table [street].
        street_id: Id of the street.
        views: Numbers [V] of the views, in any order.
    """
    assert recipe.street is not None
    length = recipe.sequence.length if recipe.sequence is not None else 1
    numbers, row = np.unique(views // length, return_inverse=True)
    times = recipe.street.frame_s * np.arange(length, dtype=np.float64)
    ego = _draw_ego(recipe, street_id, numbers, times)
    return ego.make_poses()[row, views % length]


def drive(place: Array, yaw: Array, speed: Array, yaw_rate: Array, times: Array) -> Tracks:
    """Return the motions [..., T] by constant planar twists: along the heading, which turns evenly.

    Args:
        place: Places [..., 2] at the start.
        yaw: Headings [...] at the start, in radians.
        speed: Speeds [...] along the heading.
        yaw_rate: Rates [...] at which the heading turns, in radians.
        times: Times [T].
    """
    turned = yaw_rate[..., None] * times
    # An arc's chord is its length times sin(a) / a for half its turn a, and points along the middle heading.
    chord = speed[..., None] * times * np.sinc(turned / (2 * np.pi))
    middle = yaw[..., None] + turned / 2
    along = np.stack([np.cos(middle), np.sin(middle)], axis=-1)
    return Tracks(place[..., None, :] + chord[..., None] * along, yaw[..., None] + turned)


def _draw_ego(recipe: Recipe, street_id: str, numbers: Numbers, times: Array) -> Tracks:
    """Draw the motions [N, T] of the vehicle, which is at the origin in the first frame."""
    rule = recipe.street
    assert rule is not None
    key = make_philox_key(recipe.label_digest, street_id, "ego")
    units = words_to_units(draw_words(key, numbers, 4))
    return drive(
        np.zeros((len(numbers), 2)),
        _stretch(units[:, 0], (-np.pi, np.pi)),
        _stretch(units[:, 1], rule.ego_speed_m_per_s),
        _stretch(units[:, 2], (-rule.yaw_rate_rad_per_s, rule.yaw_rate_rad_per_s)),
        times,
    )


def _stretch(units: Array, span: Span) -> Array:
    return span[0] + units * (span[1] - span[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Placer:
    """The search for places."""

    rule: StreetRule
    half: Array
    """[K, 2] half the lengths of the sides of all rectangles."""
    num_objects: int
    keys: list[int]
    """[K] keys of the random streams."""
    times: Array

    def place_all(self, numbers: Numbers, ego: Tracks) -> Tracks | None:
        """Return the motions [N, K, T] in sequences [N]; None if one of them finds no place."""
        shape = len(numbers), len(self.half), len(self.times)
        found = Tracks(np.zeros((*shape, 2)), np.zeros(shape))
        waiting = np.arange(len(numbers))
        for number_of_try in range(self.rule.tries):
            if not waiting.size:
                break
            tried, is_free = self._try(numbers[waiting], ego[(waiting,)], number_of_try)
            done = waiting[is_free]
            found.place[done], found.yaw[done] = tried.place[is_free], tried.yaw[is_free]
            waiting = waiting[~is_free]
        return None if waiting.size else found

    def _try(self, numbers: Numbers, ego: Tracks, number_of_try: int) -> tuple[Tracks, NDArray[np.bool_]]:
        """Try to place all in some sequences; return the motions, and where every one found a place."""
        rows, clearance = np.arange(len(numbers)), np.full(2, self.rule.clearance_m)
        obstacles = [(ego, clearance, _ROUNDING_M)]
        placed: dict[int, Tracks] = {}
        is_found = np.ones(len(numbers), dtype=np.bool_)
        for part in np.argsort(-np.linalg.norm(self.half, axis=1), kind="stable").tolist():
            candidates = self._draw_candidates(part, numbers, number_of_try)
            is_free = np.ones(candidates.yaw.shape[:2], dtype=np.bool_)
            for track, half, gap in obstacles:
                is_free &= _measure_least_gaps(candidates, self.half[part], track, half) >= gap
            placed[part] = candidates[rows, is_free.argmax(axis=1)]
            is_found &= is_free.any(axis=1)
            obstacles.append((placed[part], self.half[part], self.rule.gap_m + _ROUNDING_M))
        parts = [placed[part] for part in range(len(placed))]
        place, yaw = (np.stack([getattr(track, name) for track in parts], 1) for name in ("place", "yaw"))
        return Tracks(place, yaw), is_found

    def _draw_candidates(self, part: int, numbers: Numbers, number_of_try: int) -> Tracks:
        """Draw the motions [N, C, T] of a part from each of its candidates for a start."""
        offset = number_of_try * _COUNTER_STEPS_PER_TRY
        words = draw_words(self.keys[part], numbers, _NUM_CANDIDATES * _WORDS, offset)
        units = words_to_units(words).reshape(len(numbers), _NUM_CANDIDATES, _WORDS)
        speed, yaw_rate = self._draw_speeds(part, numbers)
        return drive(
            self.rule.area_m * (2 * units[..., :2] - 1),
            _stretch(units[..., 2], (-np.pi, np.pi)),
            speed[:, None],
            yaw_rate[:, None],
            self.times,
        )

    def _draw_speeds(self, part: int, numbers: Numbers) -> tuple[Array, Array]:
        """Draw the speeds and yaw rates [N] of a part; 0 for what is at rest."""
        rule, key = self.rule, self.keys[part]
        units = words_to_units(draw_words(key, numbers, _WORDS, _COUNTER_OF_MOTIONS))
        moves = (units[:, 0] >= rule.resting) & (part < self.num_objects)
        most = rule.yaw_rate_rad_per_s
        return moves * _stretch(units[:, 1], rule.speed_m_per_s), moves * _stretch(units[:, 2], (-most, most))


def _measure_least_gaps(candidates: Tracks, first: Array, placed: Tracks, second: Array) -> Array:
    """Return the least gap [N, C] over the frames between candidates [N, C, T] and one motion [N, T]."""
    offset = placed.place[:, None] - candidates.place
    gaps = measure_rectangle_gaps(candidates.sides, first, placed.sides[:, None], second, offset)
    return gaps.min(axis=-1)
