"""One mesh in the device's memory: vertices, textures, and the simplified mesh that casts shadows."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError
from turntable.renderer.backends.gl.constants import make_float_texture
from turntable.renderer.backends.gl.programs import ShaderPrograms, bind_inputs
from turntable.renderer.backends.gl.projections import INSTANCE, MeshExtent, compute_assembly_extent
from turntable.renderer.backends.gl.surface_textures import (
    DeviceTextures,
    TextureGroup,
    group_by_texture,
    number_texture_pairs,
)
from turntable.renderer.meshes import (
    Material,
    Mesh,
    center_vertices,
    compute_bounds,
    compute_part_boxes,
    find_cut_materials,
    find_transparent_materials,
    get_part_of_vertices,
)
from turntable.renderer.scene import Scenes

if TYPE_CHECKING:
    import moderngl

MAX_EMISSION = 3e4
"""Largest light that a surface emits on the device: about half of what the light's buffer can hold.

Far weaker light is as white in every picture.
"""
NUM_FINE_CELLS, NUM_DENSE_CELLS = 2**14, 96
"""Number of cells across a mesh in which vertices are merged for shadow maps.

The fine cells merge only equal vertices. The coarse ones, for dense meshes, are about as wide as a texel of
the maps, so that the shadows do not change visibly.
"""
DENSE_TRIANGLES = 50_000
"""Number of triangles above which a mesh is dense."""
_LOW_BITS = (1 << 21) - 1
"""Mask of one of three 21-bit numbers that are packed into a 64-bit integer."""
_PART_SHIFT = 57
"""Place of the part in a packed cell, above the coordinates: the first of them takes 15 bits from 42."""

VERTEX = np.dtype([("position", "3f4"), ("normal", "3f4"), ("texcoord", "2f4"), ("material", "i4")])
"""Record of one vertex in the device's buffer."""


@dataclass(frozen=True, slots=True, eq=False)
class ShadowCaster:
    """The mesh that is drawn into shadow maps: positions and triangles alone."""

    vertices: NDArray[np.float32]
    """[N, 3] positions."""
    indices: NDArray[np.int32]
    """[3 * K] vertex indices of K triangles."""
    parts: NDArray[np.int32]
    """[N] part of each vertex; 0 for a mesh of one piece."""


@dataclass(frozen=True, slots=True, eq=False)
class MeshGeometry:
    """A mesh laid out for drawing, still in host memory."""

    vertices: NDArray[np.void]
    """[N] records ``VERTEX``."""
    indices: NDArray[np.int32]
    """[3 * T] vertex indices of T triangles."""
    caster: ShadowCaster
    """Mesh that casts shadows; for a dense mesh a simplified one, accurate to about a texel of the maps."""
    groups: tuple[TextureGroup, ...]
    extent: MeshExtent
    colors: NDArray[np.float32] | None
    """[N, 4] colors and opacities of the vertices, if the mesh has them."""
    parts: NDArray[np.int32] | None
    """[N] part of each vertex, if the mesh is an assembly."""
    is_transparent: bool
    """True if any material, texture or vertex is transparent."""
    is_cut: bool
    """True if any surface is absent in places, by its material's cutoff."""
    has_coincident_faces: bool
    """True if faces lie in the same place as others."""


