"""Optical flow: where the points that a view shows are in the picture of another view, and if they are seen.

The flow is computed from numbers alone: the points that pixel centers see, and the poses of camera, object
and parts in both views. A point of the object moves with its part, and the floor stands still.

A moved point is hidden if it lies behind the surface that the other view shows there. That view knows its
surface at the pixels' centers, which are up to half a pixel away along each axis. So two surfaces count as
one within the steps of the depth to the next pixels along both axes (of the two sides the smaller step, so
that an edge on one side does not count), twice what a plane needs, and ``_DEPTH_TOLERANCE``. Within half a
pixel of an edge the state may be wrong.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import FLOW_HIDDEN, FLOW_SEEN, MAX_FLOW_PX
from turntable.renderer.scene.camera import NEAR
from turntable.renderer.scene.scene import Array, Scenes

_DEPTH_TOLERANCE = 0.002
"""Distance in diagonals within which two surfaces are one, where their depth is even."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenSurface:
    """The surface that the rays through the pixel centers of one view meet: the object or the floor."""

    mask: NDArray[np.bool_]
    """[S, S], True where it is the object."""
    parts: NDArray[np.integer]
    """[S, S] part of the object; any value off the mask."""
    points: NDArray[np.floating]
    """[S, S, 3] points of the object at rest, in its frame; any value off the mask."""
    depth: NDArray[np.floating]
    """[S, S] depth along the camera's forward axis, of the object or else of the floor; infinite beyond."""


def compute_flow(scenes: Scenes, view: int, other: int, seen: SeenSurface, there: SeenSurface) -> Array:
    """Compute the flow from a view to another view of the same object.

    Args:
        scenes: Scenes of both views, and of any others.
        view: Row of the view in ``scenes``.
        other: Row of the other view.
        seen: Surface that the view shows.
        there: Surface that the other view shows; its depth is used.

    Returns:
        [S, S, 3]: x and y of the motion in pixels, right and down, and the state: 0 if there is no motion
        (nothing is seen, the point comes nearer to the other camera than it sees, or moves further than
        ``MAX_FLOW_PX``; x and y are 0), 1 if the other view shows the point, 2 if it does not.
    """
    size = len(seen.mask)
    row, column = np.mgrid[:size, :size] + 0.5
    centers = np.stack([column, row], axis=-1)
    points = _move_points(scenes, view, other, seen, centers)
    depth = points[..., 2]
    known = np.isfinite(depth) & (depth > NEAR)
    ahead = np.where(known[..., None], points, [0.0, 0.0, 1.0])
    image = ahead @ scenes.compute_intrinsics(size)[other].T
    places = image[..., :2] / image[..., 2:]
    motion = places - centers
    known &= np.abs(motion).max(axis=-1) <= MAX_FLOW_PX
    state = np.where(_find_seen(places, depth, there.depth), FLOW_SEEN, FLOW_HIDDEN)
    return np.concatenate([motion, state[..., None]], axis=-1) * known[..., None]


def _move_points(scenes: Scenes, view: int, other: int, seen: SeenSurface, centers: Array) -> Array:
    """Return where the seen points are in the other view, [S, S, 3] in its camera's axes; NaN for the sky."""
    depth = np.where(np.isfinite(seen.depth), seen.depth, np.nan)
    pixels = np.concatenate([centers, np.ones((*depth.shape, 1))], axis=-1)
    here = pixels @ np.linalg.inv(scenes.compute_intrinsics(len(depth))[view]).T * depth[..., None]
    between_cameras = scenes.world_to_camera[other] @ geometry.invert_pose(scenes.world_to_camera[view])
    moved = _transform(between_cameras, here)
    matrices = scenes.world_to_camera[other] @ _get_part_poses(scenes, other)
    on_object = seen.mask
    part = seen.parts[on_object].astype(np.intp) if len(matrices) > 1 else 0
    moved[on_object] = _transform(matrices[part], seen.points[on_object].astype(np.float64))
    return moved


def _transform(matrix: Array, points: Array) -> Array:
    """Return points [..., 3] moved by matrices [..., 4, 4], or by one matrix."""
    return (matrix[..., :3, :3] @ points[..., None])[..., 0] + matrix[..., :3, 3]


def _get_part_poses(scenes: Scenes, row: int) -> Array:
    """Return the matrices [K, 4, 4] from the object's frame at rest to the world, of each of its parts."""
    pose = scenes.object_to_world[row]
    return pose[None] if scenes.part_motions is None else pose @ scenes.part_motions[row]


def _find_seen(places: Array, depth: Array, surface: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """Return True where points at places [..., 2] of a picture are not behind the surface that it shows.

    Args:
        places: Places [..., 2] in pixels.
        depth: Depths [...] of the points.
        surface: Depth [S, S] of the surface at the pixel centers.
    """
    size = len(surface)
    x, y = places[..., 0], places[..., 1]
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    column, row = (np.where(inside, place, 0).astype(np.intp) for place in (x, y))
    nearest = surface.astype(np.float64) + _compute_tolerance(surface)
    return inside & ~(depth > nearest[row, column])


def _compute_tolerance(surface: NDArray[np.floating[Any]]) -> Array:
    """Return how far behind the depth [S, S] at a pixel's center a point of the same surface may seem."""
    finite = np.where(np.isfinite(surface), surface, np.nan).astype(np.float64)
    tolerance = np.full(finite.shape, _DEPTH_TOLERANCE)
    for axis in range(2):
        steps = np.abs(np.diff(finite, axis=axis))
        gap = np.full_like(np.take(finite, [0], axis=axis), np.nan)
        sides = np.concatenate([gap, steps], axis=axis), np.concatenate([steps, gap], axis=axis)
        tolerance += np.nan_to_num(np.fmin(*sides))
    return tolerance
