"""Views of one mesh, drawn together: shadow maps, geometry, light and the pixel filter, then one readback.

Every view has a tile of an atlas, and every pass draws all views at once, one instance each. The maps of the
sun's shadow belong to the mesh, not to a view: the sun stands still while the object turns, so in the
object's frame all views together need directions over the whole sphere, and each reads those nearest to its
own sun.
"""

from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.outputs import OutputName
from turntable.renderer import lighting
from turntable.renderer.backends.gl import programs, tables
from turntable.renderer.backends.gl.constants import float_texture
from turntable.renderer.backends.gl.targets import DepthAtlas, Grid, ViewTargets
from turntable.renderer.backends.gl.upload import DeviceMesh
from turntable.renderer.backends.protocol import Quality
from turntable.renderer.backends.surface import Surfaces, surfaces
from turntable.renderer.meshes.mesh import Mesh
from turntable.renderer.scene import Scenes

if TYPE_CHECKING:
    import moderngl

    from turntable.renderer.backends.gl.backend import GLBackend

Inputs = dict[str, Any]
"""Uniform values and textures by their name in the shaders."""

CLIP_PLANES = tuple(0x3000 + plane for plane in range(4))
"""GL_CLIP_DISTANCE0 and on: one an edge of a tile."""
TRANSPARENT_LAYERS = 4
"""How many surfaces behind each other are drawn of a mesh that one can see through."""
DTYPES = {"f1": np.uint8, "f4": np.float32}
"""Of what is read back, by moderngl's name for the texture's."""
SPOT_BIAS, SUN_BIAS = 0.004, 0.008
"""Of the depth that a map spans."""


