"""The embree backend: rays through the samples of a picture, and from what they hit to the lights."""

from collections.abc import Collection
from functools import partial

import numpy as np

from turntable.datasets.labels import OutputName
from turntable.renderer.backends.embree.library import probe_device
from turntable.renderer.backends.embree.light import LightingModel
from turntable.renderer.backends.embree.light_samples import LightSamples
from turntable.renderer.backends.embree.object_frame_scene import ObjectFrameScene
from turntable.renderer.backends.embree.picture import (
    render_background,
    render_object,
    to_display_bytes,
    trace_visible_surface,
)
from turntable.renderer.backends.embree.traced_mesh import TracedMesh
from turntable.renderer.backends.moved_assembly import render_moved_views
from turntable.renderer.backends.protocol import Backend, Device, PendingPixels, Pixels, Quality
from turntable.renderer.backends.surface_outputs import stack_surface_outputs
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes


class EmbreeBackend(Backend):
    """The :class:`~turntable.renderer.backends.protocol.Backend` on Embree's rays and numpy.

    The light is that of the OpenGL backend, term by term, except for three things: rays find what is visible
    in place of depth maps, the light on the floor is computed from the spot's exact pool, and only textures
    have texels.

    Raises:
        MissingExtraError: embreex is not installed.
    """

    def __init__(self) -> None:
        self._device = probe_device()
        self._lights = LightingModel()

    @property
    def device(self) -> Device:
        """The CPU."""
        return self._device

    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[OutputName] = ("rgb",),
    ) -> PendingPixels:
        """Draw one view of the mesh per scene, at once; arguments and errors are those of the protocol."""
        render = partial(self._render_rigid, image_size_px=image_size_px, quality=quality)
        if scenes.part_motions is None:
            pixels = render(mesh, scenes, outputs)
        else:
            pixels = render_moved_views(render, mesh, scenes, outputs)
        return lambda: pixels

    def close(self) -> None:
        """Do nothing: nothing is held between calls."""

    def _render_rigid(
        self,
        mesh: Mesh,
        scenes: Scenes,
        outputs: Collection[OutputName],
        *,
        image_size_px: int,
        quality: Quality,
    ) -> Pixels:
        """Draw one view per scene of a mesh that stands still in the object's frame."""
        traced, samples = TracedMesh(mesh), LightSamples.from_quality(quality)
        views = [ObjectFrameScene.from_scenes(scenes, row, samples) for row in range(len(scenes))]
        rgb = np.stack([self._render_picture(traced, view, image_size_px, quality) for view in views])
        surfaces = (
            [trace_visible_surface(traced, view, image_size_px) for view in views]
            if set(outputs) - {"rgb"}
            else []
        )
        return Pixels(rgb, **stack_surface_outputs(outputs, scenes, surfaces))

    def _render_picture(
        self, mesh: TracedMesh, view: ObjectFrameScene, image_px: int, quality: Quality
    ) -> np.ndarray:
        floor = self._lights.shade_floor(mesh, view, image_px, quality.floor_step_px)
        light = render_object(mesh, view, self._lights, image_px, quality.supersampling)
        return to_display_bytes(
            light[..., :3] + (1 - light[..., 3:]) * render_background(view, floor, image_px)
        )
