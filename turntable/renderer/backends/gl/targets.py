"""Frame buffers for a batch of views, made once a size and used again."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import moderngl


@dataclass(frozen=True, slots=True)
class Grid:
    """An atlas of equal tiles, filled row by row."""

    columns: int
    rows: int
    tile_px: int

    @classmethod
    def of(cls, tiles: int, tile_px: int) -> "Grid":
        """A grid about as wide as high."""
        columns = ceil(sqrt(tiles))
        return cls(columns, ceil(tiles / columns), tile_px)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.columns * self.tile_px, self.rows * self.tile_px

    @property
    def tiles(self) -> tuple[int, int]:
        """Tiles across and down."""
        return self.columns, self.rows


class DepthAtlas:
    """Depth maps, compared with bilinear weights when read, and if asked their silhouettes with mipmaps."""

    def __init__(self, context: "moderngl.Context", grid: Grid, *, silhouettes: bool) -> None:
        self.grid = grid
        self.margin = 1 - 2 / grid.tile_px
        """The share of a tile that is used, so that filters stay inside it."""
        self.depth = context.depth_texture(grid.size)
        self.depth.compare_func = "<="
        self.depth.filter = (context.LINEAR, context.LINEAR)
        self.depth.repeat_x = self.depth.repeat_y = False
        self.cover = context.texture(grid.size, 1) if silhouettes else None
        self.framebuffer = context.framebuffer([self.cover] if self.cover else [], self.depth)

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (self.framebuffer, self.depth, self.cover):
            if item is not None:
                item.release()


class ViewTargets:
    """What a batch of views is drawn into: geometry and light at every sample, pictures a pixel."""

    def __init__(self, context: "moderngl.Context", views: int, image_px: int, supersampling: int) -> None:
        self.samples = Grid.of(views, image_px * supersampling)
        self.pixels = Grid.of(views, image_px)
        size = self.samples.size
        self.color = context.texture(size, 4)
        self.normal = context.texture(size, 4, dtype="f2")
        self.material = context.texture(size, 1, dtype="u2")
        self.light = context.texture(size, 4, dtype="f2")
        self.picture = context.texture(self.pixels.size, 4)
        self.depth = [_plain_depth(context, size) for _ in range(2)]
        surface = [self.color, self.normal, self.material]
        self.surface = {
            "color_buffer": self.color,
            "normal_buffer": self.normal,
            "material_buffer": self.material,
        }
        for texture in [*surface, self.light]:
            texture.filter = (context.NEAREST, context.NEAREST)
        self.geometry = [context.framebuffer(surface, depth) for depth in self.depth]
        self.lit = context.framebuffer([self.light])
        self.resolved = context.framebuffer([self.picture])

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (*self.geometry, self.lit, self.resolved):
            item.release()
        for item in (
            self.color,
            self.normal,
            self.material,
            self.light,
            self.picture,
            *self.depth,
        ):
            item.release()


class OutputTargets:
    """What one sample at each pixel's centre sees: mask; normal and depth; object coordinates."""

    def __init__(self, context: "moderngl.Context", views: int, image_px: int) -> None:
        self.grid = Grid.of(views, image_px)
        self.mask = context.texture(self.grid.size, 1)
        self.surface = context.texture(self.grid.size, 4, dtype="f4")
        self.coordinates = context.texture(self.grid.size, 4, dtype="f4")
        self._depth = _plain_depth(context, self.grid.size)
        self.framebuffer = context.framebuffer([self.mask, self.surface, self.coordinates], self._depth)

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (self.framebuffer, self.mask, self.surface, self.coordinates, self._depth):
            item.release()


def _plain_depth(context: "moderngl.Context", size: tuple[int, int]) -> "moderngl.Texture":
    texture = context.depth_texture(size)
    texture.compare_func = ""
    texture.filter = (context.NEAREST, context.NEAREST)
    return texture
