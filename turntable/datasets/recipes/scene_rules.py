"""Rules between the keys of a recipe's table [scene]: a scene that can never be arranged is refused."""

import math
from collections.abc import Iterator

from turntable.datasets.recipes.content_tables import SceneTable
from turntable.datasets.recipes.tables import RecipeTable

_DENSEST_DISCS = math.pi / math.sqrt(12)
"""Largest share of the plane that equal discs cover."""
_DENSEST_SPHERES = math.pi / math.sqrt(18)
"""Largest share of space that equal spheres fill."""
_FLOOR_DEPTH = 1.0
"""Depth of the floor below the origin."""


def find_scene_faults(recipe: RecipeTable, scene: SceneTable) -> Iterator[str]:
    """Yield a message "key: fault" for every combination of keys with which no scene is possible."""
    if scene.law is not None and scene.orientation is not None:
        yield f'scene.orientation: law = "{scene.law}" is a preset of it; leave out one of the two'
    if recipe.split_rule != "overall":
        yield f'split_rule: [scene] does not support "{recipe.split_rule}"; leave it out'
    if recipe.source == "particles":
        yield "scene: particles move by their own law; choose another source, or leave [scene] out"
    if recipe.joints is not None:
        yield "joints: the objects of a [scene] stand at rest; leave out one of the two"
    yield from _find_arrangement_faults(recipe, scene)
    yield from _find_length_faults(scene)
    yield from _find_room_faults(scene)


def _find_arrangement_faults(recipe: RecipeTable, scene: SceneTable) -> Iterator[str]:
    if scene.arrangements is None:
        return
    length = recipe.sequence.length if recipe.sequence is not None else 1
    if recipe.views % (scene.arrangements * length):
        per = f" of sequences of {length}" if length > 1 else ""
        yield (
            f"scene.arrangements: {recipe.views} views cannot be divided evenly into {scene.arrangements} "
            f"arrangements{per}"
        )


def _find_length_faults(scene: SceneTable) -> Iterator[str]:
    low, high = scene.size.low, scene.size.high
    if low <= 0:
        yield f"scene.size: low {low:g} is not above 0, but it is the diagonal of an object"
    if high > 2 * scene.area:
        yield (
            f"scene.size: high {high:g} is above {2 * scene.area:g}, the width of the area; give smaller "
            "objects or a larger area"
        )
    if scene.get_orientation() == "upright":
        return
    if scene.level is not None:
        yield 'scene.level: only orientation = "upright" uses it; leave it out'
    if scene.area > _FLOOR_DEPTH:
        yield (f"scene.area: {scene.area:g} reaches below the floor, {_FLOOR_DEPTH:g} below the origin")


def _find_room_faults(scene: SceneTable) -> Iterator[str]:
    """Yield a fault if so many objects of the least size need more room than the densest packing gives.

    Half of the gap belongs to each object, so an object takes a disc or sphere as wide as itself and the gap,
    and the area is wider by the gap. An upright object may be as thin as a needle.
    """
    width, count = 2 * scene.area + scene.gap, scene.objects.high
    if scene.get_orientation() == "upright":
        share = count * math.pi / 4 * scene.gap**2 / width**2 / _DENSEST_DISCS
    else:
        share = count * math.pi / 6 * (scene.size.low + scene.gap) ** 3 / width**3 / _DENSEST_SPHERES
    if share > 1:
        yield (
            f"scene.area: {count} objects of size {scene.size.low:g} with gaps of {scene.gap:g} can never "
            f"lie within {scene.area:g}; give a larger area, or fewer or smaller objects or gaps"
        )
