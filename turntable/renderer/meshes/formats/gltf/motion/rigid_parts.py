"""The rigid parts of a glTF scene, and their tree."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import MAX_NAME_LENGTH, MAX_PARTS, ObjectPart, to_pose_rows
from turntable.errors import MeshError, escape_text
from turntable.renderer.meshes.formats.gltf.file import GltfFile
from turntable.renderer.meshes.formats.gltf.motion.carriers import (
    STILL,
    Carriers,
    find_carried_triangles,
    find_carriers,
)
from turntable.renderer.meshes.formats.gltf.motion.joint_fits import MAX_DISTANCE, fit_joint
from turntable.renderer.meshes.formats.gltf.scene import NodeTree, Part

MAX_SOFT_SHARE = 0.05
"""Largest share of an object's triangles that may bend; these follow the bone that holds most of them."""
BASE = "base"
"""Name and category of the part that nothing moves."""


@dataclass(slots=True)
class _Branch:
    """A moving node with the nodes that it carries."""

    node: int
    parent: int
    """Moving node that carries it, or ``STILL``."""
    is_drawn: bool
    """True if triangles follow this very node."""


def find_rigid_parts(
    file: GltfFile, tree: NodeTree, parts: list[Part], size: float
) -> tuple[tuple[ObjectPart, ...], NDArray[np.int32]]:
    """Find the parts that the animations and skins of a file move.

    Args:
        file: File of the scene.
        tree: Its nodes.
        parts: Drawn primitives of the scene, with their skins.
        size: Diagonal of the object.

    Returns:
        The rigid parts with their joints, in the frame of the scene; none if nothing moves against the rest.
        The index [T] of the rigid part of each triangle, in the order of ``parts``.

    Raises:
        MeshError: More of the object bends than ``MAX_SOFT_SHARE``, or it has more than ``MAX_PARTS`` parts.
    """
    carriers = find_carriers(file, tree, parts, size)
    carried = [find_carried_triangles(file, part, carriers) for part in parts]
    carrier = np.concatenate([item.carrier for item in carried])
    _check_bending(file, np.concatenate([item.bends for item in carried]))
    branches = _list_branches(tree, carriers, set(np.unique(carrier).tolist()))
    branches = _drop_lone_roots(_drop_undrawn(branches, carriers))
    if len(branches) < 2:
        return (), np.zeros(len(carrier), dtype=np.int32)
    if len(branches) > MAX_PARTS:
        raise MeshError(
            f"{file.path}: {len(branches)} parts that move, and at most {MAX_PARTS} are possible; leave this "
            "object out, or parts = true out of the recipe",
            reason="too many parts",
        )
    index = {branch.node: number for number, branch in enumerate(branches)}
    found = tuple(_make_parts(file, tree, branches, carriers, size))
    if not branches[0].is_drawn and all(part.parent != 0 for part in found):
        found, index = _drop_base(found), {node: number - 1 for node, number in index.items() if number}
    lookup = np.zeros(len(carriers.carrier) + 1, dtype=np.int32)  # the last place is that of STILL
    lookup[list(index)] = list(index.values())
    return found, lookup[carrier]


def _check_bending(file: GltfFile, bends: NDArray[np.bool_]) -> None:
    """Refuse an object that bends, and add a warning about one of which a little bends."""
    count = int(bends.sum())
    if count > MAX_SOFT_SHARE * len(bends):
        raise MeshError(
            f"{file.path}: several bones of its skin move {count:,} of {len(bends):,} triangles, so it bends "
            "and has no rigid parts; leave this object out, or parts = true out of the recipe",
            reason="not rigid",
        )
    if count:
        detail = f"several bones of a skin move {count:,} triangles"
        file.log.add("motion-skipped", detail, "each follows the bone that holds most of it")