def build_mesh_geometry(mesh: Mesh) -> MeshGeometry:
    """Center the mesh, give every vertex one material, and sort triangles by their textures.

    The extent is that of the mesh at rest.
    """
    low, high = compute_bounds(mesh)
    textures, texture_pairs = number_texture_pairs(mesh.materials)
    # One draw call per pair of textures needs its triangles together.
    order = np.argsort(textures[mesh.material_index], kind="stable")
    triangles, material = mesh.triangles[order], mesh.material_index[order]
    # A vertex that faces of several materials share becomes one vertex per material, since the material is an
    # attribute of vertices. Pairs of vertex and material are numbered, and each distinct one gets a vertex.
    pairs = triangles.astype(np.int64).ravel() * len(mesh.materials) + np.repeat(material, 3)
    unique, indices = np.unique(pairs, return_inverse=True)
    source, vertex_material = np.divmod(unique, len(mesh.materials))
    vertices = np.zeros(len(unique), dtype=VERTEX)
    positions, radius = center_vertices(mesh)
    vertices["position"] = positions[source]
    vertices["normal"] = mesh.normals[source]
    vertices["texcoord"] = mesh.texcoords[source]
    vertices["material"] = vertex_material
    half = (high.astype(np.float64) - low) / 2
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
    corners = indices.reshape(-1, 3)
    num_cells = NUM_DENSE_CELLS if len(corners) > DENSE_TRIANGLES else NUM_FINE_CELLS
    parts = get_part_of_vertices(mesh)[source]
    caster = build_shadow_caster(vertices["position"], corners, radius, num_cells, parts)
    return MeshGeometry(
        vertices,
        indices.astype(np.int32),
        caster,
        group_by_texture(textures[material], texture_pairs),
        MeshExtent(signs * half, radius * 1.001),
        None if mesh.colors is None else mesh.colors[source],
        parts if mesh.parts else None,
        bool(find_transparent_materials(mesh).any()),
        bool(find_cut_materials(mesh).any()),
        any(material.turn for material in mesh.materials),
    )


def build_shadow_caster(
    positions: NDArray[np.float32],
    triangles: NDArray[np.intp],
    radius: float,
    num_cells: int,
    parts: NDArray[np.int32],
) -> ShadowCaster:
    """Build a simple mesh for shadow maps: merge the vertices of each cell of a grid, drop equal triangles.

    Vertices of different parts are never merged.

    Args:
        positions: Centered positions [N, 3].
        triangles: Vertex indices [T, 3].
        radius: Radius of the mesh's sphere around the origin.
        num_cells: Number of cells of the grid along each side of the sphere's box.
        parts: Part [N] of each vertex.
    """
    # The part and three cell coordinates in one integer, and below three corners in one: np.unique is much
    # faster on integers than on rows.
    coordinates = np.round((positions.astype(np.float64) / radius + 1) * (num_cells / 2)).astype(np.int64)
    key = (coordinates[:, 0] << 42) | (coordinates[:, 1] << 21) | coordinates[:, 2]
    key |= parts.astype(np.int64) << _PART_SHIFT
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    # Winding does not matter in a shadow map, so corners are sorted to find equal triangles. Triangles with
    # two corners in one cell have no area any more and are dropped.
    corners = np.sort(cell.reshape(-1)[triangles], axis=1)
    corners = corners[(corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2])]
    packed = np.unique((corners[:, 0] << 42) | (corners[:, 1] << 21) | corners[:, 2])
    kept = np.stack([packed >> 42, (packed >> 21) & _LOW_BITS, packed & _LOW_BITS], axis=-1)
    if not len(kept):  # everything is smaller than a cell: keep one triangle, since no buffer may be empty
        kept = triangles[:1]
        first = np.arange(len(positions))
    return ShadowCaster(positions[first], kept.astype(np.int32).ravel(), parts[first])


def build_material_table(materials: tuple[Material, ...], *, is_cut: bool = False) -> NDArray[np.float32]:
    """Return the table [M, 3, 4] of materials for the shaders.

    A row has three texels: base color and alpha; specular, roughness, 1 if textured, turn; emission and
    ``lit``. If surfaces are cut there is a fourth texel, the cutoff, which is below 0 for materials without.
    """
    table = np.zeros((len(materials), 4 if is_cut else 3, 4), dtype=np.float32)
    for row, material in zip(table, materials, strict=True):
        row[0] = *material.base_color, material.alpha
        row[1] = material.specular, material.roughness, material.texture is not None, material.turn
        row[2] = *np.minimum(material.emission, MAX_EMISSION), material.lit
        if is_cut:
            row[3, 0] = -1 if material.alpha_cutoff is None else max(material.alpha_cutoff, 0)
    return table


