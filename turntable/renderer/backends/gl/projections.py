"""Matrices of a batch of views: projections into atlases, and the rows that ``shaders/view.glsl`` reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.gl.targets import TileGrid
from turntable.renderer.scene import (
    DEFAULT_CAMERA,
    FAR,
    FLOOR_Z,
    NEAR,
    SPOT_RADIUS,
    WORLD_RADIANCE,
    Scenes,
    compute_disk_points,
    compute_perpendicular_axes,
    compute_sun_samples,
)

Array = NDArray[np.float64]

NUM_VIEW_ROWS = 11
"""Number of rows of a view's block before its sun taps."""
NUM_SUN_SAMPLES = 400
"""Number of directions by which the sun is divided among the depth maps."""
BLOCK_ALIGNMENT = 16
"""Alignment of a view's block, in rows of 16 bytes; every device accepts a block that begins there."""

INSTANCE = np.dtype(
    [
        *((name, "4f4") for name in ("clip_x", "clip_y", "clip_z", "clip_w", "place", "height")),
        ("view", "i4"),
    ]
)
"""Record of one drawn copy of a mesh, as ``shaders/mesh.vert.glsl`` takes it."""


@dataclass(frozen=True, slots=True, eq=False)
class MeshExtent:
    """The extent of a mesh in the object's frame; that of an assembly differs from view to view."""

    corners: Array
    """[8, 3] corners of the bounding box; of an assembly [V, 8 K, 3], those of the parts' boxes."""
    radius: float | Array
    """Radius of the sphere around the origin; of an assembly [V]."""


def compute_assembly_extent(boxes: Array, motions: Array) -> MeshExtent:
    """Return the extent of an assembly in each view.

    Args:
        boxes: Lowest and highest corner [K, 2, 3] of each part at rest.
        motions: Motions [V, K, 4, 4] of the parts from rest, in the object's frame.
    """
    picks = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    corners = np.take_along_axis(boxes, np.broadcast_to(picks, (len(boxes), 8, 3)), axis=1)
    moved = np.einsum("vkij,kcj->vkci", motions[..., :3, :3], corners) + motions[:, :, None, :3, 3]
    moved = moved.reshape(len(motions), -1, 3)
    return MeshExtent(moved, np.linalg.norm(moved, axis=-1).max(axis=1) * 1.001)


def compute_camera_clip(scenes: Scenes, image_px: int, border_px: int) -> Array:
    """Return matrices [V, 4, 4] from the world to the clip space of a tile.

    A tile holds the picture with a border around it. y points down.
    """
    focal = DEFAULT_CAMERA.compute_intrinsics(2)[0, 0] * image_px / (image_px + 2 * border_px)
    near, far = NEAR, FAR
    lens = np.array(
        [
            [focal, 0, 0, 0],
            [0, focal, 0, 0],
            [0, 0, (far + near) / (far - near), -2 * far * near / (far - near)],
            [0, 0, 1, 0],
        ]
    )
    clip = lens @ scenes.world_to_camera
    shift = 2 * scenes.principal_shift_px / (image_px + 2 * border_px)
    clip[:, :2] += shift[..., None] * clip[:, 3:]
    return clip


def compute_sun_clip(directions: Array, radius: float | Array) -> Array:
    """Return matrices [M, 4, 4] from the mesh's frame to tiles seen from directions [M, 3] towards the light.

    The projection is parallel, and the mesh's sphere, of one radius or of one for each direction [M], fills
    the tile.
    """
    clip = np.zeros((len(directions), 4, 4))
    radius = np.reshape(radius, (-1, 1))
    clip[:, 0, :3], clip[:, 1, :3] = (axis / radius for axis in compute_perpendicular_axes(directions))
    clip[:, 2, :3] = -directions / radius
    clip[:, 3, 3] = 1
    return clip


