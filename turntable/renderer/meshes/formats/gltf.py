"""Loading of glTF 2.0 files: the triangle meshes of a scene, at rest.

Animations, skins and morph targets are not applied. Cameras, lights, points and lines are not drawn.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats import colors
from turntable.renderer.meshes.formats.gltf_accessors import (
    count_elements,
    is_sparse,
    read_floats,
    read_indices,
)
from turntable.renderer.meshes.formats.gltf_file import GltfFile, JsonObject, open_gltf
from turntable.renderer.meshes.formats.gltf_materials import GltfMaterials, parse_finite_numbers
from turntable.renderer.meshes.formats.object_files import ObjectFiles
from turntable.renderer.meshes.formats.texture_loader import TextureLoader
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import (
    Mesh,
    check_mesh,
    join_meshes,
    normalize_vectors,
    with_flat_normals,
    y_up_to_z_up,
)

TRIANGLES, STRIP, FAN = 4, 5, 6
"""Modes of glTF primitives that have triangles."""
DRACO_EXTENSION = "KHR_draco_mesh_compression"
"""Extension of primitives whose data is compressed with Draco."""
_ATTRIBUTE_PREFIXES = ("POSITION", "NORMAL", "TEXCOORD_", "COLOR_0")
"""Prefixes of the names of the attributes that are read."""
_TRANSFORM_KEYS = frozenset({"matrix", "rotation", "scale", "translation"})
"""Keys of a node that move it relative to its parent."""

Matrix = NDArray[np.float64]
"""Matrix [4, 4] or [3, 3]."""


@dataclass(frozen=True, slots=True, eq=False)
class _PlacedPrimitive:
    """A primitive of a mesh, placed in the scene by a node."""

    primitive: JsonObject
    """The primitive in the JSON of the file."""
    world_matrix: Matrix
    """[4, 4] matrix from the node to the scene."""


def load_gltf(path: Path, root: Path | None = None, limits: Limits = LIMITS) -> Mesh:
    """Load a .glb or .gltf file.

    Args:
        path: Path of the file.
        root: Folder that no buffer or image may lie outside; the file's own folder by default.
        limits: Limits on what the object's files may ask for.

    Raises:
        MeshError: The file cannot be read, or has no usable triangles.
    """
    file = open_gltf(path, ObjectFiles(root or path.parent, limits))
    placed = _list_placed_primitives(file)
    if not placed:
        raise MeshError(f"{path}: its scene has no triangles; leave this object out", reason="no faces")
    _check_counts(file, placed)
    textures = TextureLoader(file.object_files)
    materials = GltfMaterials(file, textures)
    mesh = check_mesh(join_meshes([_build_part(file, item, materials) for item in placed]), str(path))
    log, files = file.object_files.log, tuple(file.object_files.paths_read)
    return replace(y_up_to_z_up(mesh), warnings=log.warnings, files=files)


def _list_placed_primitives(file: GltfFile) -> list[_PlacedPrimitive]:
    """List the triangle primitives of the scene, each with its world matrix, in the order of the file."""
    placed: list[_PlacedPrimitive] = []
    primitives_of_mesh: dict[int, list[JsonObject]] = {}  # a scene may place a mesh any number of times
    # A stack instead of recursion: a file may nest nodes deeper than Python can recurse. Nodes are pushed in
    # reverse, so that they are visited in the order of the file.
    stack = [(number, np.eye(4)) for number in reversed(_list_root_nodes(file))]
    visited: set[int] = set()
    while stack:
        number, parent = stack.pop()
        node = file.get_item("nodes", number)
        # By the specification, a node has at most one parent. Without this check a few nodes could stand for
        # exponentially many, or form a cycle.
        if number in visited:
            file.raise_unreadable(f"node {number} is in two places of the scene")
        visited.add(number)
        # Overflow is ignored here: check_mesh finds vertices that are not finite.
        with np.errstate(over="ignore", invalid="ignore"):
            local = _compute_local_matrix(file, node)
            world = parent if local is None else parent @ local
        if "mesh" in node:
            mesh = file.get_int(node, "mesh")
            if mesh not in primitives_of_mesh:
                primitives_of_mesh[mesh] = _select_triangle_primitives(file, file.get_item("meshes", mesh))
            placed += [_PlacedPrimitive(primitive, world) for primitive in primitives_of_mesh[mesh]]
            _check_scaled(file, "placed_parts", len(placed), "parts of meshes")
        stack += [(child, world) for child in reversed(_parse_int_list(file, node, "children"))]
    return placed


def _select_triangle_primitives(file: GltfFile, mesh: JsonObject) -> list[JsonObject]:
    """Select the primitives of a mesh that have triangles."""
    return [
        primitive
        for primitive in file.get_dicts(mesh, "primitives")
        if file.get_int(primitive, "mode", TRIANGLES) in (TRIANGLES, STRIP, FAN)
    ]


def _check_scaled(file: GltfFile, name: str, value: int, unit: str) -> None:
    """Compare an amount with a limit that grows with the bytes read so far."""
    file.object_files.limits.check_scaled(name, value, file.object_files.bytes_read, str(file.path), unit)


def _list_root_nodes(file: GltfFile) -> list[int]:
    """List the root nodes: those of the default scene, or all nodes without a parent if there is no scene."""
    if file.get_list("scenes"):
        return _parse_int_list(file, file.get_item("scenes", file.document.get("scene", 0)), "nodes")
    children = {child for node in file.get_list("nodes") for child in _parse_int_list(file, node, "children")}
    return [number for number in range(len(file.get_list("nodes"))) if number not in children]


def _parse_int_list(file: GltfFile, table: JsonObject, name: str) -> list[int]:
    """Return a list of integers from the JSON, empty if the file leaves it out."""
    value = table.get(name, [])
    if not isinstance(value, list) or not all(type(item) is int for item in cast("list[Any]", value)):
        file.raise_unreadable(f"{name} is not a list of integers")
    return cast("list[int]", value)


def _compute_local_matrix(file: GltfFile, node: JsonObject) -> Matrix | None:
    """Return the matrix [4, 4] from a node to its parent, or None if it is the identity."""
    if not node.keys() & _TRANSFORM_KEYS:
        return None
    if "matrix" in node:
        return _parse_node_floats(file, node, "matrix", np.eye(4).ravel()).reshape(4, 4).T
    x, y, z, w = _parse_node_floats(file, node, "rotation", np.array([0.0, 0.0, 0.0, 1.0]))
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * _parse_node_floats(file, node, "scale", np.ones(3))
    matrix[:3, 3] = _parse_node_floats(file, node, "translation", np.zeros(3))
    return matrix


def _parse_node_floats(
    file: GltfFile, node: JsonObject, name: str, default: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the numbers of a node's transform, or the default if the file leaves them out."""
    value: Any = node.get(name, default.tolist())
    if not isinstance(value, list) or len(cast("list[Any]", value)) != len(default):
        file.raise_unreadable(f"{name} of a node is not a list of {len(default)} numbers")
    return parse_finite_numbers(file, cast("list[Any]", value), name)


