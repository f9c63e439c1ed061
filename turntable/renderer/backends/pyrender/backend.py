"""The pyrender backend: pyrender's pictures of our scene, under our tone curve.

Camera, poses, colors and textures are exact, and so is everything that pixel centers see (mask, depth,
normals, coordinates). The light is approximate. The spot has a hard shadow, from a map of 2048 x 2048. The
sun has light but no soft shadows. The world is one gray. There are four samples per pixel at every quality.
Transparent surfaces cast full shadows, and are blended in display values. Texels are interpolated in sRGB.
"""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import OutputName
from turntable.renderer.backends.moved_assembly import render_moved_views
from turntable.renderer.backends.protocol import Backend, Device, PendingPixels, Pixels, Quality
from turntable.renderer.backends.pyrender import light
from turntable.renderer.backends.pyrender.context import PyrenderContext, import_pyrender
from turntable.renderer.backends.pyrender.mesh_parts import (
    MeshPart,
    get_triangle_corners,
    iter_parts,
    make_double_sided,
)
from turntable.renderer.backends.pyrender.scene import PyrenderScene
from turntable.renderer.backends.pyrender.surface_pass import make_renderer
from turntable.renderer.backends.pyrender.visible_surface import compute_visible_surface
from turntable.renderer.backends.surface_outputs import VisibleSurface, stack_surface_outputs
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes


class PyrenderBackend(Backend):
    """The :class:`~turntable.renderer.backends.protocol.Backend` on pyrender.

    Raises:
        MissingExtraError: pyrender is not installed.
        DeviceError: It finds no OpenGL device.
    """

    def __init__(self, device: int | None = None) -> None:
        """Open the device of this index among EGL's devices; None opens the first."""
        self._pyrender = import_pyrender()
        self._context = PyrenderContext(device or 0)
        with self._context.make_current():
            self._renderer = make_renderer(self._pyrender)
        self._scene = PyrenderScene(self._pyrender)

    @property
    def device(self) -> Device:
        """The OpenGL device."""
        return self._context.device

    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,  # noqa: ARG002
        outputs: Collection[OutputName] = ("rgb",),
    ) -> PendingPixels:
        """Draw one view of the mesh per scene, at once; the quality changes nothing.

        Arguments and errors are those of the protocol.
        """
        render = partial(self._render_rigid, image_size_px=image_size_px)
        if scenes.part_motions is None:
            pixels = render(mesh, scenes, outputs)
        else:
            pixels = render_moved_views(render, mesh, scenes, outputs)
        return lambda: pixels

    def close(self) -> None:
        """Free everything on the device."""
        with self._context.make_current():
            self._renderer.delete()
        self._context.close()

    def _render_rigid(
        self, mesh: Mesh, scenes: Scenes, outputs: Collection[OutputName], *, image_size_px: int
    ) -> Pixels:
        """Draw one view per scene of a mesh that stands still in the object's frame."""
        doubled = make_double_sided(mesh)
        parts = list(iter_parts(self._pyrender, doubled))
        self._renderer.has_encoded_colors = mesh.has_encoded_colors
        corners = get_triangle_corners(doubled) if set(outputs) - {"rgb"} else None
        self._renderer.viewport_width = self._renderer.viewport_height = image_size_px
        pictures: list[NDArray[np.uint8]] = []
        views: list[VisibleSurface] = []
        with self._context.make_current(), ExitStack() as stack:
            nodes = self._add_parts(parts, stack)
            for view in range(len(scenes)):
                strengths = light.LightStrengths.from_scenes(scenes, view)
                self._scene.set_view(scenes, view, strengths)
                for part in parts:
                    part.set_emission(strengths.headroom)
                pictures.append(light.build_display_table(strengths.headroom)[self._draw_colors()])
                if corners is not None:
                    numbers, depth = self._draw_triangle_numbers(nodes)
                    views.append(compute_visible_surface(numbers, depth, corners, scenes, view))
        return Pixels(np.stack(pictures), **stack_surface_outputs(outputs, scenes, views))

    def _add_parts(self, parts: Sequence[MeshPart], stack: ExitStack) -> list[Any]:
        """Add the parts to the scene until ``stack`` ends, and return their nodes.

        Transparent parts have a node of their own: pyrender draws them after the others.
        """
        scene, floor = self._scene.scene, self._scene.floor
        solid = {part.primitive: part.first for part in parts if part.is_solid}
        self._renderer.first = {floor.mesh.primitives[0]: 0, **solid}
        self._renderer.cutoffs = {part.primitive: part.cutoff for part in parts if part.cutoff is not None}
        nodes: list[Any] = []
        for transparent in (False, True):
            primitives = [part.primitive for part in parts if part.is_transparent == transparent]
            if primitives:
                nodes.append(scene.add(self._pyrender.Mesh(primitives), parent_node=self._scene.object_node))
                stack.callback(scene.remove_node, nodes[-1])
        self._renderer.nodes = (floor, *nodes)
        return nodes

    def _draw_colors(self) -> NDArray[np.uint8]:
        flags = self._pyrender.RenderFlags
        picture, _ = self._renderer.render(self._scene.scene, flags.OFFSCREEN | flags.SHADOWS_SPOT)
        return picture

    def _draw_triangle_numbers(self, nodes: Sequence[Any]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return bytes [S, S, 3] of triangle numbers from 1, and depths [S, S], at pixel centers."""
        flags = self._pyrender.RenderFlags
        # The values would be segmentation colors; our shader ignores them, and only the keys are drawn.
        nodes_to_draw = dict.fromkeys((self._scene.floor, *nodes), 0)
        return self._renderer.render(self._scene.scene, flags.OFFSCREEN | flags.SEG, nodes_to_draw)
