"""Parts of a glTF scene: the triangles of one primitive, wherever a node draws them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.meshes.formats.gltf.file import GltfFile
from turntable.renderer.meshes.formats.gltf.materials import GltfMaterials, MappedMaterial
from turntable.renderer.meshes.formats.gltf.scene.morphs import MorphTarget, apply_targets
from turntable.renderer.meshes.formats.gltf.scene.nodes import Matrix, compute_cofactors
from turntable.renderer.meshes.formats.gltf.scene.primitives import PrimitiveData, Rows
from turntable.renderer.meshes.formats.gltf.scene.skins import (
    MAX_SETS,
    SkinWeights,
    move_vertices,
    normalize_weights,
)
from turntable.renderer.meshes.mesh import (
    MAX_FLOAT32,
    FloatArray,
    Material,
    average_face_normals,
    normalize_vectors,
)

Floats = NDArray[np.float64]
"""Numbers in double precision."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedPrimitive:
    """A primitive of a mesh, placed in the scene."""

    data: PrimitiveData
    """Data of the primitive."""
    matrices: Matrix
    """[I, 4, 4] matrices to the scene, one for each time the primitive is drawn."""
    targets: tuple[MorphTarget, ...] = ()
    """Morph targets that are part of the default shape."""
    joint_matrices: Matrix | None = None
    """[J, 4, 4] matrices of the joints of a skin, which stand in for those of the node."""
    node_number: int = 0
    """Index of the node."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The triangles of a placed primitive. Positions stay in double precision until all parts are known."""

    positions: Floats
    """[N, 3] positions in the scene, y upward."""
    triangles: NDArray[np.int32]
    """[T, 3] vertices."""
    normals: FloatArray | None
    """[N, 3] unit normals, if the file has any."""
    texcoords: FloatArray
    """[N, 2] texture coordinates, v upward."""
    colors: FloatArray | None
    """[N, 4] linear colors and opacities, if the file has any."""
    material: Material
    """Material of all triangles."""
    node_number: int
    """Index of the node that draws the primitive."""
    skin: SkinWeights | None = None
    """Joints that move the vertices, if some do and they were asked for."""
    num_infinite: int = 0
    """Number of triangles left out because a corner is not finite."""


@dataclass(frozen=True, slots=True, eq=False)
class _VertexReader:
    """A reader of the vertices of one primitive, in the default shape of its morph targets."""

    placed: PlacedPrimitive
    """Primitive to read."""
    rows: Rows
    """[K] vertices to read; None for all."""

    @property
    def file(self) -> GltfFile:
        """File the primitive is read from."""
        return self.placed.data.file

    def has(self, name: str) -> bool:
        """Return True if the primitive has an attribute."""
        return name in self.placed.data.attributes

    def read(self, name: str, width: int) -> Floats | None:
        """Read an attribute [K, width] with its morph targets. None if there is none, or it is unusable."""
        base = self.placed.data.read(name, width, self.rows)
        if base is None or not self.placed.targets:
            return base

        def read_target(index: object, label: str) -> Floats | None:
            columns = min(width, _get_width(self.file, index))
            return self.placed.data.read_accessor(index, label, columns, self.rows)

        return apply_targets(base, self.placed.targets, name, read_target)

    def read_skin(self) -> SkinWeights | None:
        """Read the joints that move each vertex. None if the primitive is not moved by joints."""
        joint_matrices = self.placed.joint_matrices
        if joint_matrices is None:
            return None
        joints: list[Floats] = []
        weights: list[Floats] = []
        for number in range(MAX_SETS):
            names = f"JOINTS_{number}", f"WEIGHTS_{number}"
            values = [self.placed.data.read(name, 4, self.rows) for name in names]
            if values[0] is None or values[1] is None:
                break
            joints.append(values[0])
            weights.append(values[1])
        if self.has(f"JOINTS_{MAX_SETS}"):
            detail = f"vertices follow more than {4 * MAX_SETS} joints"
            self.file.log.add("reference-skipped", detail, "the other joints are left out")
        if not joints:
            detail = "a mesh with a skin has no joints or weights"
            self.file.log.add("reference-skipped", detail, "it is placed by its node")
            return None
        numbers = np.nan_to_num(np.concatenate(joints, axis=1), nan=-1.0).clip(-1, 2**31).astype(np.int64)
        return normalize_weights(self.file, numbers, np.concatenate(weights, axis=1), joint_matrices)


