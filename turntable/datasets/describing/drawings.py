"""Drawings of an object's arrays in space: points, lines and their colors, frame by frame.

Everything that shows clouds, tracks, scans, graphs and molecules draws these.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.describing.drawing_frames import (
    Frame,
    make_cloud_frames,
    make_graph_frames,
    make_molecule_frames,
    make_part_frames,
    make_scan_frames,
    make_track_frames,
)
from turntable.datasets.describing.drawing_palettes import (
    CHARGE_COLORS,
    ELEMENT_COLORS,
    HEIGHT_COLORS,
    INSTANCE_COLORS,
)
from turntable.datasets.describing.part_colors import PART_COLORS
from turntable.datasets.manifest import Manifest
from turntable.datasets.split import Split

_Colors = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """An array of an object as points and lines."""

    title: str
    """Text about what is drawn: "Point cloud"."""
    unit: str
    """Unit of the places: "diagonals", "m", "Å"."""
    radius: float
    """Radius of a point in this unit."""
    palette: _Colors
    """[P, 3] red, green and blue of the colors that frames name by their indices."""
    frames: tuple[Frame, ...]
    """The frames: one of what does not move, else one per view."""
    from_above: bool = False
    """True if it is seen best from above, with x to the right."""


@dataclass(frozen=True, slots=True)
class _Maker:
    """A way to draw an array."""

    title: str
    unit: str
    radius: float
    palette: _Colors
    is_there: Callable[[Manifest], bool]
    make_frames: Callable[[Split, int], tuple[Frame, ...]]


def list_drawings(manifest: Manifest) -> dict[str, str]:
    """Return the titles of the drawings that a data set's objects can have, by name."""
    return {name: maker.title for name, maker in _MAKERS.items() if maker.is_there(manifest)}


def draw_object(split: Split, row: int, name: str) -> Drawing:
    """Draw an array of an object. An object without it has a drawing without frames.

    Args:
        split: Split of the object.
        row: Row of the object.
        name: Name of the drawing, one of ``list_drawings``.

    Raises:
        IntegrityError: The shard's bytes are not those that were written.
    """
    maker = _MAKERS[name]
    frames = maker.make_frames(split, row)
    return Drawing(
        maker.title, maker.unit, maker.radius, maker.palette, frames, from_above=name in _FROM_ABOVE
    )


def _has(*arrays: str) -> Callable[[Manifest], bool]:
    return lambda manifest: set(arrays) <= set(manifest.arrays)


_FROM_ABOVE = frozenset({"scan"})
_MAKERS: dict[str, _Maker] = {
    "points": _Maker(
        "Point cloud",
        "diagonals",
        0.006,
        HEIGHT_COLORS,
        lambda manifest: manifest.points > 0,
        make_cloud_frames,
    ),
    "point_parts": _Maker(
        "Parts of the cloud", "diagonals", 0.006, PART_COLORS, _has("point_parts"), make_part_frames
    ),
    "tracks": _Maker("Tracks", "diagonals", 0.03, CHARGE_COLORS, _has("tracks"), make_track_frames),
    "scan": _Maker(
        "Scan", "m", 0.08, INSTANCE_COLORS, lambda manifest: "scan" in manifest.outputs, make_scan_frames
    ),
    "surface_graph": _Maker(
        "Graph of the surface",
        "diagonals",
        0.008,
        HEIGHT_COLORS,
        _has("vertices", "edges"),
        make_graph_frames,
    ),
    "molecule": _Maker(
        "Molecule",
        "Å",
        0.25,
        ELEMENT_COLORS,
        _has("atom_positions", "elements", "bonds"),
        make_molecule_frames,
    ),
}
