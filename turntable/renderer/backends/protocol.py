"""What a backend promises: the same pictures of the same scenes, whatever draws them."""

from abc import abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from math import gcd
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from turntable.choices import check_choice
from turntable.datasets.files import MOST_SAMPLES
from turntable.datasets.labels import OutputName
from turntable.errors import InvalidInputError
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes


@dataclass(frozen=True, slots=True)
class Device:
    """What draws: recorded in every manifest, since pixels differ between drivers."""

    backend: str
    vendor: str
    renderer: str
    version: str
    software: bool

    def as_dict(self) -> dict[str, object]:
        """Plain values for a manifest."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Quality:
    """How much work goes into one picture."""

    supersampling: int
    """Samples a pixel, along each axis."""
    spot_samples: int
    """Points on the spot's emitter: its penumbra."""
    spot_map_px: int
    sun_maps: int
    """Directions, over the whole sphere, in which a mesh's depth is kept."""
    sun_map_px: int
    sun_taps: int
    """At most so many of them light one view."""

    phase_grid: int
    """The samples of so many columns and rows share the lights out among them."""
    floor_step: int
    """Pixels, along each axis, from one place of the floor's light to the next."""

    @property
    def phases(self) -> int:
        """How many kinds of samples there are, each with its own part of the sun."""
        return self.phase_grid**2

    @property
    def spot_phases(self) -> int:
        """How many parts the spot's points are shared out in."""
        return gcd(self.phases, self.spot_samples)


_QUALITIES = {
    "fast": Quality(1, 4, 64, 40, 48, 8, 1, 4),
    "standard": Quality(2, 4, 96, 72, 64, 16, 2, 2),
    "high": Quality(3, 18, 128, 256, 64, 36, 1, 1),
}


def quality(name: str, supersampling: int | None = None) -> Quality:
    """The settings behind the names ``fast``, ``standard`` and ``high``.

    Args:
        name: One of them.
        supersampling: Samples a pixel, along each axis, if not as many as the quality has.

    Raises:
        InvalidInputError: No quality has this name, or there are no samples.
    """
    check_choice("quality", name, _QUALITIES)
    if supersampling is None:
        return _QUALITIES[name]
    if not 1 <= supersampling <= MOST_SAMPLES:
        raise InvalidInputError(f"{supersampling} samples a pixel and axis: give 1 to {MOST_SAMPLES}")
    return replace(_QUALITIES[name], supersampling=supersampling)


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """What was drawn of V views."""

    rgb: NDArray[np.uint8]
    """[V, S, S, 3], display values; red is red."""
    mask: NDArray[np.uint8] | None = None
    """[V, S, S], 255 where the ray through the pixel's centre meets the object (alpha of 0.5 and more)."""
    depth: NDArray[np.float32] | None = None
    """[V, S, S] along the camera's forward axis, in world units: of the object, or of the floor beside it;
    infinite beyond the horizon, where there is neither."""
    normals: NDArray[np.float32] | None = None
    """[V, S, S, 3] unit shading normals in the world's frame, turned to the camera; +z on the floor; 0 beyond
    the horizon."""
    coordinates: NDArray[np.float32] | None = None
    """[V, S, S, 3] of the seen point in the object's own centred frame; 0 off the object."""


Pending = Callable[[], Pixels]
"""Waits for pixels that were begun; to be called once."""


class Backend(Protocol):
    """Draws meshes. Made in the process that uses it, never shared between processes.

    Inherited, it leaves to a backend its ``device``, ``begin`` and ``close``.
    """

    @property
    @abstractmethod
    def device(self) -> Device:
        """What draws."""
        ...

    @abstractmethod
    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> Pending:
        """Begin to draw one view of ``mesh`` a scene; of the outputs, ``rgb`` is always made.

        A device draws while the caller does other things; what is returned waits for it. All but ``rgb`` hold
        what one ray through each pixel's centre meets.

        Raises:
            MeshError: The mesh asks for more than the device has.
            DeviceError: The device has no memory left, or was lost.
        """
        ...

    @abstractmethod
    def close(self) -> None:
        """Give the device back."""
        ...

    def render(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> Pixels:
        """Draw what ``begin`` begins, and wait for it."""
        return self.begin(mesh, scenes, image_size_px, quality, outputs)()

    def __enter__(self) -> Self:
        """Use the backend for a while."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it."""
        self.close()