def _check_counts(file: GltfFile, placed: list[_PlacedPrimitive]) -> None:
    """Check the numbers of vertices and triangles before any is read.

    A mesh counts each time a node places it.
    """
    vertices = triangles = 0
    for item in placed:
        if DRACO_EXTENSION in file.get_dict(item.primitive, "extensions"):
            raise MeshError(
                f"{file.path} is compressed with Draco, which is not supported; export it without "
                "compression",
                reason="unsupported",
            )
        count = count_elements(file, file.get_dict(item.primitive, "attributes").get("POSITION"))
        corners = _count_corners(file, item.primitive, count)
        vertices += min(count, corners) if _has_unused_vertices(file, item.primitive, count) else count
        triangles += _count_triangles(file, item.primitive, corners)
    file.object_files.limits.check("vertices", vertices, str(file.path), "vertices")
    file.object_files.limits.check("triangles", triangles, str(file.path), "triangles")
    _check_scaled(file, "placed_vertices", vertices, "vertices")
    _check_scaled(file, "placed_triangles", triangles, "triangles")


def _count_corners(file: GltfFile, primitive: JsonObject, num_vertices: int) -> int:
    """Return the number of corners that a primitive's triangles are made from."""
    return count_elements(file, primitive["indices"]) if "indices" in primitive else num_vertices


def _count_triangles(file: GltfFile, primitive: JsonObject, num_corners: int) -> int:
    """Return the number of triangles of a primitive, in its mode: a list, a strip or a fan."""
    return (
        num_corners // 3
        if file.get_int(primitive, "mode", TRIANGLES) == TRIANGLES
        else max(num_corners - 2, 0)
    )


