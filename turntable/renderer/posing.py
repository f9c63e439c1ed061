"""The poses of an assembly's parts in each view: drawn by the recipe's rules, stored, and what is rendered.

Poses are rounded to float32 as labels are, and the picture shows the rounded ones.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets import Recipe
from turntable.datasets.objects import compute_joint_motions, get_rest_poses, list_joints
from turntable.renderer.meshes import Mesh
from turntable.renderer.scene import Scenes

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


def pose_parts(
    recipe: Recipe, object_id: str, mesh: Mesh, views: NDArray[np.int64], object_to_world: Array
) -> PartPoses | None:
    """Return the poses of an assembly's parts, or None for a mesh of one piece.

    The result depends on the recipe's label digest, the object and the number of each view alone.

    Args:
        recipe: Recipe with the rules that move parts.
        object_id: Id of the object.
        mesh: Mesh of the object.
        views: Numbers [V] of the views.
        object_to_world: Poses [V, 4, 4] of the object.
    """
    if not mesh.parts:
        return None
    values = np.zeros((len(views), len(list_joints(mesh.parts))), dtype=np.float32)
    motions = compute_joint_motions(mesh.parts, values)
    poses = object_to_world[:, None] @ motions @ get_rest_poses(mesh.parts)
    return PartPoses(poses.astype(np.float32), values)
