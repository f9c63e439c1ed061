"""glTF 2.0 files, embedded or not: the meshes of their scene, at rest.

Animations, armatures and morph targets are left as the file stores them; cameras, lights, points and lines
are not drawn.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats import colours
from turntable.renderer.meshes.formats.confined import Confined
from turntable.renderer.meshes.formats.gltf_accessors import count_of, floats, indices, is_sparse
from turntable.renderer.meshes.formats.gltf_file import GltfFile, JsonObject, open_gltf
from turntable.renderer.meshes.formats.gltf_materials import GltfMaterials, finite
from turntable.renderer.meshes.formats.textures import Textures
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh, checked, flat_normals, joined, unit, y_up_to_z_up

TRIANGLES, STRIP, FAN = 4, 5, 6
COMPRESSED = "KHR_draco_mesh_compression"
_READ = ("POSITION", "NORMAL", "TEXCOORD_", "COLOR_0")
"""How the attributes begin that are read."""
_MOVES = frozenset({"matrix", "rotation", "scale", "translation"})

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A primitive of a mesh, where a node puts it."""

    primitive: JsonObject
    world: Matrix


def load_gltf(path: Path, root: Path | None = None, limits: Limits = LIMITS) -> Mesh:
    """Read a .glb or .gltf file.

    Args:
        path: The file.
        root: The folder that no buffer or image may leave; the file's own folder by default.
        limits: What the object's files may ask for.

    Raises:
        MeshError: It cannot be read, or holds no usable triangles.
    """
    file = open_gltf(path, Confined(root or path.parent, limits))
    placed = _placed(file)
    if not placed:
        raise MeshError(f"{path}: its scene has no triangles; leave this object out", reason="no faces")
    _check_counts(file, placed)
    textures = Textures(file.files)
    materials = GltfMaterials(file, textures)
    mesh = checked(joined([_part(file, item, materials) for item in placed]), str(path))
    notes = tuple(f"{path}: {note}" for note in textures.notes)
    return replace(y_up_to_z_up(mesh), warnings=notes, files=tuple(file.files.files))


def _placed(file: GltfFile) -> list[_Placed]:
    """The primitives of triangles in the file's scene."""
    placed: list[_Placed] = []
    drawn: dict[int, list[JsonObject]] = {}  # a mesh may stand in the scene any number of times
    waiting = [(number, np.eye(4)) for number in reversed(_roots(file))]
    seen: set[int] = set()
    while waiting:
        number, parent = waiting.pop()
        node = file.item("nodes", number)
        # A node has one parent. Otherwise a few nodes stand for any number of them, or for a circle.
        if number in seen:
            file.broken(f"node {number} is in two places of the scene")
        seen.add(number)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found among the vertices
            local = _local(file, node)
            world = parent if local is None else parent @ local
        if "mesh" in node:
            mesh = file.number(node, "mesh")
            if mesh not in drawn:
                drawn[mesh] = _drawn(file, file.item("meshes", mesh))
            placed += [_Placed(primitive, world) for primitive in drawn[mesh]]
            _check_paid(file, "placed_parts", len(placed), "parts of meshes")
        waiting += [(child, world) for child in reversed(_numbers(file, node, "children"))]
    return placed


def _drawn(file: GltfFile, mesh: JsonObject) -> list[JsonObject]:
    """The primitives of a mesh that have triangles."""
    return [
        primitive
        for primitive in file.tables(mesh, "primitives")
        if file.number(primitive, "mode", TRIANGLES) in (TRIANGLES, STRIP, FAN)
    ]


def _check_paid(file: GltfFile, name: str, value: int, what: str) -> None:
    file.files.limits.check_paid(name, value, file.files.bytes_read, str(file.path), what)


def _roots(file: GltfFile) -> list[int]:
    if file.items("scenes"):
        return _numbers(file, file.item("scenes", file.tree.get("scene", 0)), "nodes")
    children = {child for node in file.items("nodes") for child in _numbers(file, node, "children")}
    return [number for number in range(len(file.items("nodes"))) if number not in children]


def _numbers(file: GltfFile, table: JsonObject, name: str) -> list[int]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(type(item) is int for item in cast("list[Any]", found)):
        file.broken(f"{name} is no list of numbers")
    return cast("list[int]", found)


def _local(file: GltfFile, node: JsonObject) -> Matrix | None:
    """[4, 4]: from a node to its parent; None where they are the same."""
    if not node.keys() & _MOVES:
        return None
    if "matrix" in node:
        return _list(file, node, "matrix", np.eye(4).ravel()).reshape(4, 4).T
    x, y, z, w = _list(file, node, "rotation", np.array([0.0, 0.0, 0.0, 1.0]))
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = turn * _list(file, node, "scale", np.ones(3))
    matrix[:3, 3] = _list(file, node, "translation", np.zeros(3))
    return matrix


def _list(file: GltfFile, node: JsonObject, name: str, default: NDArray[np.float64]) -> NDArray[np.float64]:
    value: Any = node.get(name, default.tolist())
    if not isinstance(value, list) or len(cast("list[Any]", value)) != len(default):
        file.broken(f"{name} of a node has not {len(default)} numbers")
    return finite(file, cast("list[Any]", value), name)


