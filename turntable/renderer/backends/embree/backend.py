"""The embree backend: rays through samples of the picture, and from what they meet to the lights."""

from collections.abc import Collection

import numpy as np

from turntable.datasets.labels import OutputName
from turntable.renderer.backends.embree.library import find_device
from turntable.renderer.backends.embree.light import Lights
from turntable.renderer.backends.embree.picture import background, display, object_light, seen
from turntable.renderer.backends.embree.samples import LightSamples
from turntable.renderer.backends.embree.traced import TracedMesh
from turntable.renderer.backends.embree.view import View
from turntable.renderer.backends.protocol import Backend, Device, Pending, Pixels, Quality
from turntable.renderer.backends.surface import surfaces_of
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes


class EmbreeBackend(Backend):
    """The :class:`~turntable.renderer.backends.protocol.Backend` on Embree's rays and numpy.

    The light is that of the OpenGL backend, term by term; visibility is found by rays instead of depth maps,
    the floor's light is the spot's exact pool, and nothing has texels but textures.

    Raises:
        MissingExtraError: embreex is not installed.
    """

    def __init__(self) -> None:
        self._device = find_device()
        self._lights = Lights()

    @property
    def device(self) -> Device:
        """What draws."""
        return self._device

    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> Pending:
        """Draw one view of the mesh a scene, at once; see the protocol."""
        traced, samples = TracedMesh(mesh), LightSamples.of(quality)
        views = [View.of(scenes, row, samples) for row in range(len(scenes))]
        rgb = np.stack([self._picture(traced, view, image_size_px, quality) for view in views])
        centres = [seen(traced, view, image_size_px) for view in views] if set(outputs) - {"rgb"} else []
        pixels = Pixels(rgb, **surfaces_of(outputs, scenes, centres))
        return lambda: pixels

    def close(self) -> None:
        """Nothing is held between calls."""

    def _picture(self, mesh: TracedMesh, view: View, image_px: int, quality: Quality) -> np.ndarray:
        floor = self._lights.on_floor(mesh, view, image_px, quality.floor_step)
        light = object_light(mesh, view, self._lights, image_px, quality.supersampling)
        return display(light[..., :3] + (1 - light[..., 3:]) * background(view, floor, image_px))