def compute_spot_clip(scenes: Scenes, radius: float | Array, num_samples: int) -> Array:
    """Return matrices [V, num_samples, 4, 4] from the world to tiles seen from points on the emitter.

    The projection is a perspective, and the object's sphere fills the tile.
    """
    center = scenes.object_to_world[:, None, :3, 3]
    light = scenes.light_position[:, None]
    facing = (center - light) / np.linalg.norm(center - light, axis=-1, keepdims=True)
    u, v = compute_perpendicular_axes(facing)
    offsets = SPOT_RADIUS * (compute_disk_points(num_samples) if num_samples > 1 else np.zeros((1, 2)))
    point = light + offsets[None, :, :1] * u + offsets[None, :, 1:] * v
    distance = np.linalg.norm(center - point, axis=-1, keepdims=True)
    forward = (center - point) / distance
    u, v = compute_perpendicular_axes(forward)
    # A recipe may move the object close to the light, even around it: bound the sphere, so that the near
    # plane stays in front of the light.
    sphere = np.minimum(np.reshape(radius, (-1, 1, 1)), 0.9 * distance)
    widen = np.sqrt(distance**2 - sphere**2) / sphere
    near, far = distance - sphere, distance + sphere
    clip = np.zeros((*point.shape[:2], 4, 4))
    clip[..., 0, :3], clip[..., 1, :3], clip[..., 3, :3] = widen * u, widen * v, forward
    clip[..., 2, :3] = (far + near) / (far - near) * forward
    for row in range(4):
        clip[..., row, :] -= _translate_row(clip[..., row, :3], point)
    clip[..., 2, 3] -= (2 * far * near / (far - near))[..., 0]
    return clip


def _translate_row(row: Array, point: Array) -> Array:
    """Return what to subtract from matrix rows [..., 3], as [..., 4], to make them relative to points."""
    moved = np.zeros((*row.shape[:-1], 4))
    moved[..., 3] = (row * point).sum(axis=-1)
    return moved


def place_in_atlas(clip: Array, grid: TileGrid, margin: float = 1.0) -> Array:
    """Map the clip spaces [N, 4, 4] of tiles to the clip space of the atlas; the n-th gets the n-th tile.

    Args:
        clip: Matrices [N, 4, 4] to the tiles' clip spaces.
        grid: Grid of the atlas.
        margin: Share of a tile's width that is used.
    """
    scale, middle = _compute_tile_places(len(clip), grid, margin)
    placed = clip.copy()
    for axis in range(2):
        placed[:, axis] = scale[axis] * clip[:, axis] + middle[:, axis, None] * clip[:, 3]
    return placed


