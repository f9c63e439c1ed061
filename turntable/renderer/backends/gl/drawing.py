"""Views of one mesh, drawn together: shadow maps, geometry, light, the pixel filter, then one readback.

Every view has a tile of an atlas, and the mesh is drawn into all of them at once, one instance each. The maps
of the sun's shadow belong to the mesh, not to a view: the sun stands still while the object turns, so in the
object's frame all views together need directions over the whole sphere, and each reads those nearest to its
own sun.
"""

from collections.abc import Callable, Collection, Generator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import OutputName
from turntable.renderer.backends.gl import projections
from turntable.renderer.backends.gl.programs import Defines
from turntable.renderer.backends.gl.readback import Reading
from turntable.renderer.backends.gl.rectangles import Inputs, Rectangle, ViewBlocks
from turntable.renderer.backends.gl.resources import Resources
from turntable.renderer.backends.gl.targets import BORDER_PX, DepthAtlas, Grid, Layer, ViewSize, ViewTargets
from turntable.renderer.backends.gl.upload import DeviceMesh
from turntable.renderer.backends.protocol import Quality
from turntable.renderer.backends.surface import Surfaces, surfaces
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import FILTER_RADIUS_PX, Scenes, paired_taps, sphere_directions

if TYPE_CHECKING:
    import moderngl

CLIP_PLANES = tuple(0x3000 + plane for plane in range(5))
"""GL_CLIP_DISTANCE0 and on: one an edge of a tile, and the floor."""
TRANSPARENT_LAYERS = 4
"""How many surfaces behind each other are drawn of a mesh that one can see through."""
SPOT_BIAS, SUN_BIAS = 0.004, 0.008
"""Of the depth that a map spans."""
LIFT = 1.2 / 64
"""How far above its surface a point looks for shadows, of the mesh's radius: about a texel of the maps."""


