"""The frames of drawings: points and lines of an object's arrays, by modality."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.describing.drawing_palettes import (
    CLUTTER,
    GROUND,
    NEGATIVE,
    NEUTRAL,
    NUM_HEIGHTS,
    POSITIVE,
    TRAIL,
)
from turntable.datasets.split import Split

MAX_POINTS = 8_000
"""Largest number of points of a frame; of more, an even choice is drawn."""
MAX_FRAMES = 60
"""Largest number of frames: the views after them are left out."""
_TRAIL_LENGTH = 12
"""Number of earlier frames whose places a track shows."""
_BOX_EDGES = [
    (one, other) for one, other in product(range(8), range(8)) if one < other and (one ^ other) in (1, 2, 4)
]
"""Pairs of corners of a box that an edge joins; the bits of a corner's number say its side."""
_ATOM_BOND = 6
"""Index of the color of bonds: that of carbon."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Points and lines in space, with the indices of their colors."""

    points: NDArray[np.float32]
    """[N, 3] places."""
    point_colors: NDArray[np.uint8]
    """[N] indices of their colors."""
    lines: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2, 3), np.float32))
    """[M, 2, 3] ends of lines."""
    line_colors: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    """[M] indices of their colors."""


def make_cloud_frames(split: Split, row: int) -> tuple[Frame, ...]:
    """Return the point cloud of an object, colored by height."""
    points = _choose_evenly(split.read_points(row)[:, :3])
    return (Frame(points, _color_heights(points)),)


def make_part_frames(split: Split, row: int) -> tuple[Frame, ...]:
    """Return the point cloud of an object, colored by part."""
    parts = split.read_array(row, "point_parts")
    points = split.read_points(row)[:, :3]
    colors = np.zeros(len(points), np.uint8) if parts is None else parts
    return (Frame(_choose_evenly(points), _choose_evenly(colors)),)


def make_track_frames(split: Split, row: int) -> tuple[Frame, ...]:
    """Return the agents of each view with the places where they were before, in its sequence."""
    tracks = split.read_array(row, "tracks")
    if tracks is None:
        return ()
    charge = split.read_array(row, "charge") if "charge" in split.manifest.arrays else None
    colors = _color_charges(np.zeros(tracks.shape[1]) if charge is None else charge)
    length = _get_sequence_length(split)
    shown = range(min(MAX_FRAMES, len(tracks)))
    return tuple(_make_track_frame(tracks[_list_recent(view, length)], colors) for view in shown)


def make_scan_frames(split: Split, row: int) -> tuple[Frame, ...]:
    """Return the returns of each view's scan, colored by instance, with the boxes of the objects."""
    boxes = split.read_array(row, "boxes") if "boxes" in split.manifest.arrays else None
    shown = range(min(MAX_FRAMES, split.num_views))
    return tuple(
        _make_scan_frame(split.read_output(row, view, "scan"), None if boxes is None else boxes[view])
        for view in shown
    )


def make_graph_frames(split: Split, row: int) -> tuple[Frame, ...]:
    """Return the vertices and edges of an object's surface graph, colored by height."""
    vertices, edges = split.read_array(row, "vertices"), split.read_array(row, "edges")
    if vertices is None or edges is None:
        return ()
    points, once = vertices[:, :3], edges[edges[:, 0] < edges[:, 1]]
    colors = _color_heights(points)
    return (Frame(points, colors, points[once], colors[once[:, 0]]),)


def make_molecule_frames(split: Split, row: int) -> tuple[Frame, ...]:
    """Return the atoms and bonds of a molecule, colored by element."""
    points, elements, bonds = (
        split.read_array(row, name) for name in ("atom_positions", "elements", "bonds")
    )
    if points is None or elements is None or bonds is None:
        return ()
    ends = np.argwhere(np.triu(bonds) > 0)
    return (Frame(points, elements, points[ends], np.full(len(ends), _ATOM_BOND, np.uint8)),)


def _make_track_frame(tracks: NDArray[Any], colors: NDArray[np.uint8]) -> Frame:
    """Return the last places of tracks [T, N, 3], and lines along the others."""
    steps = np.stack([tracks[:-1], tracks[1:]], axis=2).reshape(-1, 2, 3)
    return Frame(tracks[-1], colors, steps, np.full(len(steps), TRAIL, np.uint8))


def _list_recent(view: int, length: int) -> list[int]:
    """Return the numbers of a view and of those before it, of the same sequence."""
    first = view - view % length if length else view
    return list(range(max(first, view - _TRAIL_LENGTH), view + 1))


def _make_scan_frame(scan: NDArray[Any], boxes: NDArray[Any] | None) -> Frame:
    instance = scan[:, 4]
    colors = np.where(instance < 0, np.where(instance == -1, GROUND, CLUTTER), instance % GROUND)
    lines, line_colors = _trace_boxes(np.empty((0, 7)) if boxes is None else boxes)
    return Frame(_choose_evenly(scan[:, :3]), _choose_evenly(colors.astype(np.uint8)), lines, line_colors)


def _trace_boxes(boxes: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the edges [12 K, 2, 3] of boxes [K, 7] (center, sides, yaw) with their colors."""
    numbers = np.flatnonzero(np.isfinite(boxes).all(axis=1) & (boxes[:, 3:6] > 0).all(axis=1))
    signs = np.array(list(product((-0.5, 0.5), repeat=3)))
    center, sides, yaw = boxes[numbers, :3], boxes[numbers, 3:6], boxes[numbers, 6]
    local = signs * sides[:, None]
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    x = cos * local[..., 0] - sin * local[..., 1]
    y = sin * local[..., 0] + cos * local[..., 1]
    corners = np.stack([x, y, local[..., 2]], axis=-1) + center[:, None]
    edges = corners[:, np.array(_BOX_EDGES)].reshape(-1, 2, 3).astype(np.float32)
    return edges, np.repeat((numbers % GROUND).astype(np.uint8), len(_BOX_EDGES))


def _color_heights(points: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the index of each point's color among those of heights."""
    z = points[:, 2] - points[:, 2].min(initial=np.inf)
    top = max(float(z.max(initial=0)), 1e-9)
    return np.minimum(z / top * NUM_HEIGHTS, NUM_HEIGHTS - 1).astype(np.uint8)


def _color_charges(charge: NDArray[Any]) -> NDArray[np.uint8]:
    return np.select([charge > 0, charge < 0], [POSITIVE, NEGATIVE], NEUTRAL).astype(np.uint8)


def _choose_evenly(rows: NDArray[Any]) -> NDArray[Any]:
    """Return an even choice of at most ``MAX_POINTS`` rows, in order."""
    if len(rows) <= MAX_POINTS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MAX_POINTS).astype(np.intp)]


def _get_sequence_length(split: Split) -> int:
    sequence = split.manifest.recipe.get("sequence")
    return int(sequence["length"]) if isinstance(sequence, dict) else 0
