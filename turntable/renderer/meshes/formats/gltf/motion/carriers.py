"""The carrier of each triangle: the moving node that carries it along."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.gltf.file import GltfFile
from turntable.renderer.meshes.formats.gltf.motion.keyframes import read_keyframes
from turntable.renderer.meshes.formats.gltf.motion.node_motions import NodeMotion, compute_motion
from turntable.renderer.meshes.formats.gltf.scene import NodeTree, Part, SkinWeights

STILL = -1
"""Carrier of what nothing moves."""
MIN_WEIGHT = 1 - 1e-3
"""Least share of one carrier in a vertex that moves rigidly."""


@dataclass(frozen=True, slots=True, eq=False)
class Carriers:
    """The moving nodes of a scene."""

    motions: dict[int, NodeMotion]
    """Motions of the nodes that animations move, by node."""
    carrier: NDArray[np.int64]
    """[N] moving node that carries each node, which may be itself; ``STILL`` if none does."""


@dataclass(frozen=True, slots=True, eq=False)
class CarriedTriangles:
    """Triangles with the node that carries each."""

    carrier: NDArray[np.int64]
    """[T] node that carries each triangle, or ``STILL``."""
    bends: NDArray[np.bool_]
    """[T] True where several nodes move a triangle, which then follows one of them."""


def find_carriers(file: GltfFile, tree: NodeTree, parts: list[Part], size: float) -> Carriers:
    """Find the nodes that move: by an animation, and the joints of skins that no animation moves.

    Args:
        file: File of the scene.
        tree: Its nodes.
        parts: Drawn primitives of the scene, with their skins.
        size: Diagonal of the object.
    """
    motions = _compute_motions(file, tree, size)
    joints = [_list_joints(file, part) for part in parts]
    moving = set(motions)
    for part, nodes in zip(parts, joints, strict=True):
        if part.skin is not None and not moving.intersection(nodes):
            moving |= set(np.array(nodes)[np.unique(part.skin.joints[part.skin.weights > 0])].tolist())
    carrier = np.full(len(file.get_list("nodes")), STILL)
    for node in tree.list_visited():
        parent = tree.get_parent(node)
        carrier[node] = node if node in moving else STILL if parent is None else carrier[parent]
    return Carriers(motions, carrier)


def _compute_motions(file: GltfFile, tree: NodeTree, size: float) -> dict[int, NodeMotion]:
    motions: dict[int, NodeMotion] = {}
    for node, animations in read_keyframes(file).items():
        world, rest = tree.get_world_matrix(node), tree.read_rest(node)
        parent = tree.get_parent(node)
        above = np.eye(4) if parent is None else tree.get_world_matrix(parent)
        if world is None or above is None or not np.isfinite(world).all():
            continue
        motion = None if rest is None else compute_motion(rest, above, animations)
        if motion is None:
            detail = (
                f"an animation of node {node} bends it, since it is scaled unevenly or placed by a matrix"
            )
            file.log.add("motion-skipped", detail, "it stands as it is at rest")
        elif motion.has_motion(world[:3, 3], size):
            motions[node] = motion
    return motions


def _list_joints(file: GltfFile, part: Part) -> list[int]:
    """List the nodes of a skin's joints. A joint that is no node has no vertices, and counts as node 0."""
    if part.skin is None:
        return []
    skin = file.get_item("skins", file.get_item("nodes", part.node_number).get("skin"))
    return [node if type(node) is int else 0 for node in cast("list[Any]", skin["joints"])]


def find_carried_triangles(file: GltfFile, part: Part, carriers: Carriers) -> CarriedTriangles:
    """Find the node that carries each triangle of a part."""
    if part.skin is None:
        carrier = np.full(len(part.triangles), carriers.carrier[part.node_number])
        return CarriedTriangles(carrier, np.zeros(len(carrier), dtype=np.bool_))
    joints = np.array(_list_joints(file, part)).clip(0, len(carriers.carrier) - 1)
    carrier, share = _find_main_carriers(part.skin, carriers.carrier[joints])
    corners = carrier[part.triangles]
    first, second, third = corners.T
    bends = (first != second) | (second != third) | (share[part.triangles] < MIN_WEIGHT).any(axis=1)
    return CarriedTriangles(np.where(second == third, second, first), np.asarray(bends, dtype=np.bool_))


def _find_main_carriers(
    skin: SkinWeights, carrier: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the carrier [N] with the largest share in each vertex, and that share [N].

    Args:
        skin: Joints of the vertices.
        carrier: [J] node that carries each joint.
    """
    nodes = carrier[skin.joints]
    shares = np.zeros_like(skin.weights)
    for column in range(skin.weights.shape[1]):
        shares[:, column] = np.where(nodes == nodes[:, [column]], skin.weights, 0).sum(axis=1)
    best = shares.argmax(axis=1)[:, None]
    return np.take_along_axis(nodes, best, 1)[:, 0], np.take_along_axis(shares, best, 1)[:, 0]
