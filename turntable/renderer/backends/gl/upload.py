"""One mesh on the device: vertices, textures, and the depth maps that all of its views share."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.backends.gl.constants import float_texture
from turntable.renderer.backends.gl.programs import Programs, bind
from turntable.renderer.backends.gl.projections import INSTANCE, Extent
from turntable.renderer.meshes import Material, Mesh, bounds, centred

if TYPE_CHECKING:
    import moderngl

SRGB8 = 0x8C41
SRGB8_ALPHA8 = 0x8C43

FINE_CELLS, DENSE_CELLS = 2**14, 96
"""Across a mesh: what is nearer than a cell is one place for shadows. Fine cells only join equal corners."""
DENSE_TRIANGLES = 50_000
_LOW_BITS = (1 << 21) - 1

VERTEX = np.dtype([("position", "3f4"), ("normal", "3f4"), ("texcoord", "2f4"), ("material", "i4")])


@dataclass(frozen=True, slots=True)
class TextureGroup:
    """Triangles drawn by one call: those of one texture."""

    first: int
    """Index of the first corner."""
    count: int
    texture: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Caster:
    """What a shadow map is drawn of: places alone."""

    vertices: NDArray[np.float32]
    """[N, 3]."""
    indices: NDArray[np.int32]
    """[3 * K]."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A mesh laid out for drawing, still on the host."""

    vertices: NDArray[np.void]
    indices: NDArray[np.int32]
    caster: Caster
    """What casts shadows: of a dense mesh a proxy with fewer triangles, true to a texel of the maps."""
    groups: tuple[TextureGroup, ...]
    extent: Extent
    transparent: bool
    in_turn: bool
    """Whether faces lie in one another's place."""


def lay_out(mesh: Mesh) -> Geometry:
    """Centre the mesh, give every vertex one material, and sort triangles by texture."""
    low, high = bounds(mesh)
    textures = _texture_numbers(mesh.materials)
    order = np.argsort(textures[mesh.material_index], kind="stable")
    triangles, material = mesh.triangles[order], mesh.material_index[order]
    pairs = triangles.astype(np.int64).ravel() * len(mesh.materials) + np.repeat(material, 3)
    unique, indices = np.unique(pairs, return_inverse=True)
    source, vertex_material = np.divmod(unique, len(mesh.materials))
    vertices = np.zeros(len(unique), dtype=VERTEX)
    positions, radius = centred(mesh)
    vertices["position"] = positions[source]
    vertices["normal"] = mesh.normals[source]
    vertices["texcoord"] = mesh.texcoords[source]
    vertices["material"] = vertex_material
    half = (high.astype(np.float64) - low) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    corners = indices.reshape(-1, 3)
    cells = DENSE_CELLS if len(corners) > DENSE_TRIANGLES else FINE_CELLS
    caster = shadow_caster(vertices["position"], corners, radius, cells)
    return Geometry(
        vertices,
        indices.astype(np.int32),
        caster,
        _groups(textures[material]),
        Extent(signs * half, radius * 1.001),
        any(material.alpha < 1 or _has_alpha(material) for material in mesh.materials),
        any(material.turn for material in mesh.materials),
    )


def shadow_caster(
    positions: NDArray[np.float32], triangles: NDArray[np.intp], radius: float, cells: int
) -> Caster:
    """The mesh as shadow maps see it: corners in one cell of a grid are one, and triangles once each.

    Args:
        positions: [N, 3], centred.
        triangles: [T, 3].
        radius: Of the sphere around the origin.
        cells: Of the grid, along each side of the sphere's box.
    """
    place = np.round((positions.astype(np.float64) / radius + 1) * (cells / 2)).astype(np.int64)
    key = (place[:, 0] << 42) | (place[:, 1] << 21) | place[:, 2]
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    corners = np.sort(cell.reshape(-1)[triangles], axis=1)
    corners = corners[(corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2])]
    packed = np.unique((corners[:, 0] << 42) | (corners[:, 1] << 21) | corners[:, 2])
    kept = np.stack([packed >> 42, (packed >> 21) & _LOW_BITS, packed & _LOW_BITS], axis=-1)
    if not len(kept):  # thinner than any shadow
        kept = triangles[:1]
        first = np.arange(len(positions))
    return Caster(positions[first], kept.astype(np.int32).ravel())


def _has_alpha(material: Material) -> bool:
    return material.texture is not None and material.texture.pixels.shape[2] == 4


def _texture_numbers(materials: tuple[Material, ...]) -> NDArray[np.intp]:
    """The number of each material's texture among the distinct ones; -1 without."""
    seen: dict[int, int] = {}
    numbers = [-1 if m.texture is None else seen.setdefault(id(m.texture), len(seen)) for m in materials]
    return np.array(numbers, dtype=np.intp)


