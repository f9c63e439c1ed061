"""What every backend does alike with the surfaces that pixel centres see: the floor where no object is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.outputs import OutputName
from turntable.renderer.scene import CAMERA, FLOOR_Z

Surfaces = dict[str, NDArray[Any]]
"""The outputs beside ``rgb``, by the names of the fields of ``Pixels``."""


def surfaces(
    outputs: Collection[OutputName],
    seen: NDArray[np.bool_],
    depth: NDArray[np.float32],
    normals: NDArray[np.float32],
    coordinates: NDArray[np.float32],
) -> Surfaces:
    """The outputs that were asked for.

    Args:
        outputs: Their names.
        seen: [V, S, S] where a pixel's centre sees the object.
        depth: [V, S, S] along the camera's forward axis; any value where nothing is seen.
        normals: [V, S, S, 3] in the world, towards the camera; any value where nothing is seen.
        coordinates: [V, S, S, 3] in the object's frame; any value where nothing is seen.
    """
    made: Surfaces = {}
    if "mask" in outputs:
        made["mask"] = seen.astype(np.uint8) * np.uint8(255)
    if "depth" in outputs:
        made["depth"] = np.where(seen, depth, floor_depth(seen.shape[-1]))
    if "normals" in outputs:
        made["normals"] = np.where(seen[..., None], normals, np.array([0, 0, 1], dtype=np.float32))
    if "coordinates" in outputs:
        made["coordinates"] = np.where(seen[..., None], coordinates, np.float32(0))
    return made


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


def surfaces_of(outputs: Collection[OutputName], views: Sequence[Seen]) -> Surfaces:
    """The same, of views that were seen one by one; nothing where none were."""
    if not views:
        return {}
    parts: list[Any] = [np.stack([getattr(view, name) for view in views]) for name in Seen.__slots__]
    return surfaces(outputs, *parts)


@lru_cache(maxsize=4)
def floor_depth(image_size_px: int) -> NDArray[np.float32]:
    """[S, S] depth of the floor along the camera's forward axis, through each pixel's centre."""
    grid = np.arange(image_size_px) + 0.5
    rays = CAMERA.rays(np.stack(np.meshgrid(grid, grid), axis=-1), image_size_px)
    return ((FLOOR_Z - CAMERA.position[2]) / rays[..., 2]).astype(np.float32)
