"""Skins: where the joints of a skeleton at rest put the vertices of a mesh."""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.gltf.accessors import read_floats
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.scene.nodes import (
    Matrix,
    NodeTree,
    compute_cofactors,
    find_finite,
)
from turntable.renderer.meshes.limits import TOO_LARGE

CHUNK_VERTICES = 2**15
"""Vertices that are moved at once, so that their matrices take little memory."""
MAX_JOINTS = 2**16
"""Joints of a skin that vertices can refer to, since their numbers have at most two bytes."""
MAX_SETS = 8
"""Sets of four joints read for a vertex."""


@dataclass(frozen=True, slots=True, eq=False)
class SkinWeights:
    """The joints that move each vertex."""

    joints: NDArray[np.int64]
    """[N, K] numbers of joints in the skin."""
    weights: NDArray[np.float64]
    """[N, K] shares of the joints."""


@dataclass(slots=True)
class GltfSkins:
    """The skins of a file, each computed once."""

    file: GltfFile
    """File the skins are read from."""
    tree: NodeTree
    """Nodes of the file, some of which are joints."""
    _cache: dict[int, Matrix | None] = field(default_factory=dict)
    """Matrices of the joints of skins computed so far."""

    def get_joint_matrices(self, index: object) -> Matrix | None:
        """Return the matrices [J, 4, 4] from a skin's vertices to the scene, by joint.

        A joint without a usable place has a matrix of NaN.

        Returns:
            The matrices. None, with a warning, if the skin cannot be used.
        """
        number = index if type(index) is int else -1
        if number not in self._cache:
            self._cache[number] = self._compute_or_warn(index)
        return self._cache[number]

    def _compute_or_warn(self, index: object) -> Matrix | None:
        """Compute the matrices of a skin. Return None, with a warning, if it cannot be used."""
        try:
            skin = self.file.get_item("skins", index)
            matrices = self._compute_joint_matrices(skin)
            if find_finite(matrices).any():
                return matrices
            detail = f"skin {index} has no usable joints"
        except MeshError as error:
            if error.reason == TOO_LARGE:
                raise
            detail = f"a skin cannot be read ({self.file.describe(error)})"
        self.file.log.add("node-skipped", detail, "its meshes are placed by their nodes")
        return None

    def _compute_joint_matrices(self, skin: JsonObject) -> Matrix:
        """Compute the matrices [J, 4, 4] of a skin: the joint in the scene times its inverse bind matrix."""
        joints = skin.get("joints")
        if not isinstance(joints, list):
            self.file.raise_unreadable("the joints of a skin are no list")
        nowhere = np.full((4, 4), np.nan)
        places = [self._get_place(joint) for joint in cast("list[Any]", joints)[:MAX_JOINTS]]
        worlds = np.array([nowhere if place is None else place for place in places]).reshape(-1, 4, 4)
        if skin.get("inverseBindMatrices") is None:
            return worlds
        inverse = read_floats(self.file, skin["inverseBindMatrices"], 16).reshape(-1, 4, 4)
        if len(inverse) < len(worlds):
            detail = f"a skin has {len(inverse)} inverse bind matrices for {len(worlds)} joints"
            self.file.log.add("reference-skipped", detail, "the identity stands in for the others")
            inverse = np.concatenate([inverse, np.tile(np.eye(4), (len(worlds) - len(inverse), 1, 1))])
        with np.errstate(over="ignore", invalid="ignore"):
            # The file has the columns of each matrix one after the other.
            return worlds @ inverse[: len(worlds)].transpose(0, 2, 1)

    def _get_place(self, joint: object) -> Matrix | None:
        """Return the matrix [4, 4] from a joint to the scene. None if there is no such node."""
        count = len(self.file.get_list("nodes"))
        return self.tree.get_world_matrix(joint) if type(joint) is int and 0 <= joint < count else None


def normalize_weights(
    file: GltfFile, joints: NDArray[np.int64], weights: NDArray[np.float64], joint_matrices: Matrix
) -> SkinWeights:
    """Scale the weights of each vertex to a sum of 1. Joints that do not exist count for nothing.

    A vertex without any weight follows its first joint, as in three.js.

    Args:
        file: File with the log of warnings.
        joints: [N, K] numbers of joints.
        weights: [N, K] shares.
        joint_matrices: [J, 4, 4] matrices of the joints, NaN for those without a place.
    """
    is_usable = find_finite(joint_matrices)
    exists = (joints >= 0) & (joints < len(is_usable))
    safe = np.where(exists, joints, 0)
    counts = exists & is_usable[safe] & np.isfinite(weights)
    num_lost = int(np.sum(~counts & (weights != 0)))
    if num_lost:
        detail = f"{num_lost:,} weights of a skin belong to joints that do not exist"
        file.log.add("reference-skipped", detail, "the other joints move those vertices")
    shares = np.where(counts, weights, 0.0)
    safe = np.where(counts, safe, int(np.argmax(is_usable)))
    total = np.abs(shares).sum(axis=1, keepdims=True)
    shares = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    shares[:, :1] += total == 0
    return SkinWeights(safe, shares)


def move_vertices(
    skin: SkinWeights,
    joint_matrices: Matrix,
    positions: NDArray[np.float64],
    normals: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Move vertices by the weighted mean of their joints' matrices.

    Args:
        skin: Joints of the vertices.
        joint_matrices: [J, 4, 4] matrices of the joints.
        positions: [N, 3] positions at rest.
        normals: [N, 3] normals at rest, if there are any.

    Returns:
        Positions [N, 3] in the scene, and normals [N, 3] of any length.
    """
    matrices = np.nan_to_num(joint_matrices, nan=0.0)[:, :3]
    moved = np.empty_like(positions)
    turned = None if normals is None else np.empty_like(normals)
    for start in range(0, len(positions), CHUNK_VERTICES):
        part = slice(start, start + CHUNK_VERTICES)
        mean = np.zeros((len(positions[part]), 3, 4))
        for joints, weights in zip(skin.joints[part].T, skin.weights[part].T, strict=True):
            mean += weights[:, None, None] * matrices[joints]
        moved[part] = np.einsum("nij,nj->ni", mean[:, :, :3], positions[part]) + mean[:, :, 3]
        if normals is not None and turned is not None:
            turned[part] = np.einsum("nij,nj->ni", compute_cofactors(mean[:, :, :3]), normals[part])
    return moved, turned
