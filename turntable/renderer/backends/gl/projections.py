"""The numbers of a batch of views: projections into atlases, and the rows of ``shaders/view.glsl``."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.gl.targets import Grid
from turntable.renderer.scene import (
    CAMERA,
    FAR,
    FLOOR_Z,
    NEAR,
    SPOT_RADIUS,
    WORLD_RADIANCE,
    Scenes,
    axes_across,
    disk_samples,
    sun_samples,
)

Array = NDArray[np.float64]

VIEW_ROWS = 10
SUN_SAMPLES = 400
BLOCK_ALIGNMENT = 16
"""In rows of 16 bytes: a view's block begins where every device lets it."""

INSTANCE = np.dtype([(name, "4f4") for name in ("clip_x", "clip_y", "clip_z", "clip_w", "place", "height")])
"""One drawn copy of a mesh, as ``shaders/mesh.vert.glsl`` takes it."""


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """Where a mesh lies in its own frame, once its bounding box is centred."""

    corners: Array
    """[8, 3] of the box."""
    radius: float
    """Of the sphere around the origin."""


def camera_clip(scenes: Scenes, image_px: int, border_px: int) -> Array:
    """[V, 4, 4]: the world to the clip space of a tile: the picture with a border around it, y down."""
    focal = CAMERA.intrinsics(2)[0, 0] * image_px / (image_px + 2 * border_px)
    near, far = NEAR, FAR
    lens = np.array(
        [
            [focal, 0, 0, 0],
            [0, focal, 0, 0],
            [0, 0, (far + near) / (far - near), -2 * far * near / (far - near)],
            [0, 0, 1, 0],
        ]
    )
    return lens @ scenes.world_to_camera


def sun_clip(directions: Array, radius: float) -> Array:
    """[M, 4, 4]: the mesh's frame to one tile a direction [M, 3] towards the light; the sphere fills it."""
    clip = np.zeros((len(directions), 4, 4))
    clip[:, 0, :3], clip[:, 1, :3] = (axis / radius for axis in axes_across(directions))
    clip[:, 2, :3] = -directions / radius
    clip[:, 3, 3] = 1
    return clip


def spot_clip(scenes: Scenes, radius: float, samples: int) -> Array:
    """[V, samples, 4, 4]: the world as points on the emitter see it; the object's sphere fills the tile."""
    centre = scenes.object_to_world[:, None, :3, 3]
    light = scenes.light_position[:, None]
    facing = (centre - light) / np.linalg.norm(centre - light, axis=-1, keepdims=True)
    u, v = axes_across(facing)
    offsets = SPOT_RADIUS * (disk_samples(samples) if samples > 1 else np.zeros((1, 2)))
    place = light + offsets[None, :, :1] * u + offsets[None, :, 1:] * v
    distance = np.linalg.norm(centre - place, axis=-1, keepdims=True)
    forward = (centre - place) / distance
    u, v = axes_across(forward)
    # The sphere may come close to the light where a recipe moves the object far.
    sphere = np.minimum(radius, 0.9 * distance)
    widen = np.sqrt(distance**2 - sphere**2) / sphere
    near, far = distance - sphere, distance + sphere
    clip = np.zeros((*place.shape[:2], 4, 4))
    clip[..., 0, :3], clip[..., 1, :3], clip[..., 3, :3] = widen * u, widen * v, forward
    clip[..., 2, :3] = (far + near) / (far - near) * forward
    clip[..., 3] -= _row_dot(clip[..., 3, :3], place)
    for row in range(2):
        clip[..., row, :] -= _row_dot(clip[..., row, :3], place)
    clip[..., 2, :] -= _row_dot(clip[..., 2, :3], place)
    clip[..., 2, 3] -= (2 * far * near / (far - near))[..., 0]
    return clip


def _row_dot(row: Array, place: Array) -> Array:
    """[..., 4]: what moves a row's origin to ``place``: nothing but its last number."""
    moved = np.zeros((*row.shape[:-1], 4))
    moved[..., 3] = (row * place).sum(axis=-1)
    return moved


