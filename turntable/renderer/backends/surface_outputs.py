"""The outputs beside ``rgb``, from the surfaces that pixel centers see: the part that all backends share.

A backend finds the surface of the object. This module adds the floor and the horizon around it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import NO_PART, OutputName
from turntable.renderer.scene import DEFAULT_CAMERA, FLOOR_Z, Scenes

SurfaceOutputs = dict[str, NDArray[Any]]
"""Outputs by the names of the fields of ``Pixels``."""


def build_surface_outputs(
    outputs: Collection[OutputName],
    scenes: Scenes,
    mask: NDArray[np.bool_],
    depth: NDArray[np.float32],
    normals: NDArray[np.float32],
    coordinates: NDArray[np.float32],
    parts: NDArray[np.integer],
) -> SurfaceOutputs:
    """Build the outputs that were asked for.

    Args:
        outputs: Names of the outputs.
        scenes: Scenes of the views.
        mask: [V, S, S], True where the pixel's center sees the object.
        depth: [V, S, S] depth along the camera's forward axis; any value off the mask.
        normals: [V, S, S, 3] normals in the world, turned to the camera; any value off the mask.
        coordinates: [V, S, S, 3] points in the object's frame, at rest; any value off the mask.
        parts: [V, S, S] part of each point, 0 for a mesh of one piece; any value off the mask.
    """
    built: SurfaceOutputs = {}
    if "mask" in outputs:
        built["mask"] = mask.astype(np.uint8) * np.uint8(255)
    if "depth" in outputs or "normals" in outputs:
        floor = compute_floor_depth(scenes, mask.shape[-1])
        up = np.isfinite(floor)[..., None] * np.array([0, 0, 1], dtype=np.float32)
        built["depth"] = np.where(mask, depth, floor)
        built["normals"] = np.where(mask[..., None], normals, up)
    if "coordinates" in outputs:
        built["coordinates"] = np.where(mask[..., None], coordinates, np.float32(0))
    if "parts" in outputs:
        built["parts"] = np.where(mask, parts, NO_PART).astype(np.uint8)
    return {name: array for name, array in built.items() if name in outputs}


def move_points(
    points: NDArray[np.floating], parts: NDArray[np.integer], scenes: Scenes
) -> NDArray[np.floating]:
    """Return points [V, S, S, 3], which are given at rest, where their parts [V, S, S] have moved."""
    if scenes.part_motions is None:
        return points
    motion = scenes.part_motions[np.arange(len(parts))[:, None, None], parts]
    return (motion[..., :3, :3] @ points[..., None])[..., 0] + motion[..., :3, 3]


@dataclass(frozen=True, slots=True, eq=False)
class VisibleSurface:
    """The surface that the pixel centers of one view see; any value where that is not the object."""

    mask: NDArray[np.bool_]
    """[S, S], True where the object is seen."""
    depth: NDArray[np.floating]
    """[S, S] depth along the camera's forward axis."""
    normals: NDArray[np.floating]
    """[S, S, 3] normals in the world, turned to the camera."""
    coordinates: NDArray[np.floating]
    """[S, S, 3] points in the object's frame; of an assembly, where they are at rest."""
    parts: NDArray[np.integer]
    """[S, S] part of each point; 0 for a mesh of one piece."""


def stack_surface_outputs(
    outputs: Collection[OutputName], scenes: Scenes, views: Sequence[VisibleSurface]
) -> SurfaceOutputs:
    """Build the outputs that were asked for from surfaces of single views; none if there are no views."""
    if not views:
        return {}
    parts: list[Any] = [
        np.stack([getattr(view, name) for view in views]) for name in VisibleSurface.__slots__
    ]
    return build_surface_outputs(outputs, scenes, *parts)


def compute_floor_depth(scenes: Scenes, image_size_px: int) -> NDArray[np.float32]:
    """Return the depth of the floor through each pixel's center; infinite beyond the horizon.

    The shape is [V, S, S], or [1, S, S] if the cameras of all views are equal.
    """
    if _have_equal_cameras(scenes):
        scenes = scenes[:1]
    # Directions have unit depth, so the depth of the floor is the camera's height over their descent.
    climb = scenes.world_to_camera[:, :3, 2]  # of the camera's axes, in the world
    descent = -(compute_pixel_directions(image_size_px) @ climb[:, None, :, None])[..., 0]
    descent += (compute_lens_offsets(scenes, image_size_px) * climb).sum(axis=-1)[:, None, None]
    height = (scenes.camera_position[:, 2] - FLOOR_Z)[:, None, None]
    depth = np.full(descent.shape, np.inf, dtype=np.float32)
    return np.divide(height, descent, out=depth, where=descent > 0, casting="same_kind")


def compute_lens_offsets(scenes: Scenes, image_size_px: int) -> NDArray[np.float64]:
    """Return [V, 3], what to subtract from ``compute_pixel_directions`` for each view's principal point."""
    focal = DEFAULT_CAMERA.compute_intrinsics(image_size_px)[0, 0]
    return np.pad(scenes.principal_shift_px / focal, ((0, 0), (0, 1)))


def _have_equal_cameras(scenes: Scenes) -> bool:
    return all(
        bool((array == array[:1]).all()) for array in (scenes.world_to_camera, scenes.principal_shift_px)
    )


@lru_cache(maxsize=4)
def compute_pixel_directions(image_size_px: int) -> NDArray[np.float64]:
    """Return directions [S, S, 3] of depth 1 in the axes of a camera whose principal point is in the middle.

    They go through each pixel's center.
    """
    grid = np.arange(image_size_px) + 0.5
    return DEFAULT_CAMERA.compute_directions(np.stack(np.meshgrid(grid, grid), axis=-1), image_size_px)
