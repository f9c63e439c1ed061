"""The pyrender backend: pyrender's pictures of our scene, under our tone curve.

What it has: the exact camera, poses, colours and textures; the spot with a hard shadow (a map of 2048 x
2048); the sun's light, but none of its soft shadows; the world as one grey; four samples a pixel, whatever
the quality. Clear things cast whole shadows and blend in display values. What pixel centres see is exact.
"""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import OutputName
from turntable.renderer.backends.protocol import Backend, Device, Pending, Pixels, Quality
from turntable.renderer.backends.pyrender import light
from turntable.renderer.backends.pyrender.context import Context, library
from turntable.renderer.backends.pyrender.parts import MeshPart, corners, doubled, parts
from turntable.renderer.backends.pyrender.seen import seen
from turntable.renderer.backends.pyrender.stage import Stage
from turntable.renderer.backends.pyrender.surface_pass import make_renderer
from turntable.renderer.backends.surface import Seen, surfaces_of
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes


class PyrenderBackend(Backend):
    """The :class:`~turntable.renderer.backends.protocol.Backend` on pyrender.

    Raises:
        MissingExtraError: pyrender is not installed.
        DeviceError: It finds no OpenGL device.
    """

    def __init__(self, device: int | None = None) -> None:
        """Open the device of this index among EGL's; None is the first."""
        self._pyrender = library()
        self._context = Context(device or 0)
        with self._context.current():
            self._renderer = make_renderer(self._pyrender)
        self._stage = Stage(self._pyrender)

    @property
    def device(self) -> Device:
        """What draws."""
        return self._context.device

    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,  # noqa: ARG002
        outputs: Collection[OutputName] = ("rgb",),
    ) -> Pending:
        """Draw one view of the mesh a scene, at once; see the protocol. The quality changes nothing."""
        whole = doubled(mesh)
        pieces = list(parts(self._pyrender, whole))
        numbered = corners(whole) if set(outputs) - {"rgb"} else None
        self._renderer.viewport_width = self._renderer.viewport_height = image_size_px
        pictures: list[NDArray[np.uint8]] = []
        views: list[Seen] = []
        with self._context.current(), ExitStack() as held:
            nodes = self._enter(pieces, held)
            for view in range(len(scenes)):
                strengths = light.Strengths.of(scenes, view)
                self._stage.show(scenes, view, strengths)
                for piece in pieces:
                    piece.glow(strengths.headroom)
                pictures.append(light.display_table(strengths.headroom)[self._draw_colors()])
                if numbered is not None:
                    numbers, depth = self._draw_numbers(nodes)
                    views.append(seen(numbers, depth, numbered, scenes, view))
        pixels = Pixels(np.stack(pictures), **surfaces_of(outputs, scenes, views))
        return lambda: pixels

    def close(self) -> None:
        """Free everything on the device."""
        with self._context.current():
            self._renderer.delete()
        self._context.close()

    def _enter(self, pieces: Sequence[MeshPart], held: ExitStack) -> list[Any]:
        """Bring the parts onto the stage, until ``held`` ends; their nodes, what is clear apart."""
        scene, floor = self._stage.scene, self._stage.floor
        solid = {part.primitive: part.first for part in pieces if part.solid}
        self._renderer.first = {floor.mesh.primitives[0]: 0, **solid}
        nodes: list[Any] = []
        for clear in (False, True):
            primitives = [part.primitive for part in pieces if part.clear == clear]
            if primitives:
                nodes.append(scene.add(self._pyrender.Mesh(primitives), parent_node=self._stage.turning))
                held.callback(scene.remove_node, nodes[-1])
        return nodes

    def _draw_colors(self) -> NDArray[np.uint8]:
        flags = self._pyrender.RenderFlags
        picture, _ = self._renderer.render(self._stage.scene, flags.OFFSCREEN | flags.SHADOWS_SPOT)
        return picture

    def _draw_numbers(self, nodes: Sequence[Any]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Bytes [S, S, 3] of triangle numbers from 1, and depths [S, S], at pixel centres."""
        flags = self._pyrender.RenderFlags
        drawn = dict.fromkeys((self._stage.floor, *nodes), 0)
        return self._renderer.render(self._stage.scene, flags.OFFSCREEN | flags.SEG, drawn)