class Drawing:
    """One mesh on the device, from its upload to its last view."""

    def __init__(self, backend: "GLBackend", mesh: Mesh, image_px: int, quality: Quality) -> None:
        self._backend, self._context = backend, backend.context
        self._image_px, self._quality = image_px, quality
        self._held = ExitStack()
        self._mesh = DeviceMesh(self._context, backend.programs, mesh)
        self._held.callback(self._mesh.release)
        self._directions = lighting.sphere_directions(quality.sun_maps)
        self._sun = self._draw_sun_maps()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._held.close()

    def draw(self, scenes: Scenes, outputs: Collection[OutputName]) -> dict[str, NDArray[Any]]:
        """Draw one view a scene; the fields of ``Pixels`` that were asked for."""
        with ExitStack() as held:
            inputs = {**self._sun, **self._view_tables(scenes, held), **self._backend.constants.inputs}
            inputs |= self._draw_spot_maps(inputs, len(scenes))
            targets = self._backend.targets(len(scenes), self._image_px, self._quality.supersampling)
            self._draw_light(targets, inputs, len(scenes))
            self._resolve(targets, inputs)
            more = self._draw_outputs(inputs, len(scenes), outputs) if set(outputs) - {"rgb"} else {}
            return {"rgb": _tiles(targets.picture, targets.pixels, len(scenes))[..., :3], **more}

    def _draw_sun_maps(self) -> Inputs:
        quality = self._quality
        frames = float_texture(self._context, tables.sun_frames(self._directions))
        self._held.callback(frames.release)
        atlas = self._backend.atlas("sun", quality.sun_maps, quality.sun_map_px, silhouettes=True)
        assert atlas.cover is not None
        self._draw_depth(
            "sun_map", atlas, {"sun_frames": frames, "radius": self._mesh.extent.radius}, quality.sun_maps
        )
        atlas.cover.build_mipmaps()
        atlas.cover.filter = (self._context.LINEAR_MIPMAP_LINEAR, self._context.LINEAR)
        return {
            **_atlas_inputs("sun", atlas, SUN_BIAS),
            "sun_cover": atlas.cover,
            "sun_spread": tables.direction_spread(quality.sun_maps),
            "sun_map_px": quality.sun_map_px,
            "sun_frames": frames,
            "sun_taps": quality.sun_taps,
        }

    def _view_tables(self, scenes: Scenes, held: ExitStack) -> Inputs:
        """The numbers of these views as textures."""
        extent, quality = self._mesh.extent, self._quality
        rows = tables.view_table(scenes, extent, self._image_px, self._directions, quality.sun_taps)
        views = float_texture(self._context, rows)
        spots = float_texture(self._context, tables.spot_table(scenes, extent, quality))
        held.callback(views.release)
        held.callback(spots.release)
        return {"view_table": views, "spot_table": spots, "spot_samples": quality.spot_samples}

    def _draw_spot_maps(self, inputs: Inputs, views: int) -> Inputs:
        instances = views * self._quality.spot_samples
        atlas = self._backend.atlas("spot", instances, self._quality.spot_map_px)
        self._draw_depth("spot_map", atlas, inputs, instances)
        return _atlas_inputs("spot", atlas, SPOT_BIAS)

    def _draw_depth(self, name: str, atlas: DepthAtlas, inputs: Inputs, instances: int) -> None:
        atlas.framebuffer.use()
        atlas.framebuffer.clear(depth=1.0)
        # Steep surfaces span much depth within a texel.
        self._context.polygon_offset = (1.5, 2.0)
        program = programs.transparent(name) if self._mesh.transparent else name
        self._mesh.draw(program, {**inputs, **_tiling(atlas.grid), "margin": atlas.margin}, instances)
        self._context.polygon_offset = (0.0, 0.0)

    def _draw_light(self, targets: ViewTargets, inputs: Inputs, views: int) -> None:
        """Geometry, then light on it; layer by layer, nearest first, where one can see through the mesh."""
        targets.lit.clear()
        for layer in range(TRANSPARENT_LAYERS if self._mesh.transparent else 1):
            depth, behind = targets.depth[layer % 2], targets.depth[1 - layer % 2]
            geometry = targets.geometry[layer % 2]
            geometry.use()
            geometry.clear(depth=1.0)
            tiling = _tiling(targets.samples)
            with _clipping(self._context):
                self._mesh.draw(
                    "geometry", {**inputs, **tiling, "peel": layer > 0, "peeled_depth": behind}, views
                )
            targets.lit.use()
            surface = {**targets.surface, "depth_buffer": depth, "material_table": self._mesh.materials}
            size = {"tile_px": targets.samples.tile_px, "image_px": float(self._image_px)}
            self._draw_flat("lighting", {**inputs, **tiling, **surface, **size}, views)

    def _resolve(self, targets: ViewTargets, inputs: Inputs) -> None:
        weights = tables.filter_weights(self._quality.supersampling)
        targets.resolved.clear()
        targets.resolved.use()
        self._draw_flat(
            "resolve",
            {
                **inputs,
                **_tiling(targets.pixels),
                "light_buffer": targets.light,
                "image_px": self._image_px,
                "supersampling": self._quality.supersampling,
                "filter_taps": len(weights),
                "filter_weights": [
                    float(w) for w in np.pad(weights, (0, tables.MAX_FILTER_TAPS - len(weights)))
                ],
            },
        )

    def _draw_outputs(self, inputs: Inputs, views: int, outputs: Collection[OutputName]) -> Surfaces:
        targets = self._backend.output_targets(views, self._image_px)
        targets.framebuffer.use()
        targets.framebuffer.clear(depth=1.0)
        with _clipping(self._context):
            self._mesh.draw("outputs", {**inputs, **_tiling(targets.grid)}, views)
        seen = _tiles(targets.mask, targets.grid, views)[..., 0] > 0
        if set(outputs) <= {"rgb", "mask"}:  # the other buffers need not be read back
            blank = np.zeros((1, 1, 1, 1), dtype=np.float32)
            return surfaces(outputs, seen, blank[..., 0], blank, blank)
        surface = _tiles(targets.surface, targets.grid, views)
        coordinates = _tiles(targets.coordinates, targets.grid, views)
        return surfaces(outputs, seen, surface[..., 3], surface[..., :3], coordinates[..., :3])

    def _draw_flat(self, name: str, inputs: Inputs, instances: int = 1) -> None:
        """Four corners a view that take their place from the inputs, over what was drawn before."""
        context = self._context
        programs.bind(self._backend.programs[name], inputs)
        context.disable(context.DEPTH_TEST)
        context.enable(context.BLEND)
        # What is behind adds only what the nearer layers let through.
        context.blend_func = context.ONE_MINUS_DST_ALPHA, context.ONE
        self._backend.flat[name].render(context.TRIANGLE_STRIP, vertices=4, instances=instances)
        context.disable(context.BLEND)
        context.enable(context.DEPTH_TEST)


@contextmanager
def _clipping(context: "moderngl.Context") -> Generator[None, None, None]:
    """Cut what leaves a tile; for vertex shaders that say where (undefined for the others)."""
    for plane in CLIP_PLANES:
        context.enable_direct(plane)
    try:
        yield
    finally:
        for plane in CLIP_PLANES:
            context.disable_direct(plane)


def _tiling(grid: Grid) -> Inputs:
    return {"columns": grid.columns, "grid": grid.tiles}


def _atlas_inputs(name: str, atlas: DepthAtlas, bias: float) -> Inputs:
    return {
        f"{name}_maps": atlas.depth,
        f"{name}_columns": atlas.grid.columns,
        f"{name}_grid": atlas.grid.tiles,
        f"{name}_margin": atlas.margin,
        f"{name}_bias": bias,
    }


def _tiles(texture: "moderngl.Texture", grid: Grid, count: int) -> NDArray[Any]:
    """Read an atlas back as [count, S, S, channels]; the first row of a tile is the top of its picture."""
    size, channels = grid.tile_px, texture.components
    atlas = np.frombuffer(texture.read(alignment=1), dtype=DTYPES[texture.dtype])
    atlas = atlas.reshape(grid.rows, size, grid.columns, size, channels)
    return atlas.transpose(0, 2, 1, 3, 4).reshape(-1, size, size, channels)[:count]
