"""The draw of what a scene is composed of: which objects, and how large each of them is.

It depends on the seed, the number and size of objects and the scene alone, so recipes that arrange their
scenes in different ways compose the same scenes.
"""

from dataclasses import dataclass

import numpy as np

from turntable.datasets.draws.philox import draw_words, make_philox_key, words_to_units
from turntable.datasets.files import compute_json_sha256
from turntable.datasets.labels import MAX_SCENE_OBJECTS
from turntable.datasets.recipes import Recipe


@dataclass(frozen=True, slots=True)
class SceneComposition:
    """The objects of a scene."""

    places: tuple[int, ...]
    """Place of each object in the list that scenes draw from; no two are equal."""
    sizes: tuple[float, ...]
    """Diagonal of each object's bounding box."""


def compute_composition_digest(recipe: Recipe) -> str:
    """Return the hex sha256 of what determines the compositions of a recipe with a table [scene]."""
    assert recipe.scene is not None
    objects, size = list(recipe.scene.objects), list(recipe.scene.size)
    return compute_json_sha256({"scenes": 1, "seed": recipe.seed, "objects": objects, "size": size})


def draw_composition(recipe: Recipe, scene_id: str, num_known: int) -> SceneComposition:
    """Draw the objects of a scene, without repetition, and their sizes, uniformly.

    Args:
        recipe: Recipe with a table [scene].
        scene_id: Id of the scene.
        num_known: Number of objects in the list that scenes draw from, at least ``recipe.scene.objects[1]``.
    """
    rule = recipe.scene
    assert rule is not None
    key = make_philox_key(compute_composition_digest(recipe), scene_id, "composition")
    units = words_to_units(draw_words(key, np.zeros(1, dtype=np.int64))[0])
    (low, high), (least, most) = rule.objects, rule.size
    count = low + int(units[0] * (high - low + 1))
    picks, sizes = units[1 : 1 + count], units[1 + MAX_SCENE_OBJECTS :][:count]
    places = _pick_without_repetition(picks.tolist(), num_known)
    return SceneComposition(places, tuple((least + sizes * (most - least)).tolist()))


def _pick_without_repetition(units: list[float], num_known: int) -> tuple[int, ...]:
    """Return as many different places below ``num_known`` as there are uniform numbers.

    These are the first steps of the shuffle of Fisher and Yates; ``moved`` has the places that it changed.
    """
    moved: dict[int, int] = {}
    places: list[int] = []
    for step, unit in enumerate(units):
        chosen = step + int(unit * (num_known - step))
        places.append(moved.get(chosen, chosen))
        moved[chosen] = moved.get(step, step)
    return tuple(places)
