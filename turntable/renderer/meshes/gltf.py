"""glTF 2.0 files, embedded or not: the meshes of their scene, at rest.

Animations, armatures and morph targets are left as the file stores them; cameras, lights, points and lines
are not drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes import colours
from turntable.renderer.meshes.confined import Confined
from turntable.renderer.meshes.gltf_accessors import count_of, floats, indices
from turntable.renderer.meshes.gltf_file import GltfFile, Table, open_gltf
from turntable.renderer.meshes.gltf_materials import GltfMaterials, finite
from turntable.renderer.meshes.limits import LIMITS, Limits
from turntable.renderer.meshes.mesh import Mesh, checked, flat_normals, joined, unit, y_up_to_z_up
from turntable.renderer.meshes.textures import Textures

TRIANGLES, STRIP, FAN = 4, 5, 6
COMPRESSED = "KHR_draco_mesh_compression"

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A primitive of a mesh, where a node puts it."""

    primitive: Table
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
    placed = list(_placed(file))
    if not placed:
        raise MeshError(f"{path}: its scene has no triangles; leave this object out", reason="no faces")
    _check_counts(file, placed)
    textures = Textures(file.files)
    materials = GltfMaterials(file, textures)
    mesh = checked(joined([_part(file, item, materials) for item in placed]), str(path))
    notes = tuple(f"{path}: {note}" for note in textures.notes)
    return replace(y_up_to_z_up(mesh), warnings=notes, files=tuple(file.files.files))


def _placed(file: GltfFile) -> Iterator[_Placed]:
    """The primitives of triangles in the file's scene."""
    waiting = [(number, np.eye(4)) for number in reversed(_roots(file))]
    seen: set[int] = set()
    while waiting:
        number, parent = waiting.pop()
        node = file.item("nodes", number)
        # A node has one parent. Otherwise a few nodes stand for any number of them, or for a circle.
        if number in seen:
            file.broken(f"node {number} is in two places of the scene")
        seen.add(number)
        world = parent @ _local(file, node)
        if "mesh" in node:
            for primitive in _tables(file, file.item("meshes", node["mesh"]), "primitives"):
                if file.number(primitive, "mode", TRIANGLES) in (TRIANGLES, STRIP, FAN):
                    yield _Placed(primitive, world)
        waiting += [(child, world) for child in reversed(_numbers(file, node, "children"))]


def _roots(file: GltfFile) -> list[int]:
    if file.items("scenes"):
        return _numbers(file, file.item("scenes", file.tree.get("scene", 0)), "nodes")
    children = {child for node in file.items("nodes") for child in _numbers(file, node, "children")}
    return [number for number in range(len(file.items("nodes"))) if number not in children]


def _numbers(file: GltfFile, table: Table, name: str) -> list[int]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(type(item) is int for item in cast("list[Any]", found)):
        file.broken(f"{name} is no list of numbers")
    return cast("list[int]", found)


def _tables(file: GltfFile, table: Table, name: str) -> list[Table]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in cast("list[Any]", found)):
        file.broken(f"{name} is no list of objects")
    return cast("list[Table]", found)


def _local(file: GltfFile, node: Table) -> Matrix:
    """[4, 4]: from a node to its parent."""
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


def _list(file: GltfFile, node: Table, name: str, default: NDArray[np.float64]) -> NDArray[np.float64]:
    value: Any = node.get(name, default.tolist())
    if not isinstance(value, list) or len(cast("list[Any]", value)) != len(default):
        file.broken(f"{name} of a node has not {len(default)} numbers")
    return finite(file, cast("list[Any]", value), name)


def _check_counts(file: GltfFile, placed: list[_Placed]) -> None:
    """Before any of them is read: a mesh counts wherever a node puts it."""
    vertices = corners = 0
    for item in placed:
        attributes = file.table(item.primitive, "attributes")
        if COMPRESSED in file.table(item.primitive, "extensions"):
            raise MeshError(
                f"{file.path} is compressed with Draco, which is not read; export it without compression",
                reason="unsupported",
            )
        count = count_of(file, attributes.get("POSITION"))
        vertices += count
        corners += count_of(file, item.primitive["indices"]) if "indices" in item.primitive else count
    file.files.limits.check("vertices", vertices, str(file.path), "vertices")
    file.files.limits.check("triangles", corners // 3, str(file.path), "triangles")


def _part(file: GltfFile, item: _Placed, materials: GltfMaterials) -> Mesh:
    attributes = file.table(item.primitive, "attributes")
    positions = floats(file, attributes.get("POSITION"), 3)
    triangles = _triangles(file, item.primitive, len(positions))
    material, use = materials.get(item.primitive.get("material"))
    uv = _attribute(file, attributes, f"TEXCOORD_{use.coordinates}", 2, len(positions))
    texcoords = np.zeros((len(positions), 2)) if uv is None else use.moved(uv) * [1, -1] + [0, 1]
    normals = _attribute(file, attributes, "NORMAL", 3, len(positions))
    colour = _attribute(file, attributes, "COLOR_0", 3, len(positions))
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
    file: GltfFile, attributes: Table, name: str, width: int, count: int
) -> NDArray[np.float64] | None:
    if name not in attributes:
        return None
    values = floats(file, attributes[name], width)
    if len(values) != count:
        file.broken(f"{name} of {len(values)} vertices, where there are {count}")
    return values


def _triangles(file: GltfFile, primitive: Table, vertices: int) -> NDArray[np.int64]:
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