def _groups(texture_of_triangle: NDArray[np.intp]) -> tuple[TextureGroup, ...]:
    starts = np.flatnonzero(np.diff(texture_of_triangle, prepend=-2))
    ends = np.append(starts[1:], len(texture_of_triangle))
    return tuple(
        TextureGroup(
            int(3 * start),
            int(3 * (end - start)),
            None if texture_of_triangle[start] < 0 else int(texture_of_triangle[start]),
        )
        for start, end in zip(starts, ends, strict=True)
    )


def material_table(materials: tuple[Material, ...]) -> NDArray[np.float32]:
    """[M, 3, 4]: base colour, alpha; specular, roughness, whether textured, turn; emission, ``lit``."""
    table = np.zeros((len(materials), 3, 4), dtype=np.float32)
    for row, material in zip(table, materials, strict=True):
        row[0] = *material.base_color, material.alpha
        row[1] = material.specular, material.roughness, material.texture is not None, material.turn
        row[2] = *material.emission, material.lit
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
    # No anisotropy: llvmpipe (Mesa 22.3) loops for ever where a texture's derivatives are beyond all bounds.
    return texture


class _Buffers:
    """A caster on the device."""

    def __init__(self, context: "moderngl.Context", caster: Caster) -> None:
        self.vertices = context.buffer(caster.vertices.tobytes())
        self.indices = context.buffer(caster.indices.tobytes())

    def release(self) -> None:
        self.vertices.release()
        self.indices.release()


class DeviceMesh:
    """A mesh in the device's memory."""

    def __init__(self, context: "moderngl.Context", programs: Programs, mesh: Mesh) -> None:
        rows = int(context.info["GL_MAX_TEXTURE_SIZE"])
        if len(mesh.materials) > rows:
            raise MeshError(
                f"the mesh has {len(mesh.materials)} materials and the device takes {rows}; merge some",
                reason="too many materials",
            )
        geometry = lay_out(mesh)
        self.extent, self.transparent, self._groups = geometry.extent, geometry.transparent, geometry.groups
        self.in_turn = geometry.in_turn
        self._context, self._programs = context, programs
        self._caster = _Buffers(context, geometry.caster)
        self._vertices = context.buffer(geometry.vertices.tobytes())
        self._indices = context.buffer(geometry.indices.tobytes())
        self._textures = upload_textures(context, mesh.materials)
        self._blank = context.texture((1, 1), 4, b"\xff" * 4)
        self.materials = float_texture(context, material_table(mesh.materials))

    def draw_surface(
        self, fragment: str, defines: tuple[str, ...], inputs: Mapping[str, Any], copies: NDArray[np.void]
    ) -> None:
        """Draw the mesh once a copy [N] (``INSTANCE``) with a fragment shader that asks for its surface."""
        flags = ("TEXTURED", *(("TRANSPARENT",) if self.transparent else ()), *defines)
        program = self._programs.mesh(fragment, *flags)
        vertices = [(self._vertices, *_layout(VERTEX, program))]
        with self._array(program, vertices, self._indices, copies) as array:
            for group in self._groups:
                texture = self._blank if group.texture is None else self._textures[group.texture]
                bind(program, {**inputs, "material_table": self.materials, "color_texture": texture})
                array.render(vertices=group.count, first=group.first, instances=len(copies))

    def draw_depth(self, copies: NDArray[np.void]) -> None:
        """Draw what casts shadows once a copy."""
        if self.transparent:
            self.draw_surface("depth", (), {}, copies)
            return
        program = self._programs.mesh("depth")
        vertices = [(self._caster.vertices, "3f", "position")]
        with self._array(program, vertices, self._caster.indices, copies) as array:
            array.render(instances=len(copies))

    def release(self) -> None:
        """Free its memory on the device."""
        for item in (
            *self._textures,
            self._vertices,
            self._indices,
            self._caster,
            self._blank,
            self.materials,
        ):
            item.release()

    @contextmanager
    def _array(
        self,
        program: "moderngl.Program",
        vertices: list[Any],
        indices: "moderngl.Buffer",
        copies: NDArray[np.void],
    ) -> "Generator[moderngl.VertexArray, None, None]":
        rows = self._context.buffer(copies.tobytes())
        form, *names = _layout(INSTANCE, program)
        array = self._context.vertex_array(
            program, [*vertices, (rows, f"{form} /i", *names)], indices, index_element_size=4
        )
        try:
            yield array
        finally:
            array.release()
            rows.release()


def _layout(record: np.dtype[np.void], program: "moderngl.Program") -> list[str]:
    """How a buffer of records feeds a program; the bytes of fields it does not use are stepped over."""
    form: list[str] = []
    names: list[str] = []
    for name, (kind, *_) in (record.fields or {}).items():
        base, shape = kind.subdtype or (kind, (1,))
        used = name in program
        form.append(f"{shape[0]}{base.kind}" if used else f"{kind.itemsize}x")
        names += [name] if used else []
    return [" ".join(form), *names]
