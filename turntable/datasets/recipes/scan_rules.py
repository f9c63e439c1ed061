"""Rules between the keys of a recipe's table [scan], and between it and the rest of the recipe."""

from collections.abc import Iterator

from turntable.datasets.labels import MAX_RAYS
from turntable.datasets.recipes.content_tables import ScanTable
from turntable.datasets.recipes.tables import RecipeTable

_WHOLE = 1e-6
"""Largest difference from a whole number of columns."""


def find_scan_faults(recipe: RecipeTable) -> Iterator[str]:
    """Yield a message "key: fault" for a scanner without scans, scans without one, and wrong numbers."""
    has_output = "scan" in recipe.outputs
    if recipe.scan is None:
        if has_output:
            yield "outputs: scan needs a scanner; add a table [scan], or leave scan out"
        return
    if not has_output:
        yield 'scan: the scanner has no output; add "scan" to outputs, or leave [scan] out'
    if not recipe.meters_per_unit:
        yield "meters_per_unit: missing; a [scan] is in meters; give it, such as 4"
    yield from _find_ray_faults(recipe.scan)
    yield from _find_place_faults(recipe, recipe.scan)


def _find_ray_faults(scan: ScanTable) -> Iterator[str]:
    columns = 360 / scan.azimuth_step_deg
    if abs(columns - round(columns)) > _WHOLE * columns:
        yield (
            f"scan.azimuth_step_deg: 360 is no multiple of {scan.azimuth_step_deg:g}; give 360 over the "
            "number of columns"
        )
    elif scan.beams * columns > MAX_RAYS:
        yield (
            f"scan.beams: {scan.beams} beams in {round(columns):,} columns are "
            f"{scan.beams * round(columns):,} rays; at most {MAX_RAYS:,} are possible"
        )
    low, high = scan.elevation_deg.low, scan.elevation_deg.high
    if not -90 <= low <= high <= 90:
        yield f"scan.elevation_deg: {low:g} to {high:g} leaves [-90, 90]"
    elif scan.beams > 1 and low == high:
        yield f"scan.elevation_deg: {scan.beams} beams have one elevation; give low and high apart"


def _find_place_faults(recipe: RecipeTable, scan: ScanTable) -> Iterator[str]:
    if recipe.street is not None:
        if scan.distance_m is not None:
            yield "scan.distance_m: the sensor of a [street] drives; leave it out"
    elif scan.distance_m is None:
        yield "scan.distance_m: missing; give { low, high }, the sensor's distance from the vertical axis"
    elif scan.distance_m.low < 0:
        yield f"scan.distance_m: {scan.distance_m.low:g} is negative, but it is a distance"
