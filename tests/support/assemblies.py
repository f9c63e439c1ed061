"""Assemblies made by hand: boxes on hinges, a source of them, and a backend that casts rays at triangles.

The backend shares no code with the others, draws parts where their motions put them, and needs no OpenGL. Own
worker processes open it by ``BACKEND``.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turntable.datasets.objects import Joint, ObjectPart, to_pose_rows
from turntable.renderer.backends import Backend, Device, Pixels, Quality
from turntable.renderer.backends.protocol import PendingPixels
from turntable.renderer.meshes import Mesh, compute_mesh_digest, join_parts, move_parts
from turntable.renderer.meshes.sources import SourceObject
from turntable.renderer.scene import DEFAULT_CAMERA, FLOOR_Z, Scenes
from turntable.testing.backends.meshes import make_box

BACKEND = f"{__file__}:RayCaster"
LID = Joint("hinge", (-1.0, 0.0, 0.0), (0.0, 0.2, 0.06), 0.0, 1.4)
DRAWER = Joint("slide", (0.0, -1.0, 0.0), (0.0, 0.0, 0.0), 0.0, 0.25)


def shift(x: float, y: float, z: float) -> Any:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return to_pose_rows(pose)


def list_box_parts(drawer: bool = False) -> tuple[ObjectPart, ...]:
    """The parts of hinged boxes: a case with a lid and, if asked for, a drawer with a knob fixed to it."""
    parts = [ObjectPart("base", "case"), ObjectPart("lid", "lid", 0, LID, shift(0.0, 0.0, 0.1))]
    if drawer:
        parts.append(ObjectPart("drawer", "drawer", 0, DRAWER, shift(0.0, -0.02, -0.12)))
        parts.append(ObjectPart("knob", "knob", 2, None, shift(0.0, -0.26, -0.12)))
    return tuple(parts)


def hinged_boxes(width: float = 0.5, drawer: bool = False) -> Mesh:
    """The mesh of these parts; the lid's hinge is behind it."""
    meshes = [
        make_box((width, 0.4, 0.1), base_color=(0.8, 0.2, 0.1)),
        make_box((width, 0.4, 0.06), base_color=(0.1, 0.3, 0.8)),
        make_box((width - 0.1, 0.4, 0.1), base_color=(0.2, 0.7, 0.2)),
        make_box((0.06, 0.06, 0.06), base_color=(0.9, 0.9, 0.9)),
    ]
    parts = list_box_parts(drawer)
    return join_parts(meshes[: len(parts)], parts, "boxes")


@dataclass(frozen=True)
class HingedBoxes:
    """A source of hinged boxes, every third with a drawer, and of plain boxes."""

    count: int = 4
    plain: int = 0
    name: str = "folder"
    license: str = "CC0-1.0"

    def list_objects(self) -> tuple[SourceObject, ...]:
        names = [("boxes", number) for number in range(self.count)]
        names += [("plain", number) for number in range(self.plain)]
        return tuple(SourceObject(f"{kind}/{number:03d}", kind) for kind, number in names)

    def load(self, object_id: str) -> Mesh:
        kind, number = object_id.split("/")
        width = 0.4 + 0.02 * int(number)
        if kind == "plain":
            return make_box((width, 0.4, 0.3))
        return hinged_boxes(width, drawer=int(number) % 3 == 0)

    def compute_digest(self, object_id: str, mesh: Mesh) -> str:
        return compute_mesh_digest(mesh)

    def get_license(self, object_id: str) -> str:
        return self.license

    def find_mesh_file(self, object_id: str) -> Path | None:
        return None

    def describe(self) -> dict[str, Any]:
        return {"name": "hinged boxes", "licence": self.license}


