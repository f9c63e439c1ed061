"""Drawing of the views of one mesh: shadow maps, geometry, light, the pixel filter, then one readback.

All views are drawn together. Every view has a tile of an atlas, and the mesh is drawn into all tiles at once,
one instance per view. The sun's shadow maps belong to the mesh, not to a view. The sun stands still while the
object turns, so in the object's frame the suns of all views cover the whole sphere. Maps are drawn for
directions all over the sphere, and each view reads those nearest to its own sun. The parts of an assembly
move, so it has maps of its own for every view, but only for the directions that the view reads.
"""

from collections.abc import Callable, Collection, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import OutputName
from turntable.renderer.backends.gl import projections
from turntable.renderer.backends.gl.device_mesh import DeviceMesh, PosedMesh
from turntable.renderer.backends.gl.programs import Defines
from turntable.renderer.backends.gl.readback import PendingTiles
from turntable.renderer.backends.gl.rectangles import Rectangle, ShaderInputs, ViewBlocks
from turntable.renderer.backends.gl.resources import GLResources
from turntable.renderer.backends.gl.targets import (
    BORDER_PX,
    DepthAtlas,
    GeometryLayer,
    TargetSizes,
    TileGrid,
    ViewTargets,
)
from turntable.renderer.backends.protocol import Quality
from turntable.renderer.backends.surface_outputs import (
    SurfaceOutputs,
    build_surface_outputs,
    move_points,
)
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import FILTER_RADIUS_PX, Scenes, compute_paired_taps, compute_sphere_directions

if TYPE_CHECKING:
    import moderngl

CLIP_PLANES = tuple(0x3000 + plane for plane in range(5))
"""GL_CLIP_DISTANCE0 and the following: four for the edges of a tile, and one for the floor."""
NUM_TRANSPARENT_LAYERS = 4
"""Number of surfaces behind each other that are drawn of a transparent mesh."""
SPOT_BIAS, SUN_BIAS = 0.004, 0.008
"""Offset of the depth comparison, as a share of the depth that a map spans; without it surfaces shade
themselves."""
LIFT = 1.2 / 64
"""Height above its surface, in radii of the mesh, from which a point looks for shadows: about a texel of the
maps."""


@dataclass(frozen=True, slots=True, eq=False)
class SunMaps:
    """The sun's shadow maps, and which of them the views of a batch read."""

    atlas: DepthAtlas
    rows: NDArray[np.float64]
    """[M, 4, 4] from the object's frame to places in the atlas."""
    taps: NDArray[np.float64]
    """[V, K, 4] taps of each view: direction in the world times weight, and number of the map."""


