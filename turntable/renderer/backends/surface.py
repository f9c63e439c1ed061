"""What every backend does alike with the surfaces that pixel centres see: beside objects floor or nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import OutputName
from turntable.renderer.scene import CAMERA, FLOOR_Z, Scenes

Surfaces = dict[str, NDArray[Any]]
"""The outputs beside ``rgb``, by the names of the fields of ``Pixels``."""


def surfaces(
    outputs: Collection[OutputName],
    scenes: Scenes,
    seen: NDArray[np.bool_],
    depth: NDArray[np.float32],
    normals: NDArray[np.float32],
    coordinates: NDArray[np.float32],
) -> Surfaces:
    """The outputs that were asked for.

    Args:
        outputs: Their names.
        scenes: The views.
        seen: [V, S, S] where a pixel's centre sees the object.
        depth: [V, S, S] along the camera's forward axis; any value where nothing is seen.
        normals: [V, S, S, 3] in the world, towards the camera; any value where nothing is seen.
        coordinates: [V, S, S, 3] in the object's frame; any value where nothing is seen.
    """
    made: Surfaces = {}
    if "mask" in outputs:
        made["mask"] = seen.astype(np.uint8) * np.uint8(255)
    if "depth" in outputs or "normals" in outputs:
        floor = floor_depth(scenes, seen.shape[-1])
        up = np.isfinite(floor)[..., None] * np.array([0, 0, 1], dtype=np.float32)
        made["depth"] = np.where(seen, depth, floor)
        made["normals"] = np.where(seen[..., None], normals, up)
    if "coordinates" in outputs:
        made["coordinates"] = np.where(seen[..., None], coordinates, np.float32(0))
    return {name: array for name, array in made.items() if name in outputs}


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the pixel centres of one view see; any value where that is not the object."""

    object: NDArray[np.bool_]
    """[S, S]."""
    depth: NDArray[np.floating]
    """[S, S] along the camera's forward axis."""
    normals: NDArray[np.floating]
    """[S, S, 3] in the world, towards the camera."""
    coordinates: NDArray[np.floating]
    """[S, S, 3] in the object's frame."""


def surfaces_of(outputs: Collection[OutputName], scenes: Scenes, views: Sequence[Seen]) -> Surfaces:
    """The same, of views that were seen one by one; nothing where none were."""
    if not views:
        return {}
    parts: list[Any] = [np.stack([getattr(view, name) for view in views]) for name in Seen.__slots__]
    return surfaces(outputs, scenes, *parts)


def floor_depth(scenes: Scenes, image_size_px: int) -> NDArray[np.float32]:
    """[V or 1, S, S] depth of the floor through each pixel's centre; infinite beyond the horizon.

    One for all where all cameras are the same.
    """
    position, matrix = scenes.camera_position, scenes.world_to_camera
    if (matrix == matrix[:1]).all():
        position, matrix = position[:1], matrix[:1]
    downwards = -(pixel_directions(image_size_px) @ matrix[:, None, :3, 2, None])[..., 0]
    height = (position[:, 2] - FLOOR_Z)[:, None, None]
    depth = np.full(downwards.shape, np.inf, dtype=np.float32)
    return np.divide(height, downwards, out=depth, where=downwards > 0, casting="same_kind")


@lru_cache(maxsize=4)
def pixel_directions(image_size_px: int) -> NDArray[np.float64]:
    """[S, S, 3] in the camera's axes, of unit depth, through each pixel's centre."""
    grid = np.arange(image_size_px) + 0.5
    return CAMERA.directions(np.stack(np.meshgrid(grid, grid), axis=-1), image_size_px)