def _compute_tile_places(num_tiles: int, grid: TileGrid, margin: float) -> tuple[Array, Array]:
    """Return half the size [2] of a tile's used part and the center [num_tiles, 2] of each tile, in -1..1."""
    size = np.array(grid.tiles, dtype=np.float64)
    index = np.arange(num_tiles)
    tile = np.stack([index % grid.columns, index // grid.columns], axis=-1)
    return margin / size, (2 * tile + 1) / size - 1


def build_map_rows(atlas_clip: Array, bias: float) -> Array:
    """Return matrices [..., 4, 4] from clip space to texture coordinates of shadow maps.

    Their rows give u, v and depth, each times w, and w. The bias is subtracted from the depth.
    """
    rows = 0.5 * (atlas_clip + atlas_clip[..., 3:, :])
    rows[..., 2, :] -= bias * atlas_clip[..., 3, :]
    rows[..., 3, :] = atlas_clip[..., 3, :]
    return rows


def compute_map_places(num_tiles: int, grid: TileGrid, margin: float) -> Array:
    """Return the center of each tile and half the size of its used part, [num_tiles, 4], in 0..1."""
    scale, middle = _compute_tile_places(num_tiles, grid, margin)
    return np.concatenate([0.5 * middle + 0.5, np.broadcast_to(0.5 * scale, middle.shape)], axis=-1)


def build_instances(
    atlas_clip: Array, object_to_world: Array | None = None, views: NDArray[np.integer] | None = None
) -> NDArray[np.void]:
    """Return [N] drawn copies of a mesh.

    Args:
        atlas_clip: Matrices [N, 4, 4] to the atlas's clip space; from the world with poses, else from the
            object.
        object_to_world: Poses [N, 4, 4] of the object.
        views: View [N] whose motions the parts of an assembly follow.
    """
    matrix = atlas_clip if object_to_world is None else atlas_clip @ object_to_world
    copies = np.zeros(len(matrix), dtype=INSTANCE)
    for row, name in enumerate(("clip_x", "clip_y", "clip_z", "clip_w")):
        copies[name] = matrix[:, row]
    copies["view"] = 0 if views is None else views
    return copies


def build_camera_instances(scenes: Scenes, grid: TileGrid, clip: Array) -> NDArray[np.void]:
    """Return [V] drawn copies as the cameras see them, with the bounds of their tiles and their heights.

    The bounds and heights serve only copies that leave their tile or reach below the floor.
    """
    copies = build_instances(
        place_in_atlas(clip, grid), scenes.object_to_world, np.arange(len(scenes), dtype=np.int32)
    )
    scale, middle = _compute_tile_places(len(scenes), grid, 1.0)
    copies["place"][:, :2], copies["place"][:, 2:] = scale, middle
    copies["height"] = scenes.object_to_world[:, 2]
    copies["height"][:, 3] -= FLOOR_Z
    return copies


def needs_clipping(scenes: Scenes, extent: MeshExtent, clip: Array) -> NDArray[np.bool_]:
    """Return [V], True if the mesh's box may leave the tile or reach below the floor."""
    world = _compute_corners(scenes, extent)
    homogeneous = np.concatenate([world, np.ones((*world.shape[:2], 1))], axis=-1) @ clip.transpose(0, 2, 1)
    depth = homogeneous[..., 3:]
    outside = np.abs(homogeneous[..., :2]) > depth
    lowest = np.minimum(depth[..., 0], world[..., 2] - FLOOR_Z).min(axis=1)
    return np.asarray(outside.any(axis=(1, 2)) | (lowest <= 0))


def _compute_corners(scenes: Scenes, extent: MeshExtent) -> Array:
    matrix = scenes.object_to_world
    corners = "cj" if extent.corners.ndim == 2 else "vcj"
    return np.einsum(f"vij,{corners}->vci", matrix[:, :3, :3], extent.corners) + matrix[:, None, :3, 3]


def compute_object_bounds(scenes: Scenes, extent: MeshExtent, size: int, border_px: int) -> NDArray[np.int32]:
    """Return boxes [V, 4] (x0, y0, x1, y1) in whole pixels that contain the object.

    They reach at most ``border_px`` beyond the picture.
    """
    matrix = scenes.world_to_camera
    camera = _compute_corners(scenes, extent) @ matrix[:, :3, :3].transpose(0, 2, 1) + matrix[:, None, :3, 3]
    image = camera @ scenes.compute_intrinsics(size).transpose(0, 2, 1)
    # A box that reaches behind the camera has no outline: the object may be anywhere in the picture.
    behind = (image[..., 2] < NEAR).any(axis=1)
    pixels = image[..., :2] / np.maximum(image[..., 2:], NEAR)
    low, high = np.floor(pixels.min(axis=1)), np.ceil(pixels.max(axis=1))
    low[behind], high[behind] = -border_px, size + border_px
    return np.clip(np.concatenate([low, high], axis=1), -border_px, size + border_px).astype(np.int32)


def compute_floor_starts(scenes: Scenes, step_px: int) -> NDArray[np.int64]:
    """Return the pixels [V, 2], 0 or a little before, at which grids of the floor's light begin.

    The grids of pictures that are shifted by whole pixels have the same points of the floor.
    """
    return -(-scenes.whole_shift_px % step_px)


def build_view_blocks(
    scenes: Scenes, extent: MeshExtent, taps: Array, sun_rows: Array, spot_rows: Array, sun_on_floor: float
) -> NDArray[np.float32]:
    """Return the rows [V, rows, 4] that ``shaders/view.glsl`` reads for each view.

    Args:
        scenes: Scenes of the views.
        extent: Extent of the mesh.
        taps: Sun taps [V, K, 4]: direction in the world times weight, and the number of a sun map.
        sun_rows: Rows [M, 4, 4] of each sun map, from the mesh's frame.
        spot_rows: Rows [V, S, 5, 4] of each spot map, from the world, and its place in the atlas.
        sun_on_floor: Irradiance of the floor from the original's sun, without shadow.
    """
    num_views, num_taps, num_points = len(scenes), taps.shape[1], spot_rows.shape[1]
    end_of_sun = NUM_VIEW_ROWS + 4 * num_taps
    end = end_of_sun + 5 * num_points
    # Each view's block is bound by its offset in one buffer, and devices allow only aligned offsets.
    num_rows = -(-end // BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT
    table = np.zeros((num_views, num_rows, 4), dtype=np.float32)
    table[:, 0:3] = scenes.object_to_world[:, :3]
    table[:, 3, :3] = scenes.floor_albedo
    table[:, 3, 3] = scenes.sun_gain
    table[:, 4, :3] = scenes.light_position
    table[:, 5, :3] = scenes.light_color * scenes.spot_gain[:, None]
    table[:, 5, 3] = WORLD_RADIANCE + scenes.sun_gain * sun_on_floor / np.pi
    table[:, 6, :3] = scenes.object_to_world[:, :3, 3]
    table[:, 6, 3] = extent.radius
    table[:, 7:10] = scenes.world_to_camera[:, :3]
    table[:, 10, :2] = scenes.principal_shift_px
    to_object = np.linalg.inv(scenes.object_to_world)
    tap_rows = sun_rows[taps[..., 3].astype(np.intp)] @ to_object[:, None]
    # Sun maps are parallel projections, so their fourth row is always (0, 0, 0, 1): the tap takes its place.
    tap_rows[:, :, 3] = taps
    table[:, NUM_VIEW_ROWS:end_of_sun] = tap_rows.reshape(num_views, -1, 4)
    table[:, end_of_sun:end] = spot_rows.reshape(num_views, -1, 4)
    return table


def compute_sun_taps(rotation: Array, directions: Array, num_taps: int) -> Array:
    """Divide the sun of each view among the directions for which the mesh has depth maps.

    Each sample of the sun goes to the nearest direction. A direction's tap is the mean of its samples,
    normalized, times the share of the samples that it has.

    Args:
        rotation: Rotations [V, 3, 3] from the object to the world.
        directions: Directions [M, 3] in the object's frame.
        num_taps: Largest number of directions per view; the weakest others are left out, and the weights of
            the rest scaled to add up to 1.

    Returns:
        [V, num_taps, 4]: direction in the world times weight, and the direction's number; zeros where unused,
            the strongest first.
    """
    samples = compute_sun_samples(NUM_SUN_SAMPLES)
    table = np.zeros((len(rotation), num_taps, 4))
    # Sorting is stable, so that directions with equally many samples always have the same order.
    for view, matrix in enumerate(rotation):
        nearest = np.argmax(samples @ matrix @ directions.T, axis=1)
        count = np.bincount(nearest, minlength=len(directions))
        chosen = np.argsort(-count, kind="stable")[:num_taps]
        chosen = chosen[count[chosen] > 0]
        total = np.zeros((len(directions), 3))
        np.add.at(total, nearest, samples)
        mean = total[chosen] / np.linalg.norm(total[chosen], axis=1, keepdims=True)
        table[view, : len(chosen), :3] = mean * (count[chosen] / count[chosen].sum())[:, None]
        table[view, : len(chosen), 3] = chosen
    return table


def order_by_phase(num_items: int, num_phases: int) -> NDArray[np.intp]:
    """Return an order that deals items, strongest first, out to phases; a phase's items stand together."""
    return np.arange(num_items).reshape(-1, num_phases).T.ravel()


def compute_direction_spread(num_directions: int) -> float:
    """Return the tangent of the half-angle of the cone that one of ``num_directions`` directions stands for.

    The directions are spread evenly over the sphere.
    """
    cosine = 1 - 2 / num_directions
    return float(np.sqrt(1 - cosine**2) / cosine)