class MeshRenderer:
    """A renderer of one mesh on the device, from its upload to its last view."""

    def __init__(self, resources: GLResources, mesh: Mesh, image_px: int, quality: Quality) -> None:
        self._resources, self._context = resources, resources.context
        self._image_px, self._quality = image_px, quality
        self._directions = compute_sphere_directions(quality.num_sun_maps)
        with ExitStack() as held:
            self._mesh = DeviceMesh(self._context, resources.programs, mesh)
            held.callback(self._mesh.release)
            self._sun: SunMaps | None = None
            if self._mesh.part_boxes is None:
                self._sun = self._draw_sun_maps(self._mesh.pose(), self._directions)
            # Nothing failed, so keep the mesh until ``__exit__``.
            self._held = held.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._held.close()

    def begin(self, scenes: Scenes, outputs: Collection[OutputName]) -> Callable[[], SurfaceOutputs]:
        """Begin to draw one view per scene; return a function that waits for the outputs by name."""
        quality = self._quality
        starts = projections.compute_floor_starts(scenes, quality.floor_step_px)
        size = TargetSizes(
            len(scenes),
            self._image_px,
            quality.supersampling,
            quality.floor_step_px,
            floor_margin=int(starts.any()),
        )
        targets = self._resources.prepare_targets(size)
        mesh = self._mesh.pose(scenes)
        sun = self._prepare_sun(mesh, scenes)
        spot, spot_rows = self._draw_spot_maps(mesh, scenes)
        blocks = ViewBlocks(self._context, self._build_view_blocks(mesh, scenes, sun, spot_rows))
        inputs = {**self._build_inputs(sun.atlas), "spot_maps": spot.depth}
        bounds = projections.compute_object_bounds(scenes, mesh.extent, self._image_px, BORDER_PX)
        self._shade_object(targets, blocks, inputs, scenes, bounds, mesh)
        self._shade_floor(targets, blocks, inputs, starts)
        self._resolve(targets, blocks, inputs, scenes, bounds, starts)
        blocks.release()
        picture = self._resources.readback.begin(targets.picture, size.pixels, len(scenes))
        others = self._draw_outputs(mesh, scenes, outputs) if set(outputs) - {"rgb"} else dict
        mesh.release()
        return lambda: {"rgb": picture.read_tiles()[..., :3], **others()}

    def _build_inputs(self, sun: DepthAtlas) -> ShaderInputs:
        quality = self._quality
        return {
            **self._resources.constants.inputs,
            "image_px": float(self._image_px),
            "border_px": float(BORDER_PX),
            "supersampling": float(quality.supersampling),
            "step_px": float(quality.floor_step_px),
            "lift": LIFT,
            "sun_maps": sun.depth,
            "sun_cover": sun.cover,
            "sun_spread": projections.compute_direction_spread(quality.num_sun_maps),
            "sun_map_px": float(quality.sun_map_px),
            "sun_grid": tuple(float(n) for n in sun.grid.tiles),
            "sun_margin": sun.margin,
            "material_table": self._mesh.materials,
        }

    def _prepare_sun(self, mesh: PosedMesh, scenes: Scenes) -> SunMaps:
        """Return the sun's maps of a batch: those of the mesh, or of an assembly those that views read."""
        num_taps = self._quality.num_sun_taps
        taps = projections.compute_sun_taps(scenes.object_to_world[:, :3, :3], self._directions, num_taps)
        if self._sun is not None:
            return replace(self._sun, taps=taps)
        read = taps[..., 3].astype(np.intp).ravel()
        views = np.repeat(np.arange(len(scenes), dtype=np.int32), num_taps)
        maps = self._draw_sun_maps(mesh, self._directions[read], views)
        taps[..., 3] = np.arange(len(read)).reshape(len(scenes), num_taps)
        return replace(maps, taps=taps)

    def _draw_sun_maps(
        self, mesh: PosedMesh, directions: NDArray[np.float64], views: NDArray[np.int32] | None = None
    ) -> SunMaps:
        """Draw the sun's maps of the mesh, or of an assembly as some of the views show it.

        Args:
            mesh: Mesh of a batch.
            directions: Directions [M, 3] in the object's frame.
            views: View [M] of each map of an assembly.
        """
        quality = self._quality
        atlas = self._resources.prepare_atlas("sun", len(directions), quality.sun_map_px, silhouettes=True)
        radius = mesh.extent.radius if views is None else np.asarray(mesh.extent.radius)[views]
        clip = projections.compute_sun_clip(directions, radius)
        placed = projections.place_in_atlas(clip, atlas.grid, atlas.margin)
        self._draw_depth(mesh, atlas, projections.build_instances(placed, views=views))
        assert atlas.cover is not None
        atlas.cover.build_mipmaps()
        atlas.cover.filter = (self._context.LINEAR_MIPMAP_LINEAR, self._context.LINEAR)
        return SunMaps(atlas, projections.build_map_rows(placed, SUN_BIAS), np.zeros((0, 0, 4)))

    def _draw_spot_maps(self, mesh: PosedMesh, scenes: Scenes) -> tuple[DepthAtlas, NDArray[np.float64]]:
        """Draw the spot maps of all views; return them with rows [V, S, 5, 4] from the world to the atlas."""
        samples = self._quality.num_spot_samples
        atlas = self._resources.prepare_atlas("spot", len(scenes) * samples, self._quality.spot_map_px)
        clip = projections.compute_spot_clip(scenes, mesh.extent.radius, samples).reshape(-1, 4, 4)
        placed = projections.place_in_atlas(clip, atlas.grid, atlas.margin)
        poses = np.repeat(scenes.object_to_world, samples, axis=0)
        views = np.repeat(np.arange(len(scenes), dtype=np.int32), samples)
        self._draw_depth(mesh, atlas, projections.build_instances(placed, poses, views))
        rows = projections.build_map_rows(placed, SPOT_BIAS)
        places = projections.compute_map_places(len(rows), atlas.grid, atlas.margin)
        return atlas, np.concatenate([rows, places[:, None]], axis=1).reshape(-1, samples, 5, 4)

    def _draw_depth(self, mesh: PosedMesh, atlas: DepthAtlas, copies: NDArray[np.void]) -> None:
        atlas.framebuffer.use()
        atlas.framebuffer.clear(depth=1.0)
        # Push depths back in proportion to their slope: a steep surface spans much depth within a texel, and
        # would otherwise shade itself.
        self._context.polygon_offset = (1.5, 2.0)
        mesh.draw_depth(copies)
        self._context.polygon_offset = (0.0, 0.0)

    def _build_view_blocks(
        self, mesh: PosedMesh, scenes: Scenes, sun: SunMaps, spot_rows: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        quality = self._quality
        return projections.build_view_blocks(
            scenes,
            mesh.extent,
            sun.taps[:, projections.order_by_phase(quality.num_sun_taps, quality.num_phases)],
            sun.rows,
            spot_rows[:, projections.order_by_phase(quality.num_spot_samples, quality.num_spot_phases)],
            self._resources.constants.sun_on_floor,
        )

    def _build_defines(self) -> Defines:
        quality = self._quality
        return (
            ("SUN_TAPS", quality.num_sun_taps),
            ("SPOT_SAMPLES", quality.num_spot_samples),
            ("PHASE_GRID", quality.phase_grid),
            ("PHASES", quality.num_phases),
            ("SPOT_PHASES", quality.num_spot_phases),
        )

    def _shade_object(
        self,
        targets: ViewTargets,
        blocks: ViewBlocks,
        inputs: ShaderInputs,
        scenes: Scenes,
        bounds: NDArray[np.int32],
        mesh: PosedMesh,
    ) -> None:
        """Draw the geometry, then the light on it; layer by layer, the nearest first, if transparent."""
        grid, samples = targets.size.samples, self._quality.supersampling
        # Light all samples that the pixel filter may read, so that it meets no leftovers of earlier views.
        reach = _grow_boxes(bounds, 3, -BORDER_PX, self._image_px + BORDER_PX) + BORDER_PX
        starts = -scenes.whole_shift_px * samples % self._quality.phase_grid
        rectangles = [
            Rectangle(
                view,
                *_place_box(box * samples, grid.compute_origin(view)),
                {"tile": grid.compute_origin(view), "phase_start": tuple(start.tolist())},
            )
            for view, (box, start) in enumerate(zip(reach, starts, strict=True))
        ]
        nearer: GeometryLayer | None = None
        for number in range(NUM_TRANSPARENT_LAYERS if self._mesh.is_transparent else 1):
            layer = targets.get_layer(number)
            self._draw_geometry(layer, nearer, scenes, grid, mesh)
            self._resources.passes.run(
                "lighting",
                targets,
                targets.light,
                rectangles,
                blocks,
                {**inputs, **layer.inputs},
                (*self._build_defines(), *((("EMISSIVE", ""),) if self._mesh.is_emissive else ())),
                behind=nearer is not None,
            )
            nearer = layer

    def _draw_geometry(
        self,
        layer: GeometryLayer,
        nearer: GeometryLayer | None,
        scenes: Scenes,
        grid: TileGrid,
        mesh: PosedMesh,
    ) -> None:
        layer.clear()
        layer.get_framebuffer(emissive=self._mesh.is_emissive).use()
        defines = ("SURFACE", *(("IN_TURN",) if self._mesh.has_coincident_faces else ()))
        if self._mesh.is_emissive:
            defines = (*defines, "EMISSIVE")
        inputs: ShaderInputs = {"tile_px": grid.tile_px}
        if nearer is not None:
            defines, inputs = (*defines, "BEHIND"), {**inputs, "nearer_depth": nearer.depth}
        self._draw_from_camera(mesh, "geometry", defines, inputs, scenes, grid, BORDER_PX)

    def _draw_from_camera(
        self,
        mesh: PosedMesh,
        fragment: str,
        defines: tuple[str, ...],
        inputs: ShaderInputs,
        scenes: Scenes,
        grid: TileGrid,
        border: int,
    ) -> None:
        """Draw the mesh as the cameras see it, one tile per view.

        Clipping slows drawing down and few views need it, so those are drawn by a call of their own.
        """
        clip = projections.compute_camera_clip(scenes, self._image_px, border)
        copies = projections.build_camera_instances(scenes, grid, clip)
        clipped = projections.needs_clipping(scenes, mesh.extent, clip)
        if not clipped.all():
            mesh.draw_surface(fragment, defines, inputs, copies[~clipped])
        if clipped.any():
            with _enable_clipping(self._context):
                mesh.draw_surface(fragment, (*defines, "CLIPPED"), inputs, copies[clipped])

    def _shade_floor(
        self, targets: ViewTargets, blocks: ViewBlocks, inputs: ShaderInputs, starts: NDArray[np.int64]
    ) -> None:
        grid = targets.size.floor
        whole = np.array([0, 0, grid.tile_px, grid.tile_px])
        rectangles = [
            Rectangle(
                view,
                *_place_box(whole, grid.compute_origin(view)),
                {"tile": grid.compute_origin(view), "floor_start": tuple(start.tolist())},
            )
            for view, start in enumerate(starts)
        ]
        self._resources.passes.run(
            "floor", targets, targets.floor, rectangles, blocks, inputs, self._build_defines()
        )

    def _resolve(
        self,
        targets: ViewTargets,
        blocks: ViewBlocks,
        inputs: ShaderInputs,
        scenes: Scenes,
        bounds: NDArray[np.int32],
        starts: NDArray[np.int64],
    ) -> None:
        size, taps = targets.size, compute_paired_taps(self._quality.supersampling)
        resolve_inputs = {
            **inputs,
            "floor_buffer": targets.floor,
            "light_buffer": targets.light,
            "floor_texels": float(size.floor.tile_px),
            "filter_px": 2 * FILTER_RADIUS_PX,
            "filter_taps": [(float(at), float(weight)) for at, weight in taps],
        }
        whole = np.broadcast_to([0, 0, self._image_px, self._image_px], bounds.shape)
        floors: list[ShaderInputs] = [
            {"horizon": tuple(horizon.tolist()), "floor_start": tuple(start.tolist())}
            for horizon, start in zip(scenes.compute_horizons(self._image_px), starts, strict=True)
        ]
        # The floor everywhere, then once more with the object on it: only near the object is the filter run.
        near = _grow_boxes(bounds, int(np.ceil(FILTER_RADIUS_PX)), 0, self._image_px)
        for boxes, defines in ((whole, ()), (near, (("OBJECT", ""), ("FILTER_TAPS", len(taps))))):
            rectangles = [
                self._build_pixel_rectangle(size, view, box, floors[view]) for view, box in enumerate(boxes)
            ]
            self._resources.passes.run(
                "resolve",
                targets,
                targets.picture,
                rectangles,
                blocks,
                resolve_inputs,
                (("SUN_TAPS", 1), ("SPOT_SAMPLES", 1), *defines),
            )

    def _build_pixel_rectangle(
        self, size: TargetSizes, view: int, box: NDArray[np.int32], floor: ShaderInputs
    ) -> Rectangle:
        tile = size.pixels.compute_origin(view)
        inputs: ShaderInputs = {
            "tile": tile,
            "floor_tile": size.floor.compute_origin(view),
            "light_tile": size.samples.compute_origin(view),
            **floor,
        }
        return Rectangle(view, *_place_box(box, tile), inputs)

    def _draw_outputs(
        self, mesh: PosedMesh, scenes: Scenes, outputs: Collection[OutputName]
    ) -> Callable[[], SurfaceOutputs]:
        num_views = len(scenes)
        targets = self._resources.prepare_output_targets(num_views, self._image_px)
        targets.framebuffer.use()
        targets.framebuffer.clear(depth=1.0)
        self._draw_from_camera(mesh, "outputs", ("SURFACE",), {}, scenes, targets.grid, 0)
        begin = self._resources.readback.begin
        numbers = begin(targets.mask, targets.grid, num_views)
        has_parts = mesh.motions is not None
        if set(outputs) <= {"rgb", "mask", "parts"}:  # the other buffers need not be read back
            return lambda: _read_masks(numbers, scenes, outputs, has_parts=has_parts)
        surface = begin(targets.surface, targets.grid, num_views)
        coordinates = begin(targets.coordinates, targets.grid, num_views)
        return lambda: _read_surfaces(numbers, surface, coordinates, scenes, outputs, has_parts=has_parts)


def _read_masks(
    mask: PendingTiles, scenes: Scenes, outputs: Collection[OutputName], *, has_parts: bool
) -> SurfaceOutputs:
    blank = np.zeros((1, 1, 1, 1), dtype=np.float32)
    number = mask.read_tiles()[..., 0]
    parts = _number_to_part(number, has_parts=has_parts)
    return build_surface_outputs(outputs, scenes, number > 0, blank[..., 0], blank, blank, parts)


def _read_surfaces(
    mask: PendingTiles,
    surface: PendingTiles,
    points: PendingTiles,
    scenes: Scenes,
    outputs: Collection[OutputName],
    *,
    has_parts: bool,
) -> SurfaceOutputs:
    number = mask.read_tiles()[..., 0]
    parts = _number_to_part(number, has_parts=has_parts)
    tiles, coordinates = surface.read_tiles(), points.read_tiles()[..., :3]
    normals = _turn_to_camera(tiles[..., :3], move_points(coordinates, parts, scenes), scenes)
    return build_surface_outputs(outputs, scenes, number > 0, tiles[..., 3], normals, coordinates, parts)


def _number_to_part(number: NDArray[np.uint8], *, has_parts: bool) -> NDArray[np.uint8]:
    """Convert the numbers that are drawn into masks to parts; 0 for a mesh of one piece and off the mesh."""
    if not has_parts:
        return np.zeros_like(number)
    return np.maximum(number, 1) - np.uint8(1)


def _turn_to_camera(
    normals: NDArray[np.float32], points: NDArray[np.floating], scenes: Scenes
) -> NDArray[np.float32]:
    """Return normals in the world, turned to the camera.

    Args:
        normals: Normals [V, S, S, 3] in the objects' frames, of either sign.
        points: Their points [V, S, S, 3] in the objects' frames.
        scenes: Scenes of the V views.
    """
    rotation = scenes.object_to_world[:, :3, :3]
    camera = np.einsum("vji,vj->vi", rotation, scenes.camera_position - scenes.object_to_world[:, :3, 3])
    facing = (normals * (camera[:, None, None] - points)).sum(axis=-1, keepdims=True)
    turned = np.where(facing < 0, -normals, normals)
    return np.einsum("vij,vrcj->vrci", rotation, turned).astype(np.float32)


def _grow_boxes(boxes: NDArray[np.int32], by: int, low: int, high: int) -> NDArray[np.int32]:
    return np.clip(boxes + np.array([-by, -by, by, by]), low, high)


def _place_box(box: NDArray[Any], origin: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first and the one-past-last texel of a box [4] in a tile that begins at ``origin``."""
    x, y = origin
    return (x + int(box[0]), y + int(box[1])), (x + int(box[2]), y + int(box[3]))


@contextmanager
def _enable_clipping(context: "moderngl.Context") -> Generator[None, None, None]:
    """Clip what leaves a tile within the ``with`` block.

    Draw only with vertex shaders that write the clip distances: for others the result is undefined.
    """
    for plane in CLIP_PLANES:
        context.enable_direct(plane)
    try:
        yield
    finally:
        for plane in CLIP_PLANES:
            context.disable_direct(plane)