def into_atlas(clip: Array, grid: Grid, margin: float = 1.0) -> Array:
    """Clip spaces [N, 4, 4] of tiles to that of the atlas, whose n-th tile the n-th one gets."""
    scale, middle = _places(len(clip), grid, margin)
    placed = clip.copy()
    for axis in range(2):
        placed[:, axis] = scale[axis] * clip[:, axis] + middle[:, axis, None] * clip[:, 3]
    return placed


def _places(count: int, grid: Grid, margin: float) -> tuple[Array, Array]:
    """Half the size [2] of a tile's used part and the middle [count, 2] of each tile, in -1..1."""
    size = np.array(grid.tiles, dtype=np.float64)
    index = np.arange(count)
    tile = np.stack([index % grid.columns, index // grid.columns], axis=-1)
    return margin / size, (2 * tile + 1) / size - 1


def map_rows(atlas_clip: Array, bias: float) -> Array:
    """[..., 4, 4]: clip space to what a map is read at: u, v and depth, each times w, and w."""
    rows = 0.5 * (atlas_clip + atlas_clip[..., 3:, :])
    rows[..., 2, :] -= bias * atlas_clip[..., 3, :]
    rows[..., 3, :] = atlas_clip[..., 3, :]
    return rows


def map_places(count: int, grid: Grid, margin: float) -> Array:
    """[count, 4]: the middle of each tile and half the size of its used part, as maps are read (0..1)."""
    scale, middle = _places(count, grid, margin)
    return np.concatenate([0.5 * middle + 0.5, np.broadcast_to(0.5 * scale, middle.shape)], axis=-1)


def instances(atlas_clip: Array, object_to_world: Array | None = None) -> NDArray[np.void]:
    """[N] drawn copies: clip space of the atlas from the world, or from the object where no pose is given."""
    matrix = atlas_clip if object_to_world is None else atlas_clip @ object_to_world
    copies = np.zeros(len(matrix), dtype=INSTANCE)
    for row, name in enumerate(("clip_x", "clip_y", "clip_z", "clip_w")):
        copies[name] = matrix[:, row]
    return copies


def camera_instances(scenes: Scenes, grid: Grid, clip: Array) -> NDArray[np.void]:
    """[V] copies as cameras see them; those that leave a tile or dip below the floor know its bounds."""
    copies = instances(into_atlas(clip, grid), scenes.object_to_world)
    scale, middle = _places(len(scenes), grid, 1.0)
    copies["place"][:, :2], copies["place"][:, 2:] = scale, middle
    copies["height"] = scenes.object_to_world[:, 2]
    copies["height"][:, 3] -= FLOOR_Z
    return copies


def needs_clipping(scenes: Scenes, extent: Extent, clip: Array) -> NDArray[np.bool_]:
    """[V] whether the mesh's box may leave the tile or reach below the floor."""
    world = _corners(scenes, extent)
    homogeneous = np.concatenate([world, np.ones((*world.shape[:2], 1))], axis=-1) @ clip.transpose(0, 2, 1)
    depth = homogeneous[..., 3:]
    outside = np.abs(homogeneous[..., :2]) > depth
    lowest = np.minimum(depth[..., 0], world[..., 2] - FLOOR_Z).min(axis=1)
    return np.asarray(outside.any(axis=(1, 2)) | (lowest <= 0))


def _corners(scenes: Scenes, extent: Extent) -> Array:
    matrix = scenes.object_to_world
    return np.einsum("vij,cj->vci", matrix[:, :3, :3], extent.corners) + matrix[:, None, :3, 3]


def seen_bounds(scenes: Scenes, extent: Extent, size: int, border_px: int) -> NDArray[np.int32]:
    """[V, 4] x0, y0, x1, y1 in whole pixels, at most a border around the picture: where the object may be."""
    matrix = scenes.world_to_camera
    camera = _corners(scenes, extent) @ matrix[:, :3, :3].transpose(0, 2, 1) + matrix[:, None, :3, 3]
    image = camera @ CAMERA.intrinsics(size).T
    # A box that reaches behind the camera has no outline: it may be anywhere.
    beside = (image[..., 2] < NEAR).any(axis=1)
    pixels = image[..., :2] / np.maximum(image[..., 2:], NEAR)
    low, high = np.floor(pixels.min(axis=1)), np.ceil(pixels.max(axis=1))
    low[beside], high[beside] = -border_px, size + border_px
    return np.clip(np.concatenate([low, high], axis=1), -border_px, size + border_px).astype(np.int32)


def horizons(scenes: Scenes, size: int) -> Array:
    """[V] the row, in pixels from the top, above which a picture shows no floor."""
    focal = CAMERA.intrinsics(size)[0, 0]
    return size / 2 - focal * scenes.horizon


def view_blocks(
    scenes: Scenes, extent: Extent, taps: Array, sun_rows: Array, spot_rows: Array, sun_on_floor: float
) -> NDArray[np.float32]:
    """[V, rows, 4]: what ``shaders/view.glsl`` reads of each view.

    Args:
        scenes: The views.
        extent: Of the mesh.
        taps: [V, K, 4] direction in the world times weight, and the number of a sun map.
        sun_rows: [M, 4, 4] rows of each sun map, from the mesh's frame.
        spot_rows: [V, S, 5, 4] rows of each spot map, from the world, and its place in the atlas.
        sun_on_floor: Irradiance of the floor from the original's sun, without shadow.
    """
    count, sun, spot = len(scenes), taps.shape[1], spot_rows.shape[1]
    rows = VIEW_ROWS + 4 * sun + 5 * spot
    table = np.zeros((count, -(-rows // BLOCK_ALIGNMENT) * BLOCK_ALIGNMENT, 4), dtype=np.float32)
    table[:, 0:3] = scenes.object_to_world[:, :3]
    table[:, 3, :3] = scenes.floor_albedo
    table[:, 3, 3] = scenes.sun_gain
    table[:, 4, :3] = scenes.light_position
    table[:, 5, :3] = scenes.light_color * scenes.spot_gain[:, None]
    table[:, 5, 3] = WORLD_RADIANCE + scenes.sun_gain * sun_on_floor / np.pi
    table[:, 6, :3] = scenes.object_to_world[:, :3, 3]
    table[:, 6, 3] = extent.radius
    table[:, 7:10] = scenes.world_to_camera[:, :3]
    to_object = np.linalg.inv(scenes.object_to_world)
    chosen = sun_rows[taps[..., 3].astype(np.intp)] @ to_object[:, None]
    chosen[:, :, 3] = taps
    table[:, VIEW_ROWS : VIEW_ROWS + 4 * sun] = chosen.reshape(count, -1, 4)
    table[:, VIEW_ROWS + 4 * sun : rows] = spot_rows.reshape(count, -1, 4)
    return table


def sun_taps(rotation: Array, directions: Array, taps: int) -> Array:
    """The sun of each view, shared out among the directions a mesh has depth maps for.

    Each sample of the sun goes to the direction nearest to it; a direction's tap is the mean of its samples
    times their share.

    Args:
        rotation: [V, 3, 3] object to world.
        directions: [M, 3] in the object's frame.
        taps: How many directions a view may use; the weakest beyond are left out and the rest scaled up.

    Returns:
        [V, taps, 4]: direction in the world times weight, and the direction's number; zeros where unused.
    """
    samples = sun_samples(SUN_SAMPLES)
    table = np.zeros((len(rotation), taps, 4))
    for view, matrix in enumerate(rotation):
        nearest = np.argmax(samples @ matrix @ directions.T, axis=1)
        count = np.bincount(nearest, minlength=len(directions))
        chosen = np.argsort(-count, kind="stable")[:taps]
        chosen = chosen[count[chosen] > 0]
        total = np.zeros((len(directions), 3))
        np.add.at(total, nearest, samples)
        mean = total[chosen] / np.linalg.norm(total[chosen], axis=1, keepdims=True)
        table[view, : len(chosen), :3] = mean * (count[chosen] / count[chosen].sum())[:, None]
        table[view, : len(chosen), 3] = chosen
    return table


def by_phase(count: int, phases: int) -> NDArray[np.intp]:
    """An order of ``count`` items, strongest first, dealt out to phases; each phase's stand together."""
    return np.arange(count).reshape(-1, phases).T.ravel()


def direction_spread(count: int) -> float:
    """Tangent of the half-angle of the cone that one of ``count`` directions over the sphere stands for."""
    cosine = 1 - 2 / count
    return float(np.sqrt(1 - cosine**2) / cosine)
