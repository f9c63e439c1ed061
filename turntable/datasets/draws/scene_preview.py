"""A preview of a recipe's scenes before anything is rendered: boxes of invented objects, arranged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.philox import draw_words, make_philox_key, words_to_units
from turntable.datasets.draws.scene_arrangements import draw_arrangements
from turntable.datasets.draws.scene_compositions import draw_composition
from turntable.datasets.recipes import Recipe

_NUM_INVENTED = 1_000_000
_LEAST_SIDE = 0.25
"""Least side of an invented box, as a share of the greatest possible."""


@dataclass(frozen=True, slots=True, eq=False)
class PseudoScene:
    """A scene of invented objects."""

    boxes: NDArray[np.float64]
    """[K, 2, 3] box of each object in its own frame: lowest and highest corner."""
    poses: NDArray[np.float64]
    """[A, K, 4, 4] poses of the objects in the first arrangements."""


def draw_pseudo_scene(recipe: Recipe, number: int, num_arrangements: int) -> PseudoScene:
    """Draw an invented scene of a recipe with a table [scene].

    Args:
        recipe: Recipe with a table [scene].
        number: Number of the scene.
        num_arrangements: Number of arrangements to draw, at most as many as the recipe has.

    Raises:
        MeshError: The objects find no place.
    """
    name = f"invented/{number}"
    sizes = np.array(draw_composition(recipe, name, _NUM_INVENTED).sizes)
    words = draw_words(make_philox_key(recipe.label_digest, name, "boxes"), np.arange(len(sizes)))
    sides = _LEAST_SIDE + words_to_units(words[:, :3]) * (1 - _LEAST_SIDE)
    half = sides / np.linalg.norm(sides, axis=1, keepdims=True) * sizes[:, None] / 2
    boxes = np.stack([-half, half], axis=1)
    step = recipe.sequence.length if recipe.sequence is not None else 1
    return PseudoScene(boxes, draw_arrangements(recipe, name, boxes, np.arange(num_arrangements) * step))
