"""The poses of an assembly's parts in each view: drawn by the recipe's rules, stored, and what is rendered.

Poses are rounded to float32 as labels are, and the picture shows the rounded ones.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.choices import SOURCES_OF_GLTF
from turntable.datasets import Recipe
from turntable.datasets.draws import (
    draw_arrangements,
    draw_joint_values,
    draw_street_poses,
    get_drawn_id,
)
from turntable.datasets.objects import compute_joint_motions, get_rest_poses, list_joints
from turntable.errors import MeshError
from turntable.renderer.dynamics import compute_free_motions
from turntable.renderer.meshes import Mesh, compute_part_boxes, mirror_mesh
from turntable.renderer.scene import Scenes, to_world_poses

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PartPoses:
    """The poses of the K parts of an assembly in V views, as labels."""

    part_pose: NDArray[np.float32]
    """[V, K, 4, 4] pose of each part's own frame in the world."""
    joint_values: NDArray[np.float32]
    """[V, J] value of each joint; J is 0 for an assembly without joints."""

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> "PartPoses":
        """Return the poses of some of the views."""
        return PartPoses(self.part_pose[rows], self.joint_values[rows])

    def add_to_scenes(self, mesh: Mesh, scenes: Scenes) -> Scenes:
        """Return scenes of the same views in which the parts of the assembly are in these poses."""
        return replace(scenes, part_motions=self.compute_motions(mesh, scenes.object_to_world))

    def compute_motions(self, mesh: Mesh, object_to_world: Array) -> Array:
        """Return the motion [V, K, 4, 4] of each part from rest, in the object's frame.

        Args:
            mesh: The assembly at rest.
            object_to_world: Poses [V, 4, 4] of the object.
        """
        to_rest = geometry.invert_pose(get_rest_poses(mesh.parts))
        return geometry.invert_pose(object_to_world)[:, None] @ self.part_pose.astype(np.float64) @ to_rest

    def mirror(self, object_to_world: Array) -> "PartPoses":
        """Return the poses of the mirrored twin, whose parts move as the mirror image, x to -x, does.

        Args:
            object_to_world: Poses [V, 4, 4] of the object, which are those of the twin.
        """
        reflection = np.diag([-1.0, 1.0, 1.0, 1.0])
        in_object = geometry.invert_pose(object_to_world)[:, None] @ self.part_pose.astype(np.float64)
        poses = object_to_world[:, None] @ reflection @ in_object @ reflection
        return PartPoses(poses.astype(np.float32), self.joint_values)


def pose_parts(
    recipe: Recipe, object_id: str, mesh: Mesh, views: NDArray[np.int64], object_to_world: Array
) -> PartPoses | None:
    """Return the poses of an assembly's parts, or None for a mesh of one piece.

    The result depends on the recipe's label digest, the object and the number of each view alone. Parts of a
    mirrored twin are the mirror image of its object's in every view.

    Args:
        recipe: Recipe with the rules that move parts.
        object_id: Id of the object.
        mesh: Mesh of the object.
        views: Numbers [V] of the views.
        object_to_world: Poses [V, 4, 4] of the object.

    Raises:
        MeshError: The recipe draws joints or has dynamics, and the object has no joints or no parts; or the
            objects of a scene find no place.
    """
    if recipe.joints is not None and not list_joints(mesh.parts):
        raise MeshError(
            f"{object_id}: the recipe's [joints] draws the values of joints, and this object has none; leave "
            f"[joints] out, or the object{_format_parts_advice(recipe)}",
            reason="no joints",
        )
    if not mesh.parts:
        if recipe.dynamics is not None:
            raise MeshError(
                f"{object_id}: it has no parts that could move by the recipe's [dynamics]; leave this object "
                f"or the table out{_format_parts_advice(recipe)}",
                reason="no parts",
            )
        return None
    drawn_id = get_drawn_id(recipe, object_id)
    if drawn_id == object_id:
        return _pose_own_parts(recipe, object_id, mesh, views, object_to_world)
    own = _pose_own_parts(recipe, drawn_id, mirror_mesh(mesh), views, object_to_world)
    return own.mirror(object_to_world)


def _format_parts_advice(recipe: Recipe) -> str:
    """Return the end of an advice for objects without parts that could have some."""
    if recipe.parts or recipe.source not in SOURCES_OF_GLTF:
        return ""
    return ", or give parts = true if the animations of glTF files tell its parts"


def _pose_own_parts(
    recipe: Recipe, object_id: str, mesh: Mesh, views: NDArray[np.int64], object_to_world: Array
) -> PartPoses:
    """Return the poses of the parts of an object that is no twin."""
    values = draw_joint_values(recipe, object_id, mesh.parts, views)
    motions = compute_joint_motions(mesh.parts, values)
    if recipe.dynamics is not None:
        motions = compute_free_motions(recipe, object_id, mesh.parts, views) @ motions
    rest = get_rest_poses(mesh.parts)
    in_object = motions @ rest
    if recipe.street is not None:
        in_object = _arrange_street(recipe, object_id, mesh, views)
    elif recipe.scene is not None:
        # The parts of a scene move in their own frames, wherever they are arranged.
        in_object = _arrange_scene(recipe, object_id, mesh, views) @ geometry.invert_pose(rest) @ in_object
    poses = object_to_world[:, None] @ in_object
    return PartPoses(poses.astype(np.float32), values)


def _arrange_street(recipe: Recipe, street_id: str, mesh: Mesh, views: NDArray[np.int64]) -> Array:
    """Return the poses [V, K, 4, 4] in the world of a street's objects, walls and poles."""
    boxes = compute_part_boxes(mesh) - get_rest_poses(mesh.parts)[:, None, :3, 3]
    num_objects = sum(bool(part.object_id) for part in mesh.parts)
    scale = recipe.meters_per_unit
    return to_world_poses(draw_street_poses(recipe, street_id, scale * boxes, num_objects, views), scale)


def _arrange_scene(recipe: Recipe, scene_id: str, mesh: Mesh, views: NDArray[np.int64]) -> Array:
    """Return the poses [V, K, 4, 4] of a scene's objects in the scene's frame."""
    # At rest an object is shifted, and not turned, so its own box is the shifted one.
    boxes = compute_part_boxes(mesh) - get_rest_poses(mesh.parts)[:, None, :3, 3]
    return draw_arrangements(recipe, scene_id, boxes, views)
