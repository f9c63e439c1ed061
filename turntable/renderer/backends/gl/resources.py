"""The programs and buffers that a device holds from one mesh to the next."""

from typing import TYPE_CHECKING

from turntable.renderer.backends.gl.constants import Constants
from turntable.renderer.backends.gl.programs import COMPUTE_VERSION_CODE, Programs
from turntable.renderer.backends.gl.readback import Readback
from turntable.renderer.backends.gl.rectangles import RectanglePasses
from turntable.renderer.backends.gl.targets import DepthAtlas, Grid, OutputTargets, ViewSize, ViewTargets

if TYPE_CHECKING:
    import moderngl


class Resources:
    """The programs and buffers of one context."""

    def __init__(self, context: "moderngl.Context", *, compute: bool) -> None:
        """Prepare what is small; a program or a large buffer is made when it is first asked for.

        Args:
            context: The context of the device.
            compute: Whether to light in compute shaders where the device has them.
        """
        self.context = context
        self.programs = Programs(context, compute=compute and context.version_code >= COMPUTE_VERSION_CODE)
        self.passes = RectanglePasses(context, self.programs)
        self.constants = Constants(context)
        self.readback = Readback(context)
        self._resting_place = context.simple_framebuffer((1, 1))
        self._targets: dict[ViewSize, ViewTargets] = {}
        self._output_targets: dict[tuple[int, int], OutputTargets] = {}
        self._atlases: dict[tuple[str, Grid], DepthAtlas] = {}

    def targets(self, size: ViewSize) -> ViewTargets:
        """Return buffers for a batch of views; those of the size last used are kept."""
        if size not in self._targets:
            self._release(*self._targets.values())
            self._targets = {size: ViewTargets(self.context, size)}
        return self._targets[size]

    def output_targets(self, views: int, image_px: int) -> OutputTargets:
        """Return buffers for what pixel centres see; those of the size last used are kept."""
        key = (views, image_px)
        if key not in self._output_targets:
            self._release(*self._output_targets.values())
            self._output_targets = {key: OutputTargets(self.context, *key)}
        return self._output_targets[key]

    def atlas(self, name: str, tiles: int, tile_px: int, *, silhouettes: bool = False) -> DepthAtlas:
        """Return depth maps for one use; those of the size last used are kept."""
        grid = Grid.of(tiles, tile_px)
        if (name, grid) not in self._atlases:
            for key in [key for key in self._atlases if key[0] == name]:
                self._release(self._atlases.pop(key))
            self._atlases[name, grid] = DepthAtlas(self.context, grid, silhouettes=silhouettes)
        return self._atlases[name, grid]

    def release_buffers(self, awaited: "tuple[moderngl.Buffer, ...]") -> None:
        """Free all but the pictures that are awaited; it is made anew when it is needed."""
        self.readback.give_up(since=awaited)
        kept = (*self._targets.values(), *self._output_targets.values(), *self._atlases.values())
        self._release(*kept, self.readback)
        for table in (self._targets, self._output_targets, self._atlases):
            table.clear()

    def _release(self, *items: ViewTargets | OutputTargets | DepthAtlas | Readback) -> None:
        # moderngl binds again what it knows as bound, and OpenGL objects to what is no longer there.
        self._resting_place.use()
        for item in items:
            item.release()
