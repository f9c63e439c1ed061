"""Framebuffers and textures for a batch of views, made once per size and reused."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import moderngl

BORDER_PX = 2
"""Width of the border drawn around every picture, which the pixel filter reads at the picture's edge."""


@dataclass(frozen=True, slots=True)
class TileGrid:
    """An atlas of equal tiles, filled row by row."""

    columns: int
    rows: int
    tile_px: int

    @classmethod
    def from_num_tiles(cls, num_tiles: int, tile_px: int) -> "TileGrid":
        """Return a grid that is about as wide as high."""
        columns = ceil(sqrt(num_tiles))
        return cls(columns, ceil(num_tiles / columns), tile_px)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.columns * self.tile_px, self.rows * self.tile_px

    @property
    def tiles(self) -> tuple[int, int]:
        """Numbers of tiles across and down."""
        return self.columns, self.rows

    def compute_origin(self, index: int) -> tuple[int, int]:
        """Return the first pixel (x, y) of a tile."""
        return index % self.columns * self.tile_px, index // self.columns * self.tile_px


class DepthAtlas:
    """Depth maps that are compared with bilinear weights, and if asked for, silhouettes with mipmaps."""

    def __init__(self, context: "moderngl.Context", grid: TileGrid, *, silhouettes: bool) -> None:
        self.grid = grid
        self.margin = 1 - 2 / grid.tile_px
        """Share of a tile's width that is used, so that filters do not read from its neighbors."""
        self.depth = context.depth_texture(grid.size)
        self.depth.compare_func = "<="
        self.depth.filter = (context.LINEAR, context.LINEAR)
        self.depth.repeat_x = self.depth.repeat_y = False
        self.cover = context.texture(grid.size, 1) if silhouettes else None
        self.framebuffer = context.framebuffer([self.cover] if self.cover else [], self.depth)

    def release(self) -> None:
        """Free the memory on the device."""
        for item in (self.framebuffer, self.depth, self.cover):
            if item is not None:
                item.release()


@dataclass(frozen=True, slots=True)
class TargetSizes:
    """The sizes of all targets of a batch of views."""

    num_views: int
    image_px: int
    supersampling: int
    floor_step: int
    floor_margin: int = 0
    """Number of texels of the floor's light beyond the picture."""

    @property
    def samples(self) -> TileGrid:
        """Grid of the geometry and its light."""
        return TileGrid.from_num_tiles(self.num_views, (self.image_px + 2 * BORDER_PX) * self.supersampling)

    @property
    def pixels(self) -> TileGrid:
        """Grid of the pictures."""
        return TileGrid.from_num_tiles(self.num_views, self.image_px)

    @property
    def floor(self) -> TileGrid:
        """Grid of the light on the floor."""
        return TileGrid.from_num_tiles(
            self.num_views, ceil(self.image_px / self.floor_step) + self.floor_margin
        )


class GeometryLayer:
    """The surfaces that the cameras see at every sample: color, normal, material, and depth.

    A layer of a mesh with emission textures also has the values of these.
    """

    def __init__(self, context: "moderngl.Context", grid: TileGrid) -> None:
        self._context = context
        self.color = context.texture(grid.size, 4)
        self.normal = context.texture(grid.size, 4, dtype="f2")
        self.material = context.texture(grid.size, 1, dtype="u2")
        self.depth = context.texture(grid.size, 1, dtype="f4")
        self._test = context.depth_renderbuffer(grid.size)
        self._textures = [self.color, self.normal, self.material, self.depth]
        for texture in self._textures:
            texture.filter = (context.NEAREST, context.NEAREST)
        self._framebuffers = [context.framebuffer(self._textures, self._test)]
        self._only_depth = context.framebuffer([self.depth], self._test)
        self.inputs = {
            "color_buffer": self.color,
            "normal_buffer": self.normal,
            "material_buffer": self.material,
            "depth_buffer": self.depth,
        }

    def get_framebuffer(self, *, emissive: bool) -> "moderngl.Framebuffer":
        """Return the framebuffer of the layer; that with emission is made when it is first used."""
        if emissive and len(self._framebuffers) == 1:
            emission = self._context.texture(self.color.size, 4, dtype="f2")
            emission.filter = (self._context.NEAREST, self._context.NEAREST)
            self._textures.append(emission)
            self._framebuffers.append(self._context.framebuffer(self._textures, self._test))
            self.inputs["emission_buffer"] = emission
        return self._framebuffers[int(emissive)]

    def clear(self) -> None:
        """Mark all samples as empty; only depth needs to be cleared for that."""
        self._only_depth.clear(depth=1.0)

    def release(self) -> None:
        """Free the memory on the device."""
        for item in (*self._framebuffers, self._only_depth, *self._textures, self._test):
            item.release()


class ViewTargets:
    """The targets of a batch of views: geometry and light per sample, the floor's light, and pictures."""

    def __init__(self, context: "moderngl.Context", size: TargetSizes) -> None:
        self.size = size
        self._context = context
        self._layers: list[GeometryLayer] = []
        self.light = context.texture(size.samples.size, 4, dtype="f2")
        self.floor = context.texture(size.floor.size, 4, dtype="f2")
        self.picture = context.texture(size.pixels.size, 4)
        self._framebuffers = {
            texture: context.framebuffer([texture]) for texture in (self.light, self.floor, self.picture)
        }

    def get_layer(self, number: int) -> GeometryLayer:
        """Return the layer of the n-th surface behind each other.

        Two layers are used in turn, since a layer needs only the one before it.
        """
        while len(self._layers) <= number % 2:
            self._layers.append(GeometryLayer(self._context, self.size.samples))
        return self._layers[number % 2]

    def get_framebuffer(self, texture: "moderngl.Texture") -> "moderngl.Framebuffer":
        """Return the framebuffer that draws into one of the targets."""
        return self._framebuffers[texture]

    def release(self) -> None:
        """Free the memory on the device."""
        for item in (*self._framebuffers.values(), *self._layers, self.light, self.floor, self.picture):
            item.release()


class OutputTargets:
    """The targets of what one sample at each pixel's center sees: mask; normal and depth; coordinates."""

    def __init__(self, context: "moderngl.Context", num_views: int, image_px: int) -> None:
        self.grid = TileGrid.from_num_tiles(num_views, image_px)
        self.mask = context.texture(self.grid.size, 1)
        self.surface = context.texture(self.grid.size, 4, dtype="f4")
        self.coordinates = context.texture(self.grid.size, 4, dtype="f4")
        self._depth = context.depth_renderbuffer(self.grid.size)
        self.framebuffer = context.framebuffer([self.mask, self.surface, self.coordinates], self._depth)

    def release(self) -> None:
        """Free the memory on the device."""
        for item in (self.framebuffer, self.mask, self.surface, self.coordinates, self._depth):
            item.release()
