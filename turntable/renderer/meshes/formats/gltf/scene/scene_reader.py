"""The triangle primitives of a glTF scene, each placed by its node, and counted before any is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.gltf.file import GltfFile, JsonObject
from turntable.renderer.meshes.formats.gltf.scene.instances import compute_instance_matrices, count_instances
from turntable.renderer.meshes.formats.gltf.scene.morphs import list_active_targets
from turntable.renderer.meshes.formats.gltf.scene.nodes import LEFT_OUT, Matrix, NodeTree, PlacedNode
from turntable.renderer.meshes.formats.gltf.scene.parts import PlacedPrimitive
from turntable.renderer.meshes.formats.gltf.scene.primitives import PrimitiveData, PrimitiveReader
from turntable.renderer.meshes.formats.gltf.scene.skins import GltfSkins
from turntable.renderer.meshes.formats.gltf.scene.triangles import FAN, STRIP, TRIANGLES


@dataclass(frozen=True, slots=True, eq=False)
class _DrawnNode:
    """A node that draws a mesh."""

    placed: PlacedNode
    """Node and its place."""
    mesh: JsonObject
    """The mesh in the JSON of the file."""
    primitives: tuple[PrimitiveData, ...]
    """Primitives of the mesh that have triangles."""
    num_instances: int
    """Number of times that the mesh is drawn."""


@dataclass(slots=True)
class SceneReader:
    """A reader of the primitives of a file's scene."""

    file: GltfFile
    """File with the scene."""
    tree: NodeTree = field(init=False)
    """Nodes of the file."""
    _primitives: dict[int, tuple[PrimitiveData, ...]] = field(default_factory=dict)
    """Primitives of the meshes opened so far, since a scene may place a mesh any number of times."""

    def __post_init__(self) -> None:
        self.tree = NodeTree(self.file)

    def list_primitives(self) -> list[PlacedPrimitive]:
        """List the triangle primitives of the scene, in the order of the file.

        Raises:
            MeshError: The scene has none, or more than the limits allow.
        """
        reader = PrimitiveReader(self.file)
        drawn = list(self._iter_drawn_nodes(reader))
        if not any(node.primitives for node in drawn):
            self._raise_empty()
        self._check_counts(drawn)
        skins = GltfSkins(self.file, self.tree)
        return [primitive for node in drawn for primitive in self._iter_placed(node, skins)]

    def _iter_drawn_nodes(self, reader: PrimitiveReader) -> Iterator[_DrawnNode]:
        """Yield the nodes that draw triangles."""
        num_parts = 0
        for placed in self.tree.iter_scene():
            if not placed.is_visible or placed.node.get("mesh") is None:
                continue
            try:
                mesh = self.file.get_item("meshes", placed.node["mesh"])
                primitives = self._open_primitives(placed.node["mesh"], mesh, reader)
                num_instances = count_instances(self.file, placed)
            except MeshError as error:
                self._warn_unless_fatal(
                    error, f"node {placed.number} cannot be drawn ({self.file.describe(error)})"
                )
                continue
            num_parts += len(primitives)
            _check_scaled(self.file, "placed_parts", num_parts, "parts of meshes")
            yield _DrawnNode(placed, mesh, primitives, num_instances)

    def _open_primitives(
        self, number: int, mesh: JsonObject, reader: PrimitiveReader
    ) -> tuple[PrimitiveData, ...]:
        """Open the primitives of a mesh that have triangles."""
        if number not in self._primitives:
            opened = (
                self._open_primitive(number, primitive, reader)
                for primitive in self.file.get_dicts(mesh, "primitives")
            )
            self._primitives[number] = tuple(filter(None, opened))
        return self._primitives[number]

    def _open_primitive(
        self, number: int, primitive: JsonObject, reader: PrimitiveReader
    ) -> PrimitiveData | None:
        """Open a primitive. Return None, with a warning, if it has no triangles or cannot be read."""
        try:
            mode = self.file.get_int(primitive, "mode", TRIANGLES)
            if mode in (TRIANGLES, STRIP, FAN):
                return reader.open(primitive)
        except MeshError as error:
            self._warn_unless_fatal(
                error, f"a part of mesh {number} cannot be drawn ({self.file.describe(error)})"
            )
            return None
        if mode < TRIANGLES:
            self.file.log.add("points-skipped", f"mesh {number} has points or lines", "they are left out")
        else:
            detail = f"a part of mesh {number} is of the unknown mode {mode}"
            self.file.log.add("node-skipped", detail, LEFT_OUT)
        return None

    def _warn_unless_fatal(self, error: MeshError, detail: str) -> None:
        """Add a warning about a part of the scene, or raise the error if the rest is not usable either."""
        if error.reason != "unreadable":
            raise error
        self.file.log.add("node-skipped", detail, LEFT_OUT)

    def _raise_empty(self) -> None:
        """Refuse a scene without triangles."""
        cause = next((w.detail for w in self.file.log.warnings if w.kind == "node-skipped"), None)
        if cause is not None:
            self.file.raise_unreadable(f"nothing in it can be drawn: {cause}")
        raise MeshError(
            f"{self.file.path}: its scene has no triangles; leave this object out", reason="no faces"
        )

    def _check_counts(self, drawn: list[_DrawnNode]) -> None:
        """Check the numbers of vertices and triangles before any is read.

        A mesh counts each time a node or instance places it, and once more for each morph target.
        """
        vertices = triangles = work = num_parts = 0
        for node in drawn:
            for data in node.primitives:
                used = data.num_vertices
                if data.has_unused_vertices():
                    used = min(used, data.count_corners())
                targets = list_active_targets(self.file, node.placed.node, node.mesh, data.primitive)
                vertices += used * node.num_instances
                work += used * len(targets)
                num_parts += 1 + len(targets)
                triangles += data.count_triangles() * node.num_instances
        limits, path = self.file.object_files.limits, str(self.file.path)
        limits.check("vertices", vertices, path, "vertices")
        limits.check("triangles", triangles, path, "triangles")
        _check_scaled(self.file, "placed_parts", num_parts, "parts of meshes and morph targets")
        _check_scaled(self.file, "placed_vertices", vertices + work, "vertices")
        _check_scaled(self.file, "placed_triangles", triangles, "triangles")

    def _iter_placed(self, node: _DrawnNode, skins: GltfSkins) -> Iterator[PlacedPrimitive]:
        """Yield the primitives of a node with their places."""
        skin = node.placed.node.get("skin")
        joint_matrices = None if skin is None else skins.get_joint_matrices(skin)
        matrices = self._compute_matrices(node)
        if joint_matrices is not None and len(matrices) > 1:
            detail = f"node {node.placed.number} has instances of a mesh that its skin places"
            self.file.log.add("extension-skipped", detail, "the mesh is drawn once")
        for data in node.primitives if len(matrices) else ():
            targets = list_active_targets(self.file, node.placed.node, node.mesh, data.primitive)
            yield PlacedPrimitive(data, matrices, targets, joint_matrices, node.placed.number)

    def _compute_matrices(self, node: _DrawnNode) -> Matrix:
        """Compute the matrices [I, 4, 4] of a node's instances; none, with a warning, if they are broken."""
        try:
            return compute_instance_matrices(self.file, node.placed)
        except MeshError as error:
            self._warn_unless_fatal(
                error, f"instances of node {node.placed.number} cannot be read ({self.file.describe(error)})"
            )
            return np.empty((0, 4, 4))


def _check_scaled(file: GltfFile, name: str, value: int, unit: str) -> None:
    """Compare an amount with a limit that grows with the bytes read so far."""
    file.object_files.limits.check_scaled(name, value, file.object_files.bytes_read, str(file.path), unit)
