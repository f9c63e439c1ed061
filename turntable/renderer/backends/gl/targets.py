"""Frame buffers for a batch of views, made once a size and used again."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import moderngl

BORDER_PX = 2
"""Drawn around every picture, so that the pixel filter at its rim finds what lies beyond."""


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

    def origin(self, index: int) -> tuple[int, int]:
        """The first pixel of a tile."""
        return index % self.columns * self.tile_px, index // self.columns * self.tile_px


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


@dataclass(frozen=True, slots=True)
class ViewSize:
    """How large everything of a batch of views is."""

    views: int
    image_px: int
    supersampling: int
    floor_step: int

    @property
    def samples(self) -> Grid:
        """Of the geometry and its light."""
        return Grid.of(self.views, (self.image_px + 2 * BORDER_PX) * self.supersampling)

    @property
    def pixels(self) -> Grid:
        """Of the pictures."""
        return Grid.of(self.views, self.image_px)

    @property
    def floor(self) -> Grid:
        """Of the light on the floor."""
        return Grid.of(self.views, ceil(self.image_px / self.floor_step))


class Layer:
    """What the camera sees at every sample: color, normal, material, and depth along its axis."""

    def __init__(self, context: "moderngl.Context", grid: Grid) -> None:
        self.color = context.texture(grid.size, 4)
        self.normal = context.texture(grid.size, 4, dtype="f2")
        self.material = context.texture(grid.size, 1, dtype="u2")
        self.depth = context.texture(grid.size, 1, dtype="f4")
        self._test = context.depth_renderbuffer(grid.size)
        self._textures = [self.color, self.normal, self.material, self.depth]
        for texture in self._textures:
            texture.filter = (context.NEAREST, context.NEAREST)
        self.framebuffer = context.framebuffer(self._textures, self._test)
        self._only_depth = context.framebuffer([self.depth], self._test)
        self.inputs = {
            "color_buffer": self.color,
            "normal_buffer": self.normal,
            "material_buffer": self.material,
            "depth_buffer": self.depth,
        }

    def clear(self) -> None:
        """Nothing is there: only depth needs to say so."""
        self._only_depth.clear(depth=1.0)

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (self.framebuffer, self._only_depth, *self._textures, self._test):
            item.release()


class ViewTargets:
    """What a batch of views is drawn into: geometry and light a sample, the floor's light, pictures."""

    def __init__(self, context: "moderngl.Context", size: ViewSize) -> None:
        self.size = size
        self._context = context
        self._layers: list[Layer] = []
        self.light = context.texture(size.samples.size, 4, dtype="f2")
        self.floor = context.texture(size.floor.size, 4, dtype="f2")
        self.picture = context.texture(size.pixels.size, 4)
        self._framebuffers = {
            texture: context.framebuffer([texture]) for texture in (self.light, self.floor, self.picture)
        }

    def layer(self, number: int) -> Layer:
        """The n-th surface behind each other. Two are kept, used in turn: a layer knows the one before it."""
        while len(self._layers) <= number % 2:
            self._layers.append(Layer(self._context, self.size.samples))
        return self._layers[number % 2]

    def framebuffer_of(self, texture: "moderngl.Texture") -> "moderngl.Framebuffer":
        """For drawing into one of the targets."""
        return self._framebuffers[texture]

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (*self._framebuffers.values(), *self._layers, self.light, self.floor, self.picture):
            item.release()


class OutputTargets:
    """What one sample at each pixel's centre sees: mask; normal and depth; object coordinates."""

    def __init__(self, context: "moderngl.Context", views: int, image_px: int) -> None:
        self.grid = Grid.of(views, image_px)
        self.mask = context.texture(self.grid.size, 1)
        self.surface = context.texture(self.grid.size, 4, dtype="f4")
        self.coordinates = context.texture(self.grid.size, 4, dtype="f4")
        self._depth = context.depth_renderbuffer(self.grid.size)
        self.framebuffer = context.framebuffer([self.mask, self.surface, self.coordinates], self._depth)

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (self.framebuffer, self.mask, self.surface, self.coordinates, self._depth):
            item.release()