class _CasterBuffers:
    """A shadow caster in the device's memory."""

    def __init__(self, context: "moderngl.Context", caster: ShadowCaster) -> None:
        self.vertices = context.buffer(caster.vertices.tobytes())
        self.indices = context.buffer(caster.indices.tobytes())
        self.parts = context.buffer(caster.parts.tobytes())

    def release(self) -> None:
        for item in (self.vertices, self.indices, self.parts):
            item.release()


class DeviceMesh:
    """A mesh in the device's memory."""

    def __init__(self, context: "moderngl.Context", programs: ShaderPrograms, mesh: Mesh) -> None:
        rows = int(context.info["GL_MAX_TEXTURE_SIZE"])
        if len(mesh.materials) > rows:
            raise MeshError(
                f"the mesh has {len(mesh.materials)} materials and the device takes {rows}; merge some",
                reason="too many materials",
            )
        geometry = build_mesh_geometry(mesh)
        self.part_boxes = compute_part_boxes(mesh) if mesh.parts else None
        """Bounding box [K, 2, 3] of each part at rest; None for a mesh of one piece."""
        self.extent, self.is_transparent, self._groups = (
            geometry.extent,
            geometry.is_transparent,
            geometry.groups,
        )
        self.has_coincident_faces, self._is_cut = geometry.has_coincident_faces, geometry.is_cut
        self._context, self._programs = context, programs
        self._caster = _CasterBuffers(context, geometry.caster)
        self._vertices = context.buffer(geometry.vertices.tobytes())
        self._colors = None if geometry.colors is None else context.buffer(geometry.colors.tobytes())
        self._parts = None if geometry.parts is None else context.buffer(geometry.parts.tobytes())
        self._has_encoded_colors = mesh.has_encoded_colors
        self._indices = context.buffer(geometry.indices.tobytes())
        self._textures = DeviceTextures(context, mesh.materials)
        self.is_emissive = self._textures.are_emissive
        """True if a texture says where the mesh emits light."""
        self.materials = make_float_texture(
            context, build_material_table(mesh.materials, is_cut=geometry.is_cut)
        )
        self._flags = self._build_flags()

    def draw_surface(
        self, fragment: str, defines: tuple[str, ...], inputs: Mapping[str, Any], copies: NDArray[np.void]
    ) -> None:
        """Draw the mesh once per copy with a fragment shader that reads its surface.

        Args:
            fragment: Name of the fragment shader's file.
            defines: Names to define for the shaders.
            inputs: Inputs of the shaders.
            copies: Copies [N] as records ``INSTANCE``.
        """
        program = self._programs.get_mesh_program(fragment, *self._flags, *defines)
        vertices: list[Any] = [(self._vertices, *_format_layout(VERTEX, program))]
        if self._colors is not None and "color" in program:
            vertices.append((self._colors, "4f", "color"))
        if self._parts is not None:
            vertices.append((self._parts, "1i", "part"))
        with self._make_vertex_array(program, vertices, self._indices, copies) as array:
            for group in self._groups:
                textures = self._textures.get_inputs(group.textures)
                bind_inputs(program, {**inputs, "material_table": self.materials, **textures})
                array.render(vertices=group.num_corners, first=group.first, instances=len(copies))

    def draw_depth(self, inputs: Mapping[str, Any], copies: NDArray[np.void]) -> None:
        """Draw the shadow caster once per copy; a mesh whose alpha must be tested is drawn in full."""
        if self.is_transparent or self._is_cut:
            self.draw_surface("depth", (), inputs, copies)
            return
        program = self._programs.get_mesh_program("depth", *(("PARTS",) if self._parts is not None else ()))
        bind_inputs(program, inputs)
        vertices = [(self._caster.vertices, "3f", "position")]
        if self._parts is not None:
            vertices.append((self._caster.parts, "1i", "part"))
        with self._make_vertex_array(program, vertices, self._caster.indices, copies) as array:
            array.render(instances=len(copies))

    def pose(self, scenes: Scenes | None = None) -> "PosedMesh":
        """Return the mesh as a batch of views shows it; release it after the batch.

        Args:
            scenes: Scenes of the views, with the motions of an assembly's parts; without, all are at rest.
                A mesh of one piece needs none.
        """
        if self.part_boxes is None:
            return PosedMesh(self, self.extent, None)
        assert scenes is not None
        motions = scenes.part_motions
        if motions is None:
            motions = np.tile(np.eye(4), (len(scenes), len(self.part_boxes), 1, 1))
        rows = motions[:, :, :3].reshape(len(motions), -1, 4).astype(np.float32)
        extent = compute_assembly_extent(self.part_boxes, motions)
        return PosedMesh(self, extent, make_float_texture(self._context, rows))

    def release(self) -> None:
        """Free the mesh's memory on the device."""
        items = (
            self._textures,
            self._vertices,
            self._colors,
            self._parts,
            self._indices,
            self._caster,
            self.materials,
        )
        for item in items:
            if item is not None:
                item.release()

    def _build_flags(self) -> tuple[str, ...]:
        """Return the names to define for shaders that read the surface: what this mesh has beside others."""
        flags = {
            "TRANSPARENT": self.is_transparent,
            "CUT": self._is_cut,
            "COLORED": self._colors is not None,
            "ENCODED": self._has_encoded_colors,
            "PARTS": self._parts is not None,
            "MIRRORED": self._textures.are_mirrored,
        }
        return ("TEXTURED", *(name for name, used in flags.items() if used))

    @contextmanager
    def _make_vertex_array(
        self,
        program: "moderngl.Program",
        vertices: list[Any],
        indices: "moderngl.Buffer",
        copies: NDArray[np.void],
    ) -> "Generator[moderngl.VertexArray, None, None]":
        rows = self._context.buffer(copies.tobytes())
        layout, *names = _format_layout(INSTANCE, program)
        array = self._context.vertex_array(
            program, [*vertices, (rows, f"{layout} /i", *names)], indices, index_element_size=4
        )
        try:
            yield array
        finally:
            array.release()
            rows.release()