def build_part(placed: PlacedPrimitive, materials: GltfMaterials, *, keeps_skin: bool = False) -> Part:
    """Build the part of a placed primitive.

    Args:
        placed: The primitive.
        materials: Materials of the file.
        keeps_skin: True to keep the joints that move each vertex.

    Raises:
        MeshError: Its positions or triangles cannot be read.
    """
    data = placed.data
    triangles, rows = _read_triangles(data), None
    if data.has_unused_vertices():
        rows, corners = np.unique(triangles, return_inverse=True)
        triangles = corners.reshape(-1, 3)
    reader = _VertexReader(placed, rows)
    base = reader.read("POSITION", 3)
    if base is None:
        data.file.raise_unreadable("a mesh has no usable positions")
    mapped = materials.get(data.primitive.get("material"))
    texcoords, colors = _read_texcoords(reader, mapped, len(base)), _read_colors(reader, mapped)
    with np.errstate(over="ignore", invalid="ignore"):
        positions, shading = _place_vertices(reader, base, reader.read("NORMAL", 3))
        count = len(positions) // len(base) if len(base) else 1
        triangles = _repeat_triangles(triangles, count, len(base))
        finite = _drop_infinite(data.file, positions, triangles)
        triangles, num_infinite = finite, len(triangles) - len(finite)
        normals = None if shading is None else _finish_normals(data.file, positions, triangles, shading)
    return Part(
        positions=positions,
        triangles=triangles.astype(np.int32),
        normals=normals,
        texcoords=texcoords if count == 1 else np.tile(texcoords, (count, 1)),
        colors=colors if colors is None or count == 1 else np.tile(colors, (count, 1)),
        material=mapped.material,
        node_number=placed.node_number,
        skin=reader.read_skin() if keeps_skin else None,
        num_infinite=num_infinite,
    )


def _read_triangles(data: PrimitiveData) -> NDArray[np.int64]:
    """Read the triangles [T, 3] of a primitive, with warnings about those that cannot be drawn."""
    assembled = data.read_triangles()
    if assembled.num_missing:
        detail = f"{assembled.num_missing:,} triangles have corners that do not exist"
        data.file.log.add("face-skipped", detail, "they are left out")
    if assembled.num_rest:
        detail = f"{assembled.num_rest:,} corners at the end of a list of triangles are too few for another"
        data.file.log.add("face-skipped", detail, "they are left out")
    return assembled.triangles


