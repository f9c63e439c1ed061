"""The lines that show a view's label over its picture: axes, light, translation, parts and joints."""

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets import Manifest
from turntable.datasets.objects import ObjectPart, get_rest_poses
from turntable.renderer.scene import Scenes, scenes_from_labels
from turntable.service.schemas import Line, PartOverlay

AXIS_LENGTH = 0.5
"""Length of the object's axes in the overlay, in diagonals of its bounding box."""
PART_AXIS_LENGTH = 0.12
"""Length of the axes of a part, in diagonals."""
JOINT_LENGTH = 0.4
"""Length of the line along a joint's axis, in diagonals."""
LIGHT_START, LIGHT_END = 0.95, 0.45
"""Distances from the object's center between which the light's arrow is drawn, towards the object."""
_MIN_DEPTH = 0.05
"""Smallest depth at which a point is drawn, in diagonals."""
_Array = NDArray[np.float64]


def compute_overlay(manifest: Manifest, label: NDArray[np.floating]) -> dict[str, Line] | None:
    """Compute the lines that show a label over the picture of its view.

    Args:
        manifest: Manifest of the data set.
        label: [L] values of all columns.

    Returns:
        Lines by name. ``x``, ``y`` and ``z`` are the object's axes, from its center. ``light`` is the
        direction of the light, towards the center. ``translation`` leads from where the object would be
        without its translation to where it is. None if these labels do not describe a scene, as those of
        imported pictures.
    """
    scenes = _read_scene(manifest, label)
    if scenes is None:
        return None
    with np.errstate(all="ignore"):
        names, ends = zip(*_list_object_lines(scenes).items(), strict=True)
        points = _project_points(scenes, manifest.image_size_px, np.array(ends))
    return dict(zip(names, map(_to_line, points), strict=True)) if np.isfinite(points).all() else None


def compute_part_overlays(
    manifest: Manifest,
    label: NDArray[np.floating],
    parts: tuple[ObjectPart, ...],
    part_pose: NDArray[np.floating],
) -> list[PartOverlay] | None:
    """Compute the lines that show the parts of an assembly over the picture of a view.

    Args:
        manifest: Manifest of the data set.
        label: [L] values of all columns.
        parts: The K parts of the object.
        part_pose: [K, 4, 4] poses of the parts in the world.

    Returns:
        For each part the axes of its own frame, from its origin, and the axis of its joint where the view
        has it. Lines that reach behind the camera are left out. None if these labels do not describe a scene.
    """
    scenes = _read_scene(manifest, label)
    if scenes is None:
        return None
    poses, size_px = part_pose.astype(np.float64), manifest.image_size_px
    motions = poses @ geometry.invert_pose(get_rest_poses(parts))
    overlays = list[PartOverlay]()
    for part, pose in zip(parts, poses, strict=True):
        axes = _project_lines(scenes, size_px, _list_axes(pose, PART_AXIS_LENGTH))
        joint = _project_lines(scenes, size_px, _list_joint(part, motions)).get("joint")
        overlays.append({"axes": axes, "joint": joint})
    return overlays


def _read_scene(manifest: Manifest, label: NDArray[np.floating]) -> Scenes | None:
    """Return the scene of one label; None if it does not describe one."""
    schema = manifest.schema
    try:
        with np.errstate(all="ignore"):
            return scenes_from_labels(schema.scene_names, schema.select_scene_columns(label)[None])
    except (ValueError, ArithmeticError):  # InvalidInputError is a ValueError
        return None


def _list_object_lines(scenes: Scenes) -> dict[str, tuple[_Array, _Array]]:
    pose, light = scenes.object_to_world[0], scenes.light_position[0]
    center, to_light = pose[:3, 3], light / np.linalg.norm(light)
    return {
        **_list_axes(pose, AXIS_LENGTH),
        "light": (center + LIGHT_START * to_light, center + LIGHT_END * to_light),
        "translation": (np.zeros(3), center),
    }


def _list_axes(pose: _Array, length: float) -> dict[str, tuple[_Array, _Array]]:
    """Return the ends of the axes of a pose [4, 4], from its origin."""
    origin = pose[:3, 3]
    return {name: (origin, origin + length * pose[:3, column]) for column, name in enumerate("xyz")}


def _list_joint(part: ObjectPart, motions: _Array) -> dict[str, tuple[_Array, _Array]]:
    """Return the ends of the axis of a part's joint, if it has one: its parent carries the axis.

    Args:
        part: The part.
        motions: [K, 4, 4] motions of the parts from rest, to the world.
    """
    if part.joint is None or part.parent is None:
        return {}
    carrier = motions[part.parent]
    axis = carrier[:3, :3] @ np.array(part.joint.axis)
    origin = carrier[:3, :3] @ np.array(part.joint.origin) + carrier[:3, 3]
    return {"joint": (origin - JOINT_LENGTH / 2 * axis, origin + JOINT_LENGTH / 2 * axis)}


def _project_lines(scenes: Scenes, size_px: int, ends: dict[str, tuple[_Array, _Array]]) -> dict[str, Line]:
    """Project lines into the picture, without those of which an end is behind the camera or not finite."""
    places = np.array(list(ends.values())).reshape(-1, 2, 3)
    with np.errstate(all="ignore"):
        depths = _to_camera(scenes, places)[..., 2]
        points = _project_points(scenes, size_px, places)
    points[depths <= _MIN_DEPTH] = np.nan
    return {name: _to_line(line) for name, line in zip(ends, points, strict=True) if np.isfinite(line).all()}


def _project_points(scenes: Scenes, size_px: int, points: _Array) -> _Array:
    """Project points [..., 3] of the world to [..., 2] in the picture, whose side counts as 1."""
    image = _to_camera(scenes, points) @ scenes.compute_intrinsics(size_px)[0].T
    return image[..., :2] / image[..., 2:] / size_px


def _to_camera(scenes: Scenes, points: _Array) -> _Array:
    matrix = scenes.world_to_camera[0]
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _to_line(ends: _Array) -> Line:
    (x1, y1), (x2, y2) = ends.tolist()
    return (x1, y1), (x2, y2)