def _has_unused_vertices(file: GltfFile, primitive: JsonObject, num_vertices: int) -> bool:
    """Return True if a primitive cannot use all of its vertices, because it has fewer indices.

    This is common where many primitives share one vertex buffer. The vertices used are then selected before
    the attributes are read. Sparse accessors are always read as a whole, so they do not count.
    """
    if "indices" not in primitive or count_elements(file, primitive["indices"]) >= num_vertices:
        return False
    attributes = file.get_dict(primitive, "attributes")
    return not any(
        is_sparse(file, index) for name, index in attributes.items() if name.startswith(_ATTRIBUTE_PREFIXES)
    )


def _build_part(file: GltfFile, item: _PlacedPrimitive, materials: GltfMaterials) -> Mesh:
    """Build the mesh of one placed primitive."""
    attributes = file.get_dict(item.primitive, "attributes")
    count = count_elements(file, attributes.get("POSITION"))
    triangles, rows = _read_triangles(file, item.primitive, count), None
    if _has_unused_vertices(file, item.primitive, count):
        rows, corners = np.unique(triangles, return_inverse=True)
        triangles = corners.reshape(-1, 3)
    positions = read_floats(file, attributes["POSITION"], 3, rows)

    def attribute(name: str, width: int) -> NDArray[np.float64] | None:
        return _read_attribute(file, attributes, name, width, count, rows)

    material, mapping = materials.get(item.primitive.get("material"))
    uv = attribute(f"TEXCOORD_{mapping.texcoord_set}", 2)
    with np.errstate(over="ignore", invalid="ignore"):
        # glTF's v runs downward, a mesh's v upward.
        texcoords = (
            np.zeros((len(positions), 2))
            if uv is None
            else mapping.transform_texcoords(uv) * [1, -1] + [0, 1]
        )
    normals, vertex_colors = attribute("NORMAL", 3), attribute("COLOR_0", 3)
    part_materials, index = (material,), np.zeros(len(triangles), dtype=np.int32)
    if vertex_colors is not None and material.texture is None:
        # The renderer has no vertex colors: each face gets a material with the mean color of its corners.
        light = vertex_colors[triangles].mean(axis=1) * material.base_color
        face_materials, index = colors.colors_to_materials(
            colors.linear_to_srgb(np.clip(np.nan_to_num(light), 0, 1))
        )
        part_materials = tuple(replace(material, base_color=face.base_color) for face in face_materials)
    with np.errstate(over="ignore", invalid="ignore"):
        world = positions @ item.world_matrix[:3, :3].T + item.world_matrix[:3, 3]
        shading = (
            np.zeros_like(positions)
            if normals is None
            else normals @ _compute_cofactors(item.world_matrix[:3, :3]).T
        )
        mesh = Mesh(
            positions=world.astype(np.float32),
            triangles=triangles.astype(np.int32),
            normals=normalize_vectors(shading).astype(np.float32),
            texcoords=texcoords.astype(np.float32),
            material_index=index,
            materials=part_materials,
            has_normals=normals is not None,
        )
        return mesh if mesh.has_normals else with_flat_normals(mesh)


def _compute_cofactors(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cofactor matrix [3, 3], which transforms normals where ``matrix`` transforms points.

    Unlike the inverse transpose, it exists for matrices that flatten a mesh too.
    """
    a, b, c = matrix.T
    return np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)


def _read_attribute(
    file: GltfFile,
    attributes: JsonObject,
    name: str,
    width: int,
    num_vertices: int,
    rows: NDArray[np.int64] | None,
) -> NDArray[np.float64] | None:
    """Read an attribute of all vertices [count, width], or of ``rows`` [K, width]; None if there is none."""
    if name not in attributes:
        return None
    num_elements = count_elements(file, attributes[name])
    if num_elements != num_vertices:
        file.raise_unreadable(f"{name} has {num_elements} elements for {num_vertices} vertices")
    return read_floats(file, attributes[name], width, rows)


def _read_triangles(file: GltfFile, primitive: JsonObject, num_vertices: int) -> NDArray[np.int64]:
    """Read the triangles [T, 3] of a primitive as indices into its vertices."""
    corners = (
        read_indices(file, primitive["indices"], num_vertices)
        if "indices" in primitive
        else np.arange(num_vertices)
    )
    mode = file.get_int(primitive, "mode", TRIANGLES)
    if mode == TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if len(corners) < 3:
        return np.empty((0, 3), dtype=np.int64)
    if mode == FAN:
        return np.stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)
    strip = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    # Every second triangle of a strip runs the other way around.
    strip[1::2] = strip[1::2, [1, 0, 2]]
    return strip