def _check_counts(file: GltfFile, placed: list[_Placed]) -> None:
    """Before any of them is read: a mesh counts wherever a node puts it."""
    vertices = triangles = 0
    for item in placed:
        if COMPRESSED in file.table(item.primitive, "extensions"):
            raise MeshError(
                f"{file.path} is compressed with Draco, which is not read; export it without compression",
                reason="unsupported",
            )
        count = count_of(file, file.table(item.primitive, "attributes").get("POSITION"))
        corners = _num_corners(file, item.primitive, count)
        vertices += min(count, corners) if _takes_few(file, item.primitive, count) else count
        triangles += _num_triangles(file, item.primitive, corners)
    file.files.limits.check("vertices", vertices, str(file.path), "vertices")
    file.files.limits.check("triangles", triangles, str(file.path), "triangles")
    _check_paid(file, "placed_vertices", vertices, "vertices")
    _check_paid(file, "placed_triangles", triangles, "triangles")


def _num_corners(file: GltfFile, primitive: JsonObject, vertices: int) -> int:
    return count_of(file, primitive["indices"]) if "indices" in primitive else vertices


def _num_triangles(file: GltfFile, primitive: JsonObject, corners: int) -> int:
    return corners // 3 if file.number(primitive, "mode", TRIANGLES) == TRIANGLES else max(corners - 2, 0)


def _takes_few(file: GltfFile, primitive: JsonObject, vertices: int) -> bool:
    """Return whether a primitive cannot use all of its vertices, as many that share one buffer do not."""
    if "indices" not in primitive or count_of(file, primitive["indices"]) >= vertices:
        return False
    attributes = file.table(primitive, "attributes")
    return not any(is_sparse(file, index) for name, index in attributes.items() if name.startswith(_READ))


def _part(file: GltfFile, item: _Placed, materials: GltfMaterials) -> Mesh:
    attributes = file.table(item.primitive, "attributes")
    count = count_of(file, attributes.get("POSITION"))
    triangles, rows = _triangles(file, item.primitive, count), None
    if _takes_few(file, item.primitive, count):
        rows, corners = np.unique(triangles, return_inverse=True)
        triangles = corners.reshape(-1, 3)
    positions = floats(file, attributes["POSITION"], 3, rows)

    def attribute(name: str, width: int) -> NDArray[np.float64] | None:
        return _attribute(file, attributes, name, width, count, rows)

    material, use = materials.get(item.primitive.get("material"))
    uv = attribute(f"TEXCOORD_{use.coordinates}", 2)
    with np.errstate(over="ignore", invalid="ignore"):
        texcoords = np.zeros((len(positions), 2)) if uv is None else use.moved(uv) * [1, -1] + [0, 1]
    normals, colour = attribute("NORMAL", 3), attribute("COLOR_0", 3)
    of_materials, index = (material,), np.zeros(len(triangles), dtype=np.int32)
    if colour is not None and material.texture is None:
        light = colour[triangles].mean(axis=1) * material.base_color
        found, index = colours.face_materials(colours.encoded(np.clip(np.nan_to_num(light), 0, 1)))
        of_materials = tuple(replace(material, base_color=one.base_color) for one in found)
    with np.errstate(over="ignore", invalid="ignore"):
        world = positions @ item.world[:3, :3].T + item.world[:3, 3]
        shading = np.zeros_like(positions) if normals is None else normals @ _cofactors(item.world[:3, :3]).T
        mesh = Mesh(
            positions=world.astype(np.float32),
            triangles=triangles.astype(np.int32),
            normals=unit(shading).astype(np.float32),
            texcoords=texcoords.astype(np.float32),
            material_index=index,
            materials=of_materials,
            has_normals=normals is not None,
        )
        return mesh if mesh.has_normals else flat_normals(mesh)


def _cofactors(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """[3, 3]: what turns normals when ``matrix`` moves points; it exists for flattened meshes too."""
    a, b, c = matrix.T
    return np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)


def _attribute(
    file: GltfFile, attributes: JsonObject, name: str, width: int, count: int, rows: NDArray[np.int64] | None
) -> NDArray[np.float64] | None:
    """[count, width], or [K, width] of ``rows`` [K]."""
    if name not in attributes:
        return None
    given = count_of(file, attributes[name])
    if given != count:
        file.broken(f"{name} of {given} vertices, where there are {count}")
    return floats(file, attributes[name], width, rows)


def _triangles(file: GltfFile, primitive: JsonObject, vertices: int) -> NDArray[np.int64]:
    """[T, 3]."""
    corners = indices(file, primitive["indices"], vertices) if "indices" in primitive else np.arange(vertices)
    mode = file.number(primitive, "mode", TRIANGLES)
    if mode == TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if len(corners) < 3:
        return np.empty((0, 3), dtype=np.int64)
    if mode == FAN:
        return np.stack([np.full(len(corners) - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)
    strip = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    strip[1::2] = strip[1::2, [1, 0, 2]]
    return strip
