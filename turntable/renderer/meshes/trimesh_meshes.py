"""Conversion of meshes and scenes of the library trimesh. The library itself is not imported."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError, MeshError
from turntable.renderer.meshes.formats import MATTE_WHITE, linear_to_srgb, make_encoded_colors
from turntable.renderer.meshes.mesh import (
    Material,
    Mesh,
    Texture,
    check_mesh,
    join_meshes,
    normalize_vectors,
    split_vertices,
    to_float32_positions,
    with_flat_normals,
    y_up_to_z_up,
)

if TYPE_CHECKING:
    import trimesh

UpAxis = Literal["y", "z"]
"""Axis that points up."""


@dataclass(frozen=True, slots=True, eq=False)
class _PlacedMesh:
    """A mesh of trimesh at its place in a scene."""

    mesh: Any
    """The ``trimesh.Trimesh``."""
    matrix: NDArray[np.float64]
    """[4, 4] matrix from the mesh to the scene."""

    @property
    def positions(self) -> NDArray[np.float64]:
        """Positions [N, 3] in the scene."""
        points = np.asarray(self.mesh.vertices, dtype=np.float64)
        return points @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    @property
    def triangles(self) -> NDArray[np.int32]:
        """Triangles [T, 3]."""
        return np.asarray(self.mesh.faces, dtype=np.int32).reshape(-1, 3)

    @property
    def normals(self) -> NDArray[np.float32] | None:
        """Unit normals [N, 3] in the scene, if the mesh holds some."""
        cache = self.mesh._cache
        cache.verify()
        if "vertex_normals" not in cache.cache:
            return None
        # Normals turn by the inverse of the matrix, transposed.
        turned = np.asarray(self.mesh.vertex_normals, dtype=np.float64) @ np.linalg.pinv(self.matrix[:3, :3])
        return normalize_vectors(turned).astype(np.float32)


def from_trimesh(
    mesh: "trimesh.Trimesh | trimesh.Scene", *, up: UpAxis = "z", diagonal: float | None = 1.0
) -> Mesh:
    """Convert a mesh or a scene of trimesh.

    Colors of vertices and faces count as sRGB; those of materials as linear light, as in OBJ and glTF files.
    Shading is smooth if the mesh holds normals of its vertices, because they were given to it or it was asked
    for them before; otherwise its faces are flat.

    Args:
        mesh: A ``trimesh.Trimesh`` or ``trimesh.Scene``. It stays as it is.
        up: Axis that points up. trimesh keeps the axes of a file, so it is y for OBJ and glTF files.
        diagonal: Length to scale the diagonal of the bounding box to; None keeps the size. Scenes are made
            for objects with a diagonal of 1.

    Raises:
        InvalidInputError: It is no mesh or scene of trimesh.
        MeshError: It has no faces or no extent, or numbers that are not finite.
    """
    placed = [item for item in _list_placed_meshes(mesh) if len(getattr(item.mesh, "faces", ()))]
    if not placed:
        raise MeshError("the mesh of trimesh has no faces; leave this object out", reason="no faces")
    all_positions = _scale_positions(placed, diagonal)
    bounds = np.cumsum([0, *(len(item.mesh.vertices) for item in placed)])
    parts = [
        _build_part(item, all_positions[first:last])
        for item, first, last in zip(placed, bounds[:-1], bounds[1:], strict=True)
    ]
    joined = check_mesh(join_meshes(parts), "the mesh of trimesh")
    return y_up_to_z_up(joined) if up == "y" else joined


def _list_placed_meshes(mesh: object) -> list[_PlacedMesh]:
    """List the meshes of a scene at their places, or the one mesh.

    Raises:
        InvalidInputError: It is neither.
    """
    made: Any = mesh
    if hasattr(made, "faces") and hasattr(made, "vertices"):
        return [_PlacedMesh(made, np.eye(4))]
    if not (hasattr(made, "geometry") and hasattr(made, "graph")):
        kind = type(mesh).__name__
        raise InvalidInputError(f"from_trimesh takes a trimesh.Trimesh or trimesh.Scene; {kind} is neither")
    placed: list[_PlacedMesh] = []
    for node in made.graph.nodes_geometry:
        matrix, name = made.graph[node]
        placed.append(_PlacedMesh(made.geometry[name], np.asarray(matrix, dtype=np.float64)))
    return placed


def _scale_positions(placed: list[_PlacedMesh], diagonal: float | None) -> NDArray[np.float32]:
    """Scale the positions of all meshes together, before they are rounded to 32 bits."""
    positions = np.concatenate([item.positions for item in placed])
    offsets = np.cumsum([0, *(len(item.mesh.vertices) for item in placed)])
    triangles = np.concatenate([item.triangles + first for item, first in zip(placed, offsets, strict=False)])
    if triangles.min() < 0 or triangles.max() >= len(positions):
        raise MeshError(
            "a face of the mesh of trimesh names no vertex; leave this object out", reason="unreadable"
        )
    if diagonal is not None:
        used = positions[triangles.ravel()]
        length = float(np.linalg.norm(used.max(axis=0) - used.min(axis=0)))
        if not np.isfinite(length):
            raise MeshError(
                "vertices of the mesh of trimesh are NaN or infinite; leave this object out",
                reason="not finite",
            )
        if length <= 0:
            raise MeshError("all vertices lie in one point; leave this object out", reason="no extent")
        positions = positions * (diagonal / length)
    return to_float32_positions(positions, triangles)


def _build_part(placed: _PlacedMesh, positions: NDArray[np.float32]) -> Mesh:
    """Build one mesh."""
    normals, visual = placed.normals, placed.mesh.visual
    kind = getattr(visual, "kind", None)
    uv = getattr(visual, "uv", None) if kind == "texture" else None
    material, tint = _build_material(visual.material) if kind == "texture" else (Material(), None)
    colors = None
    if kind in ("vertex", "face"):
        material = MATTE_WHITE
    if kind == "vertex":
        colors = make_encoded_colors(np.asarray(visual.vertex_colors) / 255)
    elif tint is not None:
        # The tint is the same everywhere, so it does not matter that sRGB values are interpolated.
        tint[:3] = linear_to_srgb(tint[:3])
        colors = np.tile(tint, (len(positions), 1))
    mesh = Mesh(
        positions=positions,
        triangles=placed.triangles,
        normals=np.zeros_like(positions) if normals is None else normals,
        texcoords=np.zeros((len(positions), 2), np.float32)
        if uv is None
        else np.asarray(uv, np.float32)[:, :2],
        material_index=np.zeros(len(placed.triangles), dtype=np.int32),
        materials=(material if uv is not None else replace(material, texture=None, emission_texture=None),),
        colors=colors,
        has_encoded_colors=colors is not None or kind == "face",
    )
    mesh = mesh if normals is not None else with_flat_normals(mesh)
    if kind == "face":
        mesh = split_vertices(mesh) if normals is not None else mesh
        face_colors = make_encoded_colors(np.asarray(visual.face_colors) / 255)
        mesh = replace(mesh, colors=np.repeat(face_colors, 3, axis=0))
    return mesh


def _build_material(material: Any) -> tuple[Material, NDArray[np.float32] | None]:
    """Build a material. A factor [4] that tints its texture is returned beside it, for the vertices."""
    if not hasattr(material, "baseColorFactor"):  # a SimpleMaterial, as of OBJ files
        texture = _build_texture(getattr(material, "image", None))
        color = _to_factor(getattr(material, "diffuse", None))
        plain = Material() if color is None else Material(base_color=color[:3], alpha=color[3])
        return replace(plain, texture=texture), None
    factor = _to_factor(material.baseColorFactor) or (1.0, 1.0, 1.0, 1.0)
    is_masked, is_blended = material.alphaMode == "MASK", material.alphaMode == "BLEND"
    texture = _build_texture(material.baseColorTexture, is_masked or is_blended)
    emission, roughness, cutoff = material.emissiveFactor, material.roughnessFactor, material.alphaCutoff
    red, green, blue = (0.0, 0.0, 0.0) if emission is None else (float(value) for value in emission)
    made = Material(
        base_color=factor[:3],
        roughness=1.0 if roughness is None else float(roughness),
        alpha=factor[3] if is_masked or is_blended else 1.0,
        emission=(red, green, blue),
        texture=texture,
        emission_texture=_build_texture(material.emissiveTexture),
        alpha_cutoff=(0.5 if cutoff is None else float(cutoff)) if is_masked else None,
    )
    is_tinted = texture is not None and factor[:3] != (1.0, 1.0, 1.0)
    return made, np.array([*factor[:3], 1.0], dtype=np.float32) if is_tinted else None


def _to_factor(color: Any) -> tuple[float, float, float, float] | None:
    """Return a color, which trimesh keeps in bytes, as numbers in [0, 1]."""
    if color is None:
        return None
    values = np.asarray(color)
    scale = 255 if values.dtype.kind in "ui" else 1
    red, green, blue, alpha = (float(value) / scale for value in (*values.ravel()[:4], scale)[:4])
    return red, green, blue, alpha


def _build_texture(image: Any, has_alpha: bool = False) -> Texture | None:
    """Build a texture from an image of Pillow."""
    return None if image is None else Texture(np.array(image.convert("RGBA" if has_alpha else "RGB")))