class MeshDrawing:
    """The drawing of one mesh on the device, from its upload to its last view."""

    def __init__(self, resources: Resources, mesh: Mesh, image_px: int, quality: Quality) -> None:
        self._resources, self._context = resources, resources.context
        self._image_px, self._quality = image_px, quality
        self._directions = sphere_directions(quality.sun_maps)
        with ExitStack() as held:
            self._mesh = DeviceMesh(self._context, resources.programs, mesh)
            held.callback(self._mesh.release)
            self._sun = resources.atlas("sun", quality.sun_maps, quality.sun_map_px, silhouettes=True)
            self._sun_rows = self._draw_sun_maps()
            self._held = held.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._held.close()

    def draw(self, scenes: Scenes, outputs: Collection[OutputName]) -> Callable[[], Surfaces]:
        """Begin to draw one view a scene; what is returned waits for the fields of ``Pixels`` asked for."""
        quality = self._quality
        size = ViewSize(len(scenes), self._image_px, quality.supersampling, quality.floor_step)
        targets = self._resources.targets(size)
        spot, spot_rows = self._draw_spot_maps(scenes)
        blocks = ViewBlocks(self._context, self._view_blocks(scenes, spot_rows))
        inputs = {**self._inputs(), "spot_maps": spot.depth}
        bounds = projections.seen_bounds(scenes, self._mesh.extent, self._image_px, BORDER_PX)
        self._light_object(targets, blocks, inputs, scenes, bounds)
        self._light_floor(targets, blocks, inputs)
        self._resolve(targets, blocks, inputs, scenes, bounds)
        blocks.release()
        picture = self._resources.readback.begin(targets.picture, size.pixels, len(scenes))
        others = self._draw_outputs(scenes, outputs) if set(outputs) - {"rgb"} else dict
        return lambda: {"rgb": picture.tiles()[..., :3], **others()}

    def _inputs(self) -> Inputs:
        quality, sun = self._quality, self._sun
        return {
            **self._resources.constants.inputs,
            "image_px": float(self._image_px),
            "border_px": float(BORDER_PX),
            "supersampling": float(quality.supersampling),
            "step_px": float(quality.floor_step),
            "lift": LIFT,
            "sun_maps": sun.depth,
            "sun_cover": sun.cover,
            "sun_spread": projections.direction_spread(quality.sun_maps),
            "sun_map_px": float(quality.sun_map_px),
            "sun_grid": tuple(float(n) for n in sun.grid.tiles),
            "sun_margin": sun.margin,
            "material_table": self._mesh.materials,
        }

    def _draw_sun_maps(self) -> NDArray[np.float64]:
        """[M, 4, 4]: where a point of the mesh is found in each map."""
        clip = projections.sun_clip(self._directions, self._mesh.extent.radius)
        placed = projections.into_atlas(clip, self._sun.grid, self._sun.margin)
        self._draw_depth(self._sun, projections.instances(placed))
        assert self._sun.cover is not None
        self._sun.cover.build_mipmaps()
        self._sun.cover.filter = (self._context.LINEAR_MIPMAP_LINEAR, self._context.LINEAR)
        return projections.map_rows(placed, SUN_BIAS)

    def _draw_spot_maps(self, scenes: Scenes) -> tuple[DepthAtlas, NDArray[np.float64]]:
        """The maps of all views, and [V, S, 5, 4] where a point of the world is found in each."""
        samples = self._quality.spot_samples
        atlas = self._resources.atlas("spot", len(scenes) * samples, self._quality.spot_map_px)
        clip = projections.spot_clip(scenes, self._mesh.extent.radius, samples).reshape(-1, 4, 4)
        placed = projections.into_atlas(clip, atlas.grid, atlas.margin)
        poses = np.repeat(scenes.object_to_world, samples, axis=0)
        self._draw_depth(atlas, projections.instances(placed, poses))
        rows = projections.map_rows(placed, SPOT_BIAS)
        places = projections.map_places(len(rows), atlas.grid, atlas.margin)
        return atlas, np.concatenate([rows, places[:, None]], axis=1).reshape(-1, samples, 5, 4)

    def _draw_depth(self, atlas: DepthAtlas, copies: NDArray[np.void]) -> None:
        atlas.framebuffer.use()
        atlas.framebuffer.clear(depth=1.0)
        # Steep surfaces span much depth within a texel.
        self._context.polygon_offset = (1.5, 2.0)
        self._mesh.draw_depth(copies)
        self._context.polygon_offset = (0.0, 0.0)

    def _view_blocks(self, scenes: Scenes, spot_rows: NDArray[np.float64]) -> NDArray[np.float32]:
        quality = self._quality
        taps = projections.sun_taps(scenes.object_to_world[:, :3, :3], self._directions, quality.sun_taps)
        return projections.view_blocks(
            scenes,
            self._mesh.extent,
            taps[:, projections.by_phase(quality.sun_taps, quality.phases)],
            self._sun_rows,
            spot_rows[:, projections.by_phase(quality.spot_samples, quality.spot_phases)],
            self._resources.constants.sun_on_floor,
        )

    def _defines(self) -> Defines:
        quality = self._quality
        return (
            ("SUN_TAPS", quality.sun_taps),
            ("SPOT_SAMPLES", quality.spot_samples),
            ("PHASE_GRID", quality.phase_grid),
            ("PHASES", quality.phases),
            ("SPOT_PHASES", quality.spot_phases),
        )

    def _light_object(
        self,
        targets: ViewTargets,
        blocks: ViewBlocks,
        inputs: Inputs,
        scenes: Scenes,
        bounds: NDArray[np.int32],
    ) -> None:
        """Geometry, then light on it; layer by layer, nearest first, where one can see through the mesh."""
        grid, samples = targets.size.samples, self._quality.supersampling
        # What the pixel filter reads must have been written.
        reach = _grown(bounds, 3, -BORDER_PX, self._image_px + BORDER_PX) + BORDER_PX
        rectangles = [
            Rectangle(view, *_placed(box * samples, grid.origin(view)), {"tile": grid.origin(view)})
            for view, box in enumerate(reach)
        ]
        nearer: Layer | None = None
        for number in range(TRANSPARENT_LAYERS if self._mesh.transparent else 1):
            layer = targets.layer(number)
            self._draw_geometry(layer, nearer, scenes, grid)
            run = {**inputs, **layer.inputs}
            self._resources.passes.run(
                "lighting",
                targets,
                targets.light,
                rectangles,
                blocks,
                run,
                self._defines(),
                behind=nearer is not None,
            )
            nearer = layer

    def _draw_geometry(self, layer: Layer, nearer: Layer | None, scenes: Scenes, grid: Grid) -> None:
        layer.clear()
        layer.framebuffer.use()
        defines = ("SURFACE", *(("IN_TURN",) if self._mesh.in_turn else ()))
        inputs: Inputs = {"tile_px": grid.tile_px}
        if nearer is not None:
            defines, inputs = (*defines, "BEHIND"), {**inputs, "nearer_depth": nearer.depth}
        self._draw_seen("geometry", defines, inputs, scenes, grid, BORDER_PX)

    def _draw_seen(
        self, fragment: str, defines: tuple[str, ...], inputs: Inputs, scenes: Scenes, grid: Grid, border: int
    ) -> None:
        """Draw the mesh as the camera sees it, a tile a view; clipping is dear, and few views need it."""
        clip = projections.camera_clip(scenes, self._image_px, border)
        copies = projections.camera_instances(scenes, grid, clip)
        cut = projections.needs_clipping(scenes, self._mesh.extent, clip)
        if not cut.all():
            self._mesh.draw_surface(fragment, defines, inputs, copies[~cut])
        if cut.any():
            with _clipping(self._context):
                self._mesh.draw_surface(fragment, (*defines, "CLIPPED"), inputs, copies[cut])

    def _light_floor(self, targets: ViewTargets, blocks: ViewBlocks, inputs: Inputs) -> None:
        grid = targets.size.floor
        whole = np.array([0, 0, grid.tile_px, grid.tile_px])
        rectangles = [
            Rectangle(view, *_placed(whole, grid.origin(view)), {"tile": grid.origin(view)})
            for view in range(targets.size.views)
        ]
        self._resources.passes.run(
            "floor", targets, targets.floor, rectangles, blocks, inputs, self._defines()
        )

    def _resolve(
        self,
        targets: ViewTargets,
        blocks: ViewBlocks,
        inputs: Inputs,
        scenes: Scenes,
        bounds: NDArray[np.int32],
    ) -> None:
        size, taps = targets.size, paired_taps(self._quality.supersampling)
        run = {
            **inputs,
            "floor_buffer": targets.floor,
            "light_buffer": targets.light,
            "floor_texels": float(size.floor.tile_px),
            "filter_px": 2 * FILTER_RADIUS_PX,
            "filter_taps": [(float(at), float(weight)) for at, weight in taps],
        }
        whole = np.broadcast_to([0, 0, self._image_px, self._image_px], bounds.shape)
        horizons = projections.horizons(scenes, self._image_px)
        near = _grown(bounds, int(np.ceil(FILTER_RADIUS_PX)), 0, self._image_px)
        for boxes, defines in ((whole, ()), (near, (("OBJECT", ""), ("FILTER_TAPS", len(taps))))):
            rectangles = [
                self._pixels(size, view, box, horizon)
                for view, (box, horizon) in enumerate(zip(boxes, horizons, strict=True))
            ]
            self._resources.passes.run(
                "resolve",
                targets,
                targets.picture,
                rectangles,
                blocks,
                run,
                (("SUN_TAPS", 1), ("SPOT_SAMPLES", 1), *defines),
            )

    def _pixels(self, size: ViewSize, view: int, box: NDArray[np.int32], horizon: float) -> Rectangle:
        tile = size.pixels.origin(view)
        places: Inputs = {
            "tile": tile,
            "floor_tile": size.floor.origin(view),
            "light_tile": size.samples.origin(view),
            "horizon": float(horizon),
        }
        return Rectangle(view, *_placed(box, tile), places)

    def _draw_outputs(self, scenes: Scenes, outputs: Collection[OutputName]) -> Callable[[], Surfaces]:
        targets, views = self._resources.output_targets(len(scenes), self._image_px), len(scenes)
        targets.framebuffer.use()
        targets.framebuffer.clear(depth=1.0)
        self._draw_seen("outputs", ("SURFACE",), {}, scenes, targets.grid, 0)
        begin = self._resources.readback.begin
        mask = begin(targets.mask, targets.grid, views)
        if set(outputs) <= {"rgb", "mask"}:  # the other buffers need not be read back
            return lambda: _masks(mask, scenes, outputs)
        surface = begin(targets.surface, targets.grid, views)
        coordinates = begin(targets.coordinates, targets.grid, views)
        return lambda: _surfaces(mask, surface, coordinates, scenes, outputs)