@dataclass(frozen=True, slots=True, eq=False)
class PosedMesh:
    """A mesh as a batch of views shows it: the parts of an assembly follow each view's motions."""

    mesh: DeviceMesh
    extent: MeshExtent
    motions: "moderngl.Texture | None"
    """Rows of the motions, one row of texels for each view; None for a mesh of one piece."""

    @property
    def _inputs(self) -> dict[str, Any]:
        return {} if self.motions is None else {"part_motions": self.motions}

    def draw_surface(
        self, fragment: str, defines: tuple[str, ...], inputs: Mapping[str, Any], copies: NDArray[np.void]
    ) -> None:
        """Draw the surface as :meth:`DeviceMesh.draw_surface` does."""
        self.mesh.draw_surface(fragment, defines, {**inputs, **self._inputs}, copies)

    def draw_depth(self, copies: NDArray[np.void]) -> None:
        """Draw the shadow caster as :meth:`DeviceMesh.draw_depth` does."""
        self.mesh.draw_depth(self._inputs, copies)

    def release(self) -> None:
        """Free the motions' memory on the device."""
        if self.motions is not None:
            self.motions.release()


def _format_layout(record: np.dtype[np.void], program: "moderngl.Program") -> list[str]:
    """Return moderngl's layout of a buffer of records for a program; fields it does not use are skipped."""
    # Such as ["3f 3f 8x 1i", "position", "normal", "material"]: 8 bytes of an unused field are skipped.
    parts: list[str] = []
    names: list[str] = []
    for name, (dtype, *_) in (record.fields or {}).items():
        base, shape = dtype.subdtype or (dtype, (1,))
        used = name in program
        parts.append(f"{shape[0]}{base.kind}" if used else f"{dtype.itemsize}x")
        names += [name] if used else []
    return [" ".join(parts), *names]
