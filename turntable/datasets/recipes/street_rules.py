"""Rules between the keys of a recipe's table [street], and those that its ground and its motions rule out."""

from collections.abc import Iterator

from turntable.datasets.labels import ROTATION_NAMES, TRANSLATION_NAMES
from turntable.datasets.recipes.content_tables import StreetTable
from turntable.datasets.recipes.tables import RecipeTable


def find_street_faults(recipe: RecipeTable, street: StreetTable) -> Iterator[str]:
    """Yield a message "key: fault" for every combination of keys with which no street is possible."""
    if not recipe.meters_per_unit:
        yield "meters_per_unit: missing; the objects of a [street] have true sizes; give it, such as 30"
    for name in ("scene", "joints", "dynamics", "rotation", "pose_bank"):
        if getattr(recipe, name):
            yield f"{name}: a [street] poses its objects by its own laws; leave out one of the two"
    if recipe.source == "particles":
        yield "street: particles have no true size; choose another source, or leave [street] out"
    if recipe.mirrored:
        yield "mirrored: a [street] has no mirrored twin; leave it out"
    if recipe.split_rule != "overall":
        yield f'split_rule: [street] does not support "{recipe.split_rule}"; leave it out'
    if recipe.sequence is not None and recipe.sequence.motion != "still":
        yield f'sequence.motion: "{recipe.sequence.motion}" would move the ground of a [street]; give "still"'
    yield from _find_pose_faults(recipe)
    yield from _find_number_faults(street)


def _find_pose_faults(recipe: RecipeTable) -> Iterator[str]:
    factors = recipe.get_factor_tables()
    for name in (*ROTATION_NAMES, *TRANSLATION_NAMES):
        if name in factors and factors[name].value != 0:
            yield f"factors.{name}: a [street] lies on the floor as it is; give value = 0"
    moved = [item.factor for item in recipe.coupling if item.factor in (*ROTATION_NAMES, *TRANSLATION_NAMES)]
    for name in moved:
        yield f"coupling: {name} would move a [street]; leave it out"


def _find_number_faults(street: StreetTable) -> Iterator[str]:
    for name in ("speed_m_per_s", "ego_speed_m_per_s"):
        low = getattr(street, name).low
        if low < 0:
            yield f"street.{name}: {low:g} is negative, but it is a speed along the heading"
    longest = max(street.lengths_m, key=lambda name: street.lengths_m[name])
    if street.clearance_m >= street.area_m:
        yield (
            f"street.clearance_m: {street.clearance_m:g} leaves no place within area_m = {street.area_m:g}; "
            "give less, or a larger area"
        )
    elif street.lengths_m[longest] > 2 * street.area_m:
        yield (
            f"street.lengths_m: {longest} of {street.lengths_m[longest]:g} m is longer than the area, "
            f"{2 * street.area_m:g} m; give a larger area_m"
        )
