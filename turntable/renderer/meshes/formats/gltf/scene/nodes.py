"""The nodes of a glTF scene: which are drawn, and where each one stands."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import format_value
from turntable.renderer.meshes.formats.gltf.extensions import VISIBILITY
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.numbers import to_finite_numbers

Matrix = NDArray[np.float64]
"""Matrix [4, 4] or [3, 3]."""
IDENTITY: Matrix = np.eye(4)
"""Matrix of a node that stays where its parent is."""
_TRANSFORM_KEYS = frozenset({"matrix", "rotation", "scale", "translation"})
"""Keys of a node that move it relative to its parent."""
MAX_LENGTH_ERROR = 1e-2
"""Largest error of the squared length of a rotation's quaternion before it is repaired."""
LEFT_OUT = "it is left out"
"""End of warnings about parts of the scene."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedNode:
    """A node and its place in the scene."""

    number: int
    """Index of the node."""
    node: JsonObject
    """The node in the JSON of the file."""
    world_matrix: Matrix
    """[4, 4] matrix from the node to the scene."""
    is_visible: bool
    """False if the node or one above it is hidden."""


@dataclass(slots=True)
class NodeTree:
    """The nodes of a file as trees. A node is visited once, whatever the file says."""

    file: GltfFile
    """File with the nodes."""
    _world_matrices: dict[int, Matrix] = field(default_factory=dict)
    """[4, 4] matrices from the nodes visited so far to the scene."""
    _parents: dict[int, int | None] = field(default_factory=dict)
    """Parents of the nodes visited so far; None for one that no other node carries."""
    _is_complete: bool = False
    """True once nodes outside the scene were visited too."""

    def iter_scene(self) -> Iterator[PlacedNode]:
        """Yield the nodes of the scene in the order of the file, each after its parent."""
        listed = self._list_scene_nodes()
        below = self._find_descendants(listed) if len(listed) > 1 else set[int]()
        yield from self._walk([number for number in listed if number not in below])
        for number in listed:
            if number in below and number in self._world_matrices:
                detail = f"the scene lists node {number}, which is a child of another of its nodes"
                self._warn(detail, "it is drawn once, as the child")
        # What is left stands in a circle, where no node comes first.
        yield from self._walk([number for number in listed if number not in self._world_matrices])

    def get_world_matrix(self, number: int) -> Matrix | None:
        """Return the matrix [4, 4] from a node to the scene. None if the node has no usable place.

        Nodes outside the scene have a place too: skins may use them as joints.
        """
        if number not in self._world_matrices and not self._is_complete:
            self._is_complete = True
            numbers = range(len(self.file.get_list("nodes")))
            children = {child for other in numbers for child in self._list_children(other)}
            for roots in ([other for other in numbers if other not in children], numbers):
                for _ in self._walk([root for root in roots if root not in self._world_matrices]):
                    pass
        return self._world_matrices.get(number)

    def get_parent(self, number: int) -> int | None:
        """Return the node that carries a visited one. None if no other does."""
        return self._parents.get(number)

    def list_visited(self) -> list[int]:
        """List the nodes visited so far, each after its parent."""
        return list(self._world_matrices)

    def read_rest(self, number: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Read the translation [3] and the rotation [4] of a node at rest, relative to its parent.

        Returns:
            Both. None if the node is placed by a matrix, which no animation may change, or by broken numbers.
        """
        node = self.file.get_list("nodes")[number]
        translation = self._parse_floats(node, number, "translation", np.zeros(3))
        rotation = self._parse_floats(node, number, "rotation", np.array([0.0, 0.0, 0.0, 1.0]))
        if node.get("matrix") is not None or translation is None or rotation is None:
            return None
        return translation, self._repair_rotation(rotation, number)

    def _list_scene_nodes(self) -> list[int]:
        """List the nodes that the scene begins with: all without a parent if the file has no scene."""
        scenes = self.file.get_list("scenes")
        if not scenes:
            numbers = range(len(self.file.get_list("nodes")))
            children = {child for number in numbers for child in self._list_children(number)}
            return [number for number in numbers if number not in children]
        index = self.file.document.get("scene")
        if type(index) is not int or not 0 <= index < len(scenes):
            if index is not None:
                self._warn(f"scene {format_value(index)} does not exist", "the first scene is drawn")
            index = 0
        return list(dict.fromkeys(self._list_indices(scenes[index], "nodes", f"scene {index}")))

    def _list_children(self, number: int) -> list[int]:
        """List the children of a node."""
        return self._list_indices(self.file.get_list("nodes")[number], "children", f"node {number}")

    def _list_indices(self, table: JsonObject, name: str, owner: str) -> list[int]:
        """List the nodes that a node or scene names, leaving out any that do not exist, with a warning."""
        value = table.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._warn(f"the {name} of {owner} are no list", "they are left out")
            return []
        numbers, count = cast("list[Any]", value), len(self.file.get_list("nodes"))
        good = [number for number in numbers if type(number) is int and 0 <= number < count]
        if len(good) < len(numbers):
            missing = len(numbers) - len(good)
            self._warn(f"{missing:,} of the {name} of {owner} do not exist", "they are left out")
        return good

    def _find_descendants(self, roots: Iterable[int]) -> set[int]:
        """Find all nodes below others."""
        found: set[int] = set()
        stack = list(roots)
        while stack:
            new = [child for child in self._list_children(stack.pop()) if child not in found]
            found.update(new)
            stack += new
        return found

    def _walk(self, roots: Iterable[int]) -> Iterator[PlacedNode]:
        """Yield nodes and all below them, except those visited before.

        A stack is used instead of recursion: a file may nest nodes deeper than Python can recurse. Nodes are
        pushed in reverse, so that they are visited in the order of the file.
        """
        stack: list[tuple[int, int | None, Matrix, bool]]
        stack = [(number, None, IDENTITY, True) for number in reversed(list(roots))]
        while stack:
            number, carrier, parent, is_visible = stack.pop()
            # By the specification, a node has at most one parent. Without this check a few nodes could stand
            # for exponentially many, or form a cycle.
            if number in self._world_matrices:
                self._warn(f"node {number} is in two places of the scene", "it is drawn once")
                continue
            self._parents[number] = carrier
            node = self.file.get_list("nodes")[number]
            local = self._compute_local_matrix(node, number)
            if local is None:
                self._world_matrices[number] = np.full((4, 4), np.nan)
                continue
            # Overflow is ignored here: faces whose corners are not finite are left out later.
            with np.errstate(over="ignore", invalid="ignore"):
                world = parent if local is IDENTITY else parent @ local
            self._world_matrices[number] = world
            is_visible = is_visible and self._is_shown(node)
            yield PlacedNode(number, node, world, is_visible)
            stack += [(child, number, world, is_visible) for child in reversed(self._list_children(number))]

    def _is_shown(self, node: JsonObject) -> bool:
        """Return False if a node hides itself and everything below it."""
        if "extensions" not in node:
            return True
        return (self.file.get_extension(node, VISIBILITY) or {}).get("visible", True) is not False

    def _compute_local_matrix(self, node: JsonObject, number: int) -> Matrix | None:
        """Return the matrix [4, 4] from a node to its parent, or None, with a warning, if it has none."""
        if not node.keys() & _TRANSFORM_KEYS:
            return IDENTITY
        if node.get("matrix") is not None:
            values = self._parse_floats(node, number, "matrix", IDENTITY.ravel())
            return None if values is None else values.reshape(4, 4).T
        rotation = self._parse_floats(node, number, "rotation", np.array([0.0, 0.0, 0.0, 1.0]))
        scale = self._parse_floats(node, number, "scale", np.ones(3))
        translation = self._parse_floats(node, number, "translation", np.zeros(3))
        if rotation is None or scale is None or translation is None:
            return None
        rotation = self._repair_rotation(rotation, number)
        return compute_transforms(translation[None], rotation[None], scale[None])[0]

    def _repair_rotation(self, rotation: NDArray[np.float64], number: int) -> NDArray[np.float64]:
        """Return a quaternion [4], scaled to unit length, with a warning, if it is far from it."""
        size = np.abs(rotation).max()
        if size < 2 and abs(rotation @ rotation - 1) <= MAX_LENGTH_ERROR:
            return rotation
        detail = f"the rotation of node {number} is no unit quaternion"
        self.file.log.add("number-repaired", detail, "it is scaled to one" if size else "it is none")
        if not size:
            return np.array([0.0, 0.0, 0.0, 1.0])
        return rotation / size / np.linalg.norm(rotation / size)

    def _parse_floats(
        self, node: JsonObject, number: int, name: str, default: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Return the numbers of a node's transform, or None, with a warning, if they are broken."""
        value = node.get(name)
        numbers = default if value is None else to_finite_numbers(value, len(default))
        if numbers is None:
            detail = f"the {name} of node {number} is not a list of {len(default)} finite numbers"
            self._warn(detail, "the node and everything below it is left out")
        return numbers

    def _warn(self, detail: str, shown: str = LEFT_OUT) -> None:
        """Add a warning about a node."""
        self.file.log.add("node-skipped", detail, shown)


def compute_transforms(
    translations: NDArray[np.float64], rotations: NDArray[np.float64], scales: NDArray[np.float64]
) -> Matrix:
    """Compute matrices [N, 4, 4] that scale, turn and move, in that order.

    Args:
        translations: [N, 3] translations.
        rotations: [N, 4] unit quaternions x, y, z, w.
        scales: [N, 3] scales.
    """
    x, y, z, w = rotations.T
    turns = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)
    matrices = np.tile(IDENTITY, (len(translations), 1, 1))
    matrices[:, :3, :3] = turns * scales[:, None, :]
    matrices[:, :3, 3] = translations
    return matrices


def find_finite(rows: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask [N], true for rows or matrices without NaN and infinite numbers."""
    return np.asarray(np.isfinite(rows).all(axis=tuple(range(1, rows.ndim))), dtype=np.bool_)


def compute_cofactors(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cofactor matrices [..., 3, 3], which transform normals where ``matrices`` transform points.

    Unlike the inverse transpose, they exist for matrices that flatten a mesh too.
    """
    a, b, c = (matrices[..., k] for k in range(3))
    return np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=-1)
