"""The programs and buffers that one context keeps from mesh to mesh."""

from typing import TYPE_CHECKING

from turntable.renderer.backends.gl.constants import ShaderConstants
from turntable.renderer.backends.gl.programs import COMPUTE_VERSION_CODE, ShaderPrograms
from turntable.renderer.backends.gl.readback import Readback
from turntable.renderer.backends.gl.rectangles import RectanglePasses
from turntable.renderer.backends.gl.targets import (
    DepthAtlas,
    OutputTargets,
    TargetSizes,
    TileGrid,
    ViewTargets,
)

if TYPE_CHECKING:
    import moderngl


class GLResources:
    """The programs and buffers of one context."""

    def __init__(self, context: "moderngl.Context", *, compute: bool) -> None:
        """Prepare what is small; programs and large buffers are made when they are first used.

        Args:
            context: Context of the device.
            compute: True to light in compute shaders if the device has them.
        """
        self.context = context
        self.programs = ShaderPrograms(
            context, compute=compute and context.version_code >= COMPUTE_VERSION_CODE
        )
        self.passes = RectanglePasses(context, self.programs)
        self.constants = ShaderConstants(context)
        self.readback = Readback(context)
        self._idle_framebuffer = context.simple_framebuffer((1, 1))
        self._targets: dict[TargetSizes, ViewTargets] = {}
        self._output_targets: dict[tuple[int, int], OutputTargets] = {}
        self._atlases: dict[tuple[str, TileGrid], DepthAtlas] = {}

    def prepare_targets(self, size: TargetSizes) -> ViewTargets:
        """Return the targets of a batch of views; those of the size used last are kept."""
        if size not in self._targets:
            self._release(*self._targets.values())
            self._targets = {size: ViewTargets(self.context, size)}
        return self._targets[size]

    def prepare_output_targets(self, num_views: int, image_px: int) -> OutputTargets:
        """Return the targets of what pixel centers see; those of the size used last are kept."""
        key = (num_views, image_px)
        if key not in self._output_targets:
            self._release(*self._output_targets.values())
            self._output_targets = {key: OutputTargets(self.context, *key)}
        return self._output_targets[key]

    def prepare_atlas(
        self, name: str, num_tiles: int, tile_px: int, *, silhouettes: bool = False
    ) -> DepthAtlas:
        """Return depth maps for one purpose; those of the size used last are kept.

        Args:
            name: Name of the purpose.
            num_tiles: Number of maps.
            tile_px: Width of a map.
            silhouettes: True to draw silhouettes beside the depths.
        """
        grid = TileGrid.from_num_tiles(num_tiles, tile_px)
        if (name, grid) not in self._atlases:
            for key in [key for key in self._atlases if key[0] == name]:
                self._release(self._atlases.pop(key))
            self._atlases[name, grid] = DepthAtlas(self.context, grid, silhouettes=silhouettes)
        return self._atlases[name, grid]

    def release_buffers(self, awaited: "tuple[moderngl.Buffer, ...]") -> None:
        """Free all buffers except the pictures that are awaited; they are made anew when needed."""
        self.readback.discard_since(awaited=awaited)
        kept = (*self._targets.values(), *self._output_targets.values(), *self._atlases.values())
        self._release(*kept, self.readback)
        for table in (self._targets, self._output_targets, self._atlases):
            table.clear()

    def _release(self, *items: ViewTargets | OutputTargets | DepthAtlas | Readback) -> None:
        # moderngl remembers which framebuffer is bound, and binds it again later. If that one were released
        # here, OpenGL would report an error then. So bind one that is never released.
        self._idle_framebuffer.use()
        for item in items:
            item.release()
