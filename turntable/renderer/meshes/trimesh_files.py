"""glTF, PLY and STL through trimesh, as the meshes this package draws."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from turntable.errors import MeshError, MissingExtraError
from turntable.renderer.meshes.mesh import (
    Material,
    Mesh,
    Texture,
    checked,
    flat_normals,
    joined,
    y_up_to_z_up,
)

if TYPE_CHECKING:
    import trimesh

Y_UP = (".glb", ".gltf")
COLOR_STEPS = 15
"""Vertex colours become materials, one a triangle; so many steps a channel keep their number bounded."""


def load_with_trimesh(path: Path) -> Mesh:
    """Read a mesh file.

    Raises:
        MeshError: It cannot be read, or holds no usable triangles.
        MissingExtraError: trimesh is not installed.
    """
    try:
        import trimesh
    except ImportError as error:
        raise MissingExtraError("trimesh", "render") from error
    try:
        scene = trimesh.load_scene(path, process=False)
        parts = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    except Exception as error:  # its loaders raise whatever their parsers do
        raise MeshError(
            f"{path}: cannot be read ({error}); get it again from its source", reason="unreadable"
        ) from error
    if not parts:
        raise MeshError(f"{path}: no faces; leave this object out", reason="no faces")
    mesh = joined([_part(part) for part in parts])
    return checked(y_up_to_z_up(mesh) if path.suffix.lower() in Y_UP else mesh, str(path))


def _part(part: "trimesh.Trimesh") -> Mesh:
    positions = np.asarray(part.vertices, dtype=np.float32)
    triangles = np.asarray(part.faces, dtype=np.int32)
    uv = cast("NDArray[np.floating] | None", getattr(part.visual, "uv", None))
    texcoords = (
        np.zeros((len(positions), 2), np.float32) if uv is None else np.asarray(uv, dtype=np.float32)[:, :2]
    )
    materials, material_index = _materials(part)
    # trimesh computes normals when asked for any; only those of the file lie in its cache beforehand.
    smooth = "vertex_normals" in part._cache.cache  # pyright: ignore[reportPrivateUsage]
    normals = np.asarray(part.vertex_normals, dtype=np.float32) if smooth else np.zeros_like(positions)
    mesh = Mesh(positions, triangles, normals, texcoords, material_index, materials, smooth)
    return mesh if smooth else flat_normals(mesh)


def _materials(part: "trimesh.Trimesh") -> tuple[tuple[Material, ...], NDArray[np.int32]]:
    """Materials, and the one of each triangle."""
    visual = cast("Any", part.visual)
    whole = np.zeros(len(part.faces), dtype=np.int32)
    if visual.kind == "texture":
        return (_pbr(visual.material),), whole
    if visual.kind in ("vertex", "face"):
        steps = np.round(np.asarray(visual.face_colors[:, :3]) / 255 * COLOR_STEPS).astype(np.int64)
        unique, index = np.unique(steps, axis=0, return_inverse=True)
        colors = _linear(unique / COLOR_STEPS)
        materials = tuple(Material(base_color=(float(r), float(g), float(b))) for r, g, b in colors)
        return materials, index.reshape(-1).astype(np.int32)
    return (Material(),), whole


def _pbr(material: Any) -> Material:
    """The parts of glTF's material that the scene shows."""
    pbr = material if hasattr(material, "baseColorFactor") else material.to_pbr()
    factor = (
        np.ones(4) if pbr.baseColorFactor is None else np.asarray(pbr.baseColorFactor, dtype=np.float64) / 255
    )
    transparent = pbr.alphaMode in ("BLEND", "MASK")
    image = cast("Image.Image | None", pbr.baseColorTexture)
    return Material(
        name=str(pbr.name),
        base_color=(float(factor[0]), float(factor[1]), float(factor[2])),
        roughness=1.0 if pbr.roughnessFactor is None else float(pbr.roughnessFactor),
        alpha=float(factor[3]) if transparent else 1.0,
        texture=None if image is None else Texture(_tinted(image, factor[:3], transparent)),
    )


def _tinted(image: Image.Image, factor: NDArray[np.float64], transparent: bool) -> NDArray[np.uint8]:
    """The image times a linear colour."""
    pixels = np.asarray(image.convert("RGBA" if transparent else "RGB"))
    if np.all(factor == 1):
        return pixels
    tinted = pixels.copy()
    tinted[..., :3] = np.round(255 * _encoded(_linear(pixels[..., :3] / 255) * factor))
    return tinted


def _linear(encoded: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
