"""One mesh on the device: vertices, textures, and the depth maps that all of its views share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.backends.gl.constants import float_texture
from turntable.renderer.backends.gl.programs import bind
from turntable.renderer.backends.gl.tables import Extent
from turntable.renderer.meshes.mesh import Material, Mesh, bounds

if TYPE_CHECKING:
    import moderngl

SRGB8 = 0x8C41
SRGB8_ALPHA8 = 0x8C43

VERTEX = np.dtype([("position", "3f4"), ("normal", "3f4"), ("texcoord", "2f4"), ("material", "i4")])


@dataclass(frozen=True, slots=True)
class Group:
    """Triangles drawn by one call: those of one texture."""

    first: int
    """Index of the first corner."""
    count: int
    texture: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A mesh laid out for drawing, still on the host."""

    vertices: NDArray[np.void]
    indices: NDArray[np.int32]
    groups: tuple[Group, ...]
    extent: Extent
    transparent: bool


def lay_out(mesh: Mesh) -> Geometry:
    """Centre the mesh, give every vertex one material, and sort triangles by texture."""
    low, high = bounds(mesh)
    centre = (low.astype(np.float64) + high) / 2
    textures = _texture_numbers(mesh.materials)
    order = np.argsort(textures[mesh.material_index], kind="stable")
    triangles, material = mesh.triangles[order], mesh.material_index[order]
    pairs = triangles.astype(np.int64).ravel() * len(mesh.materials) + np.repeat(material, 3)
    unique, indices = np.unique(pairs, return_inverse=True)
    source, vertex_material = np.divmod(unique, len(mesh.materials))
    vertices = np.zeros(len(unique), dtype=VERTEX)
    vertices["position"] = mesh.positions[source] - centre
    vertices["normal"] = mesh.normals[source]
    vertices["texcoord"] = mesh.texcoords[source]
    vertices["material"] = vertex_material
    half = (high.astype(np.float64) - low) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    radius = float(np.linalg.norm(vertices["position"].astype(np.float64), axis=1).max())
    if radius <= 0:
        raise MeshError("the mesh has no extent; leave this object out", reason="no extent")
    return Geometry(
        vertices,
        indices.astype(np.int32),
        _groups(textures[material]),
        Extent(signs * half, radius * 1.001),
        any(material.alpha < 1 or _has_alpha(material) for material in mesh.materials),
    )


def _has_alpha(material: Material) -> bool:
    return material.texture is not None and material.texture.pixels.shape[2] == 4


def _texture_numbers(materials: tuple[Material, ...]) -> NDArray[np.intp]:
    """The number of each material's texture among the distinct ones; -1 without."""
    seen: dict[int, int] = {}
    numbers = [-1 if m.texture is None else seen.setdefault(id(m.texture), len(seen)) for m in materials]
    return np.array(numbers, dtype=np.intp)


def _groups(texture_of_triangle: NDArray[np.intp]) -> tuple[Group, ...]:
    starts = np.flatnonzero(np.diff(texture_of_triangle, prepend=-2))
    ends = np.append(starts[1:], len(texture_of_triangle))
    return tuple(
        Group(
            int(3 * start),
            int(3 * (end - start)),
            None if texture_of_triangle[start] < 0 else int(texture_of_triangle[start]),
        )
        for start, end in zip(starts, ends, strict=True)
    )


def material_table(materials: tuple[Material, ...]) -> NDArray[np.float32]:
    """[M, 3, 4]: base colour and alpha; specular, roughness, whether textured; emission."""
    table = np.zeros((len(materials), 3, 4), dtype=np.float32)
    for row, material in zip(table, materials, strict=True):
        row[0] = *material.base_color, material.alpha
        row[1, :3] = material.specular, material.roughness, material.texture is not None
        row[2, :3] = material.emission
    return table


def upload_textures(context: "moderngl.Context", materials: tuple[Material, ...]) -> list["moderngl.Texture"]:
    """The distinct textures, in the numbering of :func:`lay_out`."""
    distinct = {id(m.texture): m.texture for m in materials if m.texture is not None}
    return [_upload(context, texture.pixels) for texture in distinct.values()]


def _upload(context: "moderngl.Context", pixels: NDArray[np.uint8]) -> "moderngl.Texture":
    limit = int(context.info["GL_MAX_TEXTURE_SIZE"])
    # Halve what the device cannot hold; nobody sees 16k texels in a view of 256 pixels.
    while max(pixels.shape[:2]) > limit:
        pixels = pixels[::2, ::2]
    height, width, channels = pixels.shape
    # Rows go up in OpenGL and v goes up with them.
    data = np.ascontiguousarray(pixels[::-1]).tobytes()
    kind = SRGB8_ALPHA8 if channels == 4 else SRGB8
    texture = context.texture((width, height), channels, data, alignment=1, internal_format=kind)
    texture.build_mipmaps()
    texture.repeat_x = texture.repeat_y = True
    texture.filter = (context.LINEAR_MIPMAP_LINEAR, context.LINEAR)
    texture.anisotropy = 8.0
    return texture


class DeviceMesh:
    """A mesh in the device's memory."""

    def __init__(
        self, context: "moderngl.Context", programs: Mapping[str, "moderngl.Program"], mesh: Mesh
    ) -> None:
        rows = int(context.info["GL_MAX_TEXTURE_SIZE"])
        if len(mesh.materials) > rows:
            raise MeshError(
                f"the mesh has {len(mesh.materials)} materials and the device takes {rows}; merge some",
                reason="too many materials",
            )
        geometry = lay_out(mesh)
        self.extent, self.transparent, self._groups = geometry.extent, geometry.transparent, geometry.groups
        self._context, self._programs = context, programs
        self._vertices = context.buffer(geometry.vertices.tobytes())
        self._indices = context.buffer(geometry.indices.tobytes())
        self._textures = upload_textures(context, mesh.materials)
        self._blank = context.texture((1, 1), 4, b"\xff" * 4)
        self.materials = float_texture(context, material_table(mesh.materials))
        self._arrays: dict[str, moderngl.VertexArray] = {}

    def draw(self, name: str, inputs: Mapping[str, Any], instances: int) -> None:
        """Draw every triangle ``instances`` times with the program of this name."""
        if name not in self._arrays:
            self._arrays[name] = self._vertex_array(name)
        for group in self._groups:
            texture = self._blank if group.texture is None else self._textures[group.texture]
            bind(self._programs[name], {**inputs, "material_table": self.materials, "color_texture": texture})
            self._arrays[name].render(vertices=group.count, first=group.first, instances=instances)

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (
            *self._arrays.values(),
            *self._textures,
            self._vertices,
            self._indices,
            self._blank,
            self.materials,
        ):
            item.release()

    def _vertex_array(self, name: str) -> "moderngl.VertexArray":
        program = self._programs[name]
        # A compiler drops attributes that a program does not use; their bytes are stepped over.
        parts: list[str] = []
        names: list[str] = []
        for field, code, size in (
            ("position", "3f", 12),
            ("normal", "3f", 12),
            ("texcoord", "2f", 8),
            ("material", "1i", 4),
        ):
            used = field in program
            parts.append(code if used else f"{size}x")
            names += [field] if used else []
        return self._context.vertex_array(
            program, [(self._vertices, " ".join(parts), *names)], self._indices, index_element_size=4
        )
