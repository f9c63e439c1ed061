"""Readers that are not ours: trimesh and pymeshlab, each in a process that may be killed.

What they read becomes a mesh of ours, so that one function measures and one renderer draws all three.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes import (
    Material,
    Mesh,
    Texture,
    join_meshes,
    mark_coincident_faces,
    with_flat_normals,
)

ReaderName = Literal["trimesh", "pymeshlab"]
READERS: tuple[ReaderName, ...] = ("trimesh", "pymeshlab")
TRIMESH_GRAYS = {(100, 100, 100, 255), (102, 102, 102, 255)}
"""Colors that trimesh gives to a material, or to a texture of 2 by 2 pixels, where the file gives none."""
ENCODED = {"has_encoded_colors": True}
KEEPS_ENCODED = "has_encoded_colors" in Mesh.__dataclass_fields__
"""True if vertex colors can be kept as sRGB values, which are blended as they are."""
Y_UP = (".obj", ".gltf", ".glb")
"""Suffixes of files that are y-up."""


@dataclass(frozen=True, slots=True, eq=False)
class OtherReading:
    """The reading of a file by another reader."""

    mesh: Mesh
    has_colors: bool
    """True if the file's own colors or textures were read for every part."""


def open_other_reader(name: ReaderName) -> Callable[[Path], OtherReading]:
    """Return the function of a reader; called in the process that reads.

    Raises:
        ImportError: The reader is not installed.
    """
    return {"trimesh": _open_trimesh, "pymeshlab": _open_pymeshlab}[name]()


def _open_trimesh() -> Callable[[Path], OtherReading]:
    import trimesh

    def read(path: Path) -> OtherReading:
        scene = trimesh.load_scene(path, process=False)
        parts = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
        is_linear = path.suffix.lower() in (".gltf", ".glb")
        made = [_convert_trimesh(part, is_linear=is_linear) for part in parts]
        return _finish([mesh for mesh, _ in made], path, has_colors=all(colored for _, colored in made))

    return read


def _open_pymeshlab() -> Callable[[Path], OtherReading]:
    import pymeshlab

    def read(path: Path) -> OtherReading:
        meshes = pymeshlab.MeshSet(verbose=False)
        meshes.load_new_mesh(str(path))
        parts = [
            _make_mesh(
                part.transformed_vertex_matrix(),
                part.face_matrix(),
                _color_meshlab(part),
                Material(base_color=(1, 1, 1)),
            )
            for part in meshes
            if part.face_number()
        ]
        # It turns the colors of materials into vertex colors in a way of its own; those of PLY and OFF
        # files are what the file says.
        in_file = path.suffix.lower() in (".ply", ".off")
        colored = in_file and any(part.has_vertex_color() for part in meshes)
        return _finish(parts, path, has_colors=colored)

    return read


def _color_meshlab(part: Any) -> NDArray[np.float64] | None:
    return _to_linear(part.vertex_color_matrix(), is_linear=False) if part.has_vertex_color() else None


def _finish(parts: Sequence[Mesh], path: Path, *, has_colors: bool) -> OtherReading:
    """Join the parts and bring them into our frame.

    Raises:
        ValueError: There are no triangles.
    """
    if not parts:
        raise ValueError("it finds no triangles")
    mesh = join_meshes(parts)
    if path.suffix.lower() in Y_UP:
        turn = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float32)
        mesh = replace(mesh, positions=mesh.positions @ turn, normals=mesh.normals @ turn)
    # As our own reading does: faces in one another's place are drawn once.
    return OtherReading(mark_coincident_faces(mesh), has_colors)


def _make_mesh(
    positions: NDArray[Any],
    triangles: NDArray[Any],
    colors: NDArray[np.float64] | None = None,
    material: Material | None = None,
    texcoords: NDArray[Any] | None = None,
    *,
    is_linear: bool = False,
) -> Mesh:
    used = positions[np.asarray(triangles).ravel()]
    center = (used.min(axis=0) + used.max(axis=0)) / 2
    mesh = Mesh(
        positions=(positions - center).astype(np.float32) + center.astype(np.float32),
        triangles=np.asarray(triangles, dtype=np.int32),
        normals=np.zeros((len(positions), 3), np.float32),
        texcoords=np.zeros((len(positions), 2), np.float32)
        if texcoords is None
        else np.asarray(texcoords, np.float32),
        material_index=np.zeros(len(triangles), np.int32),
        materials=(material or Material(),),
        colors=None if colors is None else np.asarray(colors, np.float32),
    )
    if KEEPS_ENCODED and colors is not None and not is_linear:
        mesh = replace(mesh, **ENCODED)
    return with_flat_normals(mesh)


