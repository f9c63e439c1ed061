"""The draw of what a street is composed of: its objects and their lengths, and the sizes of walls and poles.

It depends on the seed, the numbers of the table [street] that say what there is, and the street alone. So
recipes whose objects or scanners move in different ways compose the same streets.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.philox import draw_words, make_philox_key, words_to_units
from turntable.datasets.files import compute_json_sha256
from turntable.datasets.labels import MAX_POLES, MAX_STREET_OBJECTS, MAX_WALLS
from turntable.datasets.recipes import Recipe

Array = NDArray[np.float64]

LENGTH_SPREAD = 0.1
"""Largest difference of an object's length from the usual one, as a share of it."""
WALL_SIZES_M = ((6.0, 16.0), (0.2, 0.4), (1.5, 4.0))
"""Least and greatest length, thickness and height of walls."""
POLE_SIZES_M = ((0.08, 0.2), (3.0, 7.0))
"""Least and greatest radius and height of poles."""
_WORDS = 4
"""Words of each kind of count, and of each object, wall and pole."""


@dataclass(frozen=True, slots=True, eq=False)
class StreetComposition:
    """The objects, walls and poles of a street."""

    places: tuple[int, ...]
    """Place of each object in the list that streets draw from; one object may come twice."""
    scales: tuple[float, ...]
    """Length of each object, as a multiple of the usual one of its category."""
    walls: tuple[tuple[float, ...], ...]
    """Length, thickness and height of each wall, in meters."""
    poles: tuple[tuple[float, ...], ...]
    """Radius and height of each pole, in meters."""


def compute_street_digest(recipe: Recipe) -> str:
    """Return the hex sha256 of what determines the compositions of a recipe with a table [street]."""
    rule = recipe.street
    assert rule is not None
    counts = [list(span) for span in (rule.objects, rule.walls, rule.poles)]
    lengths = [list(item) for item in rule.lengths_m]
    scale = [rule.front, recipe.meters_per_unit]
    return compute_json_sha256(
        {"streets": 1, "seed": recipe.seed, "counts": counts, "lengths": lengths, "scale": scale}
    )


def draw_street_composition(recipe: Recipe, street_id: str, num_known: int) -> StreetComposition:
    """Draw what a street is composed of, uniformly.

    Args:
        recipe: Recipe with a table [street].
        street_id: Id of the street.
        num_known: Number of objects in the list that streets draw from, at least 1.
    """
    rule = recipe.street
    assert rule is not None
    key = make_philox_key(compute_street_digest(recipe), street_id, "composition")
    most = (1, MAX_STREET_OBJECTS, MAX_WALLS, MAX_POLES)
    words = draw_words(key, np.zeros(1, dtype=np.int64), _WORDS * sum(most))[0]
    units = words_to_units(words).reshape(-1, _WORDS)
    counts, objects, walls, poles = np.split(units, np.cumsum(most)[:-1])
    spans = (rule.objects, rule.walls, rule.poles)
    num_objects, num_walls, num_poles = (
        low + int(unit * (high - low + 1)) for unit, (low, high) in zip(counts[0], spans, strict=False)
    )
    chosen = objects[:num_objects]
    return StreetComposition(
        tuple((chosen[:, 0] * num_known).astype(int).tolist()),
        tuple((1 + LENGTH_SPREAD * (2 * chosen[:, 1] - 1)).tolist()),
        _draw_sizes(walls[:num_walls], WALL_SIZES_M),
        _draw_sizes(poles[:num_poles], POLE_SIZES_M),
    )


def _draw_sizes(units: Array, spans: tuple[tuple[float, float], ...]) -> tuple[tuple[float, ...], ...]:
    low, high = np.array(spans).T
    sizes = low + units[:, : len(spans)] * (high - low)
    return tuple(tuple(row) for row in sizes.tolist())