class RayCaster(Backend):
    """A backend that draws each pixel by the one ray through its center, without lights."""

    device = Device("rays", "", "numpy", "1", True)

    def begin(
        self,
        mesh: Mesh,
        scenes: Scenes,
        image_size_px: int,
        quality: Quality,
        outputs: Collection[str] = ("rgb",),
    ) -> PendingPixels:
        views = [draw(mesh, scenes, row, image_size_px) for row in range(len(scenes))]
        stacked = {name: np.stack([view[name] for view in views]) for name in views[0]}
        kept = {name: array for name, array in stacked.items() if name in (*outputs, "rgb")}
        return lambda: Pixels(**kept)

    def close(self) -> None:
        pass


def draw(mesh: Mesh, scenes: Scenes, row: int, size: int) -> dict[str, np.ndarray]:
    """All outputs of one view."""
    moved = mesh if scenes.part_motions is None else move_parts(mesh, scenes.part_motions[row])
    used = mesh.positions[mesh.triangles]
    center = 0.0 if mesh.parts else (used.min(axis=(0, 1)) + used.max(axis=(0, 1))) / 2
    to_camera = scenes.world_to_camera[row] @ scenes.object_to_world[row]
    corners = (moved.positions[mesh.triangles] - center) @ to_camera[:3, :3].T + to_camera[:3, 3]
    grid = np.arange(size) + 0.5
    pixels = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    rays = DEFAULT_CAMERA.compute_directions(pixels, size)
    depth, triangle, weights = cast(corners, rays)
    mask = np.isfinite(depth)
    rest = np.einsum("pc,pcd->pd", weights, used[triangle] - center)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    part = np.zeros(len(used), np.int64) if mesh.part_index is None else mesh.part_index
    colors = np.array([item.base_color for item in mesh.materials])[mesh.material_index]
    shade = 0.35 + 0.65 * np.abs(normal[:, 2:])
    down = -rays @ scenes.world_to_camera[row, :3, 2]
    with np.errstate(divide="ignore"):
        floor = np.where(down > 0, (scenes.camera_position[row, 2] - FLOOR_Z) / down, np.inf)
    rgb = np.where(mask[:, None], (colors * shade)[triangle], scenes.floor_albedo[row])
    to_world = scenes.world_to_camera[row, :3, :3]
    facing = -np.sign(np.einsum("pd,pd->p", normal[triangle], rays))[:, None] * normal[triangle] @ to_world
    up = np.where(np.isfinite(floor)[:, None], [0.0, 0.0, 1.0], 0.0)
    return {
        "rgb": np.round(255 * rgb).astype(np.uint8).reshape(size, size, 3),
        "mask": (255 * mask).astype(np.uint8).reshape(size, size),
        "depth": np.where(mask, depth, floor).astype(np.float32).reshape(size, size),
        "normals": np.where(mask[:, None], facing, up).astype(np.float32).reshape(size, size, 3),
        "coordinates": np.where(mask[:, None], rest, 0).astype(np.float32).reshape(size, size, 3),
        "parts": np.where(mask, part[triangle], 255).astype(np.uint8).reshape(size, size),
    }


def cast(corners: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth [P] of the nearest hit, infinite if there is none, its triangle [P] and its weights [P, 3].

    A ray r from the camera meets the triangle a, b, c at depth t where t r = a + u (b - a) + v (c - a), which
    is linear in 1 / t, u / t and v / t.
    """
    columns = np.stack([corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=-1)
    is_edge_on = np.abs(np.linalg.det(columns)) < 1e-12
    inverse = np.linalg.inv(np.where(is_edge_on[:, None, None], np.eye(3), columns))
    near, u, v = np.einsum("tij,pj->ipt", inverse, rays)
    hit = ~is_edge_on & (near > 0) & (u >= 0) & (v >= 0) & (u + v <= near)
    near = np.where(hit, near, 0)
    triangle = near.argmax(axis=1)
    at = np.arange(len(rays)), triangle
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = 1 / near[at]
        weights = np.stack([near[at] - u[at] - v[at], u[at], v[at]], axis=-1) * depth[:, None]
    return depth, triangle, np.where(np.isfinite(depth)[:, None], weights, 0)