def _convert_trimesh(part: Any, *, is_linear: bool) -> tuple[Mesh, bool]:
    """Convert a mesh of trimesh, and say if it has colors of its own."""
    visual = part.visual
    if visual.kind == "texture":
        material, known = _convert_material(visual.material, is_linear=is_linear)
        texcoords = visual.uv if visual.uv is not None and len(visual.uv) == len(part.vertices) else None
        colors = visual.vertex_attributes.get("color") if hasattr(visual, "vertex_attributes") else None
        if colors is not None:
            colors = _to_linear(colors, is_linear=is_linear)
        if texcoords is None:
            material = replace(material, texture=None)
        return _make_mesh(part.vertices, part.faces, colors, material, texcoords, is_linear=is_linear), known
    if visual.kind == "vertex":
        colors = _to_linear(visual.vertex_colors, is_linear=is_linear)
        white = Material(base_color=(1, 1, 1))
        return _make_mesh(part.vertices, part.faces, colors, white, is_linear=is_linear), True
    if visual.kind == "face":
        colors = np.repeat(_to_linear(visual.face_colors, is_linear=is_linear), 3, axis=0)
        corners = np.asarray(part.faces).ravel()
        faces = np.arange(len(corners)).reshape(-1, 3)
        return _make_mesh(part.vertices[corners], faces, colors, Material(base_color=(1, 1, 1))), True
    return _make_mesh(part.vertices, part.faces), False


def _to_linear(colors: Any, *, is_linear: bool) -> NDArray[np.float64]:
    """Return colors [N, 3 or 4] of 0 to 255 as linear colors and opacities [N, 4]."""
    values = np.asarray(colors)
    scaled = values / 255.0 if values.dtype == np.uint8 else values.astype(np.float64)
    rgb = scaled[:, :3] if is_linear or KEEPS_ENCODED else srgb_to_linear(scaled[:, :3])
    return np.concatenate([rgb, scaled[:, 3:4] if scaled.shape[1] > 3 else np.ones((len(rgb), 1))], axis=1)


def srgb_to_linear(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Convert sRGB values of 0 to 1 to linear light."""
    value = np.clip(np.asarray(values, dtype=np.float64), 0, 1)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Convert linear light of 0 to 1 to sRGB values."""
    value = np.clip(np.asarray(values, dtype=np.float64), 0, 1)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


def _convert_material(material: Any, *, is_linear: bool) -> tuple[Material, bool]:
    """Convert a material, and say if the file gave it a color."""
    is_pbr = hasattr(material, "baseColorFactor")
    image = material.baseColorTexture if is_pbr else getattr(material, "image", None)
    factor = material.baseColorFactor if is_pbr else getattr(material, "diffuse", None)
    color = np.ones(3)
    if factor is not None and (is_pbr or image is None):
        given = np.asarray(factor)
        color = given[:3] / 255.0 if given.dtype == np.uint8 else given[:3].astype(np.float64)
    red, green, blue = color.tolist()
    if image is None:
        known = is_pbr or (factor is not None and tuple(np.asarray(factor).tolist()) not in TRIMESH_GRAYS)
        return Material(base_color=(red, green, blue)), known
    if image.size == (2, 2) and tuple(image.convert("RGBA").getpixel((0, 0))) in TRIMESH_GRAYS:
        return Material(), False
    pixels = np.asarray(image.convert("RGB"))
    if is_linear and factor is not None:
        pixels = np.rint(255 * linear_to_srgb(srgb_to_linear(pixels / 255) * color)).astype(np.uint8)
    return Material(texture=Texture(pixels)), True