def _list_branches(tree: NodeTree, carriers: Carriers, drawn: set[int]) -> list[_Branch]:
    """List what nothing moves and the moving nodes that carry triangles, each after its carrier."""
    listed = [_Branch(STILL, STILL, STILL in drawn)]
    for node in tree.list_visited():
        if carriers.carrier[node] == node:
            parent = tree.get_parent(node)
            above = STILL if parent is None else int(carriers.carrier[parent])
            listed.append(_Branch(node, above, node in drawn))
    needed = set[int]()
    for branch in reversed(listed):
        needed |= {branch.node, branch.parent} if branch.is_drawn or branch.node in needed else set()
    return [branch for branch in listed if branch.node in needed]


def _drop_undrawn(branches: Iterable[_Branch], carriers: Carriers) -> list[_Branch]:
    """Leave out nodes that draw nothing and do not move: what they carry follows their carrier."""
    stand_in: dict[int, int] = {STILL: STILL}
    kept: list[_Branch] = []
    for branch in branches:
        parent = stand_in[branch.parent]
        is_kept = branch.is_drawn or branch.node == STILL or branch.node in carriers.motions
        stand_in[branch.node] = branch.node if is_kept else parent
        kept += [_Branch(branch.node, parent, branch.is_drawn)] if is_kept else []
    return kept


def _drop_lone_roots(branches: list[_Branch]) -> list[_Branch]:
    """Leave out the root as long as it draws nothing and carries one branch, which moves the whole object."""
    while not branches[0].is_drawn and sum(item.parent == branches[0].node for item in branches[1:]) == 1:
        branches = branches[1:]
    return branches


def _make_parts(
    file: GltfFile, tree: NodeTree, branches: list[_Branch], carriers: Carriers, size: float
) -> Iterable[ObjectPart]:
    """Yield the parts of branches, of which the first is the base."""
    names = {BASE} if branches[0].node == STILL else set[str]()
    index: dict[int, int] = {}
    for number, branch in enumerate(branches):
        index[branch.node] = number
        pivot = np.zeros(3) if branch.node == STILL else _get_pivot(tree, branch.node, size)
        if number == 0:
            name = BASE if branch.node == STILL else _choose_name(file, branch.node, names)
            yield ObjectPart(name, BASE, rest_pose=to_pose_rows(_make_pose(pivot)))
            continue
        motion, parent = carriers.motions.get(branch.node), index[branch.parent]
        joint = None if motion is None else fit_joint(motion, pivot, size)
        yield ObjectPart(
            name=_choose_name(file, branch.node, names),
            category="free" if joint is None else joint.kind,
            # What no joint holds to the base is free of it.
            parent=None if joint is None and parent == 0 else parent,
            joint=joint,
            rest_pose=to_pose_rows(
                _make_pose(pivot if joint is None or joint.kind == "slide" else np.array(joint.origin))
            ),
        )


def _drop_base(parts: tuple[ObjectPart, ...]) -> tuple[ObjectPart, ...]:
    """Return the parts without the first one, which draws and carries nothing."""
    return tuple(replace(part, parent=None if part.parent is None else part.parent - 1) for part in parts[1:])


def _get_pivot(tree: NodeTree, node: int, size: float) -> NDArray[np.float64]:
    """Return the place [3] of a node in the scene, or its origin if the node is too far from there."""
    world = tree.get_world_matrix(node)
    assert world is not None
    pivot = world[:3, 3]
    return pivot if np.linalg.norm(pivot) <= MAX_DISTANCE * size else np.zeros(3)


def _make_pose(place: NDArray[np.float64]) -> NDArray[np.float64]:
    pose = np.eye(4)
    pose[:3, 3] = place
    return pose


def _choose_name(file: GltfFile, node: int, taken: set[str]) -> str:
    """Return the name of a node for its part, which no other part has, and add it to those taken."""
    value = file.get_item("nodes", node).get("name")
    name = escape_text(value if isinstance(value, str) and value.strip() else f"node {node}")
    name = name[:MAX_NAME_LENGTH]
    if name in taken:
        name = f"{name[: MAX_NAME_LENGTH - 12]} {node}"
    while name in taken:
        name += "'"
    taken.add(name)
    return name
