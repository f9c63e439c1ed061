"""The protocol of backends: the same pictures of the same scenes, whatever backend renders them."""

from abc import abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from math import gcd
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from turntable.choices import check_choice
from turntable.datasets.files import MAX_SUPERSAMPLING
from turntable.datasets.labels import OutputName
from turntable.errors import InvalidInputError
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes


@dataclass(frozen=True, slots=True)
class Device:
    """A rendering device. Every manifest records it, since pixels differ between drivers."""

    backend: str
    vendor: str
    renderer: str
    version: str
    software: bool

    def to_dict(self) -> dict[str, object]:
        """Return plain values for a manifest."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Quality:
    """The amount of work that goes into one picture."""

    supersampling: int
    """Number of samples per pixel along each axis."""
    num_spot_samples: int
    """Number of points on the spot's emitter, which make its penumbra."""
    spot_map_px: int
    """Width of one shadow map of the spot."""
    num_sun_maps: int
    """Number of directions, over the whole sphere, for which a mesh has a depth map."""
    sun_map_px: int
    """Width of one such depth map."""
    num_sun_taps: int
    """Largest number of these directions that light one view."""
    phase_grid: int
    """Width of the block of samples over which the points of the lights are divided."""
    floor_step_px: int
    """Distance in pixels, along each axis, between the points at which the floor's light is computed."""

    @property
    def num_phases(self) -> int:
        """Number of kinds of samples; each kind is lit by another part of the sun's directions."""
        return self.phase_grid**2

    @property
    def num_spot_phases(self) -> int:
        """Number of parts into which the spot's points are divided."""
        return gcd(self.num_phases, self.num_spot_samples)


_QUALITIES = {
    "fast": Quality(1, 4, 64, 40, 48, 8, 1, 4),
    "standard": Quality(2, 4, 96, 72, 64, 16, 2, 2),
    "high": Quality(3, 18, 128, 256, 64, 36, 1, 1),
}


def get_quality(name: str, supersampling: int | None = None) -> Quality:
    """Return the settings behind the names ``fast``, ``standard`` and ``high``.

    Args:
        name: Name of the quality.
        supersampling: Number of samples per pixel along each axis, if it is not the quality's own.

    Raises:
        InvalidInputError: No quality has this name, or the number of samples is out of range.
    """
    check_choice("quality", name, _QUALITIES)
    if supersampling is None:
        return _QUALITIES[name]
    if not 1 <= supersampling <= MAX_SUPERSAMPLING:
        raise InvalidInputError(
            f"{supersampling} samples per pixel and axis: give a number from 1 to {MAX_SUPERSAMPLING}"
        )
    return replace(_QUALITIES[name], supersampling=supersampling)


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """The rendered outputs of V views."""

    rgb: NDArray[np.uint8]
    """[V, S, S, 3] display values in RGB order."""
    mask: NDArray[np.uint8] | None = None
    """[V, S, S], 255 where the ray through the pixel's center meets the object (alpha of 0.5 and more), else
    0."""
    depth: NDArray[np.float32] | None = None
    """[V, S, S] depth along the camera's forward axis in world units, of the object or else of the floor.

    Beyond the horizon, where there is neither, it is infinite.
    """
    normals: NDArray[np.float32] | None = None
    """[V, S, S, 3] unit shading normals in the world's frame, turned to the camera.

    They are +z on the floor, and 0 beyond the horizon.
    """
    coordinates: NDArray[np.float32] | None = None
    """[V, S, S, 3] position of the visible point in the object's own centered frame; 0 off the object.

    A point of an assembly has the position that it has at rest.
    """
    parts: NDArray[np.uint8] | None = None
    """[V, S, S] index of the visible part; 255 off the object. The part of a mesh of one piece is 0."""


PendingPixels = Callable[[], Pixels]
"""A function that waits for pixels that were begun; to be called once."""


class Backend(Protocol):
    """A renderer of meshes. It is made in the process that uses it, and never shared between processes.

    A backend that inherits from this class must define ``device``, ``begin`` and ``close``.
    """

    @property
    @abstractmethod
    def device(self) -> Device:
        """The device that renders."""
        ...

    @abstractmethod
    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> PendingPixels:
        """Begin to draw one view of ``mesh`` per scene, and return a function that waits for the pixels.

        The parts of an assembly follow ``scenes.part_motions``.

        A device draws while the caller does other work. ``rgb`` is always made, also if it is not among
        ``outputs``. All other outputs hold what the one ray through each pixel's center meets.

        Args:
            mesh: Mesh of the object.
            scenes: Scenes of the V views.
            image_size_px: Width and height S of the pictures.
            quality: Amount of work per picture.
            outputs: Names of the outputs.

        Raises:
            MeshError: The mesh needs more than the device has.
            DeviceError: The device has no memory left, or was lost.
        """
        ...

    @abstractmethod
    def close(self) -> None:
        """Release the device."""
        ...

    def render(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> Pixels:
        """Draw one view of ``mesh`` per scene and wait for it; arguments and errors as in ``begin``."""
        return self.begin(mesh, scenes, image_size_px, quality, outputs)()

    def __enter__(self) -> Self:
        """Return the backend itself, which is closed at the end of the ``with`` block."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the backend."""
        self.close()