def _masks(mask: Reading, scenes: Scenes, outputs: Collection[OutputName]) -> Surfaces:
    blank = np.zeros((1, 1, 1, 1), dtype=np.float32)
    return surfaces(outputs, scenes, mask.tiles()[..., 0] > 0, blank[..., 0], blank, blank)


def _surfaces(
    mask: Reading, surface: Reading, place: Reading, scenes: Scenes, outputs: Collection[OutputName]
) -> Surfaces:
    seen, tiles, coordinates = mask.tiles()[..., 0] > 0, surface.tiles(), place.tiles()[..., :3]
    normals = _towards_camera(tiles[..., :3], coordinates, scenes)
    return surfaces(outputs, scenes, seen, tiles[..., 3], normals, coordinates)


def _towards_camera(
    normals: NDArray[np.float32], coordinates: NDArray[np.float32], scenes: Scenes
) -> NDArray[np.float32]:
    """Normals [V, S, S, 3] of points in the objects' frames, in the world and turned to the camera."""
    rotation = scenes.object_to_world[:, :3, :3]
    camera = np.einsum("vji,vj->vi", rotation, scenes.camera_position - scenes.object_to_world[:, :3, 3])
    facing = (normals * (camera[:, None, None] - coordinates)).sum(axis=-1, keepdims=True)
    turned = np.where(facing < 0, -normals, normals)
    return np.einsum("vij,vrcj->vrci", rotation, turned).astype(np.float32)


def _grown(boxes: NDArray[np.int32], by: int, low: int, high: int) -> NDArray[np.int32]:
    return np.clip(boxes + np.array([-by, -by, by, by]), low, high)


def _placed(box: NDArray[Any], origin: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and one-past-last texel of a box [4] in a tile that begins at ``origin``."""
    x, y = origin
    return (x + int(box[0]), y + int(box[1])), (x + int(box[2]), y + int(box[3]))


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