def _read_texcoords(reader: _VertexReader, mapped: MappedMaterial, num_vertices: int) -> FloatArray:
    """Read the texture coordinates [N, 2] of a primitive, zeros if it has none."""
    name = f"TEXCOORD_{mapped.mapping.texcoord_set}"
    uv = reader.read(name, 2)
    if uv is None:
        if mapped.has_texture:
            detail = f"a material uses {name}, which its mesh lacks"
            reader.file.log.add("reference-skipped", detail, "one texel is drawn everywhere")
        return np.zeros((num_vertices, 2), dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        # glTF's v runs downward, a mesh's v upward.
        texcoords = (mapped.mapping.transform_texcoords(uv) * [1, -1] + [0, 1]).astype(np.float32)
    return _repair_numbers(reader.file, texcoords, "texture coordinates", 0.0)


def _read_colors(reader: _VertexReader, mapped: MappedMaterial) -> FloatArray | None:
    """Read the colors [N, 4] of the vertices, or None if there are none or all are white."""
    if reader.has("COLOR_1"):
        reader.file.log.add("color-approximated", "a mesh has a second set of colors", "the first is drawn")
    width = (
        _get_width(reader.file, reader.placed.data.attributes.get("COLOR_0")) if reader.has("COLOR_0") else 0
    )
    values = reader.read("COLOR_0", 3 if width < 4 else 4)
    if values is None:
        return None
    colors = np.ones((len(values), 4), dtype=np.float32)
    colors[:, : values.shape[1]] = np.clip(values, 0, 1)
    if mapped.is_opaque:
        colors[:, 3] = 1
    colors = _repair_numbers(reader.file, colors, "colors", 1.0)
    return None if (colors == 1).all() else colors


def _repair_numbers(file: GltfFile, values: FloatArray, noun: str, stand_in: float) -> FloatArray:
    """Replace numbers that are not finite in float32, with a warning."""
    is_bad = ~np.isfinite(values)
    if not is_bad.any():
        return values
    detail = f"{int(is_bad.any(axis=1).sum()):,} {noun} are NaN or infinite"
    file.log.add("number-repaired", detail, f"{stand_in:g} stands in for them")
    return np.where(is_bad, np.float32(stand_in), values)


def _place_vertices(
    reader: _VertexReader, positions: Floats, normals: Floats | None
) -> tuple[Floats, Floats | None]:
    """Move vertices to the scene.

    Args:
        reader: Reader of the primitive.
        positions: [N, 3] positions in the primitive.
        normals: [N, 3] normals in the primitive, if it has any.

    Returns:
        Positions [I * N, 3] of all instances, and their normals of any length.
    """
    skin, joint_matrices = reader.read_skin(), reader.placed.joint_matrices
    if skin is not None and joint_matrices is not None:
        return move_vertices(skin, joint_matrices, positions, normals)
    matrices = reader.placed.matrices[:, :3]
    if len(matrices) == 1:
        (matrix,) = matrices
        world = positions @ matrix[:, :3].T + matrix[:, 3]
        return world, None if normals is None else normals @ compute_cofactors(matrix[:, :3]).T
    turns = matrices[:, :, :3].transpose(0, 2, 1)
    world = (positions @ turns + matrices[:, None, :, 3]).reshape(-1, 3)
    if normals is None:
        return world, None
    return world, (normals @ compute_cofactors(matrices[:, :, :3]).transpose(0, 2, 1)).reshape(-1, 3)


def _repeat_triangles(triangles: NDArray[np.int64], count: int, num_vertices: int) -> NDArray[np.int64]:
    """Repeat triangles [T, 3] for each of ``count`` instances, whose vertices follow one another."""
    if count == 1:
        return triangles
    return (np.arange(count)[:, None, None] * num_vertices + triangles).reshape(-1, 3)


def _drop_infinite(file: GltfFile, positions: Floats, triangles: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave out triangles with a corner that is not finite in float32. Such corners move to the origin."""
    # A comparison with NaN is false.
    if positions.min(initial=0) >= -MAX_FLOAT32 and positions.max(initial=0) <= MAX_FLOAT32:
        return triangles
    is_good = np.abs(positions) <= MAX_FLOAT32
    is_bad = np.asarray(~is_good.all(axis=1))
    positions[is_bad] = 0
    is_lost = is_bad[triangles].any(axis=1)
    if is_lost.any():
        detail = f"{int(is_lost.sum()):,} triangles have corners that are NaN or infinite"
        file.log.add("face-skipped", detail, "they are left out")
    return triangles[~is_lost]


def _finish_normals(
    file: GltfFile, positions: Floats, triangles: NDArray[np.int64], shading: Floats
) -> FloatArray:
    """Scale normals to unit length. Those of no direction become the mean of their triangles' normals."""
    lengths = np.linalg.norm(shading, axis=-1, keepdims=True)
    if lengths.min(initial=1) > 0 and lengths.max(initial=1) < np.inf:
        return (shading / lengths).astype(np.float32)
    normals = normalize_vectors(shading)
    is_bad = ~np.isfinite(normals).all(axis=1) | ~(np.abs(shading).max(axis=1) > 0)
    normals[is_bad] = average_face_normals(positions, triangles, is_bad)
    if is_bad[triangles].any():
        detail = f"{int(is_bad.sum()):,} normals are zero, NaN or infinite"
        file.log.add("number-repaired", detail, "those of the triangles stand in for them")
    return normals.astype(np.float32)


def _get_width(file: GltfFile, index: object) -> int:
    """Return the number of columns of an accessor of vectors; 3 if there is no such accessor."""
    try:
        kind = str(file.get_item("accessors", index).get("type"))
    except MeshError:
        return 3
    return {"VEC2": 2, "VEC3": 3}.get(kind, 4)
