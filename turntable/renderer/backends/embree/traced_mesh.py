"""A mesh that rays can hit, and its surface at the hits; all in the mesh's own centered frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.library import build_scene
from turntable.renderer.backends.embree.textures import TexturePyramid
from turntable.renderer.backends.embree.traced_triangles import TracedTriangles
from turntable.renderer.meshes import (
    ALPHA_ROUNDING,
    IntArray,
    Mesh,
    Texture,
    center_vertices,
    compute_face_normals,
    find_cut_materials,
    find_transparent_materials,
)
from turntable.renderer.meshes.formats import srgb_to_linear

FloatArray = NDArray[np.floating]
Indices = NDArray[np.intp]

LAYER_STEP = 4e-5
"""Distance behind a transparent surface, in radii of the mesh, at which a ray that passes it starts again."""
LIFT = 4e-4
"""Distance above its surface, in radii of the mesh, from which a point looks for light."""
SOLID_ALPHA = 0.999
"""Alpha from which a surface counts as opaque."""
MAX_LAYERS = 32
"""Largest number of surfaces that one ray passes."""


@dataclass(frozen=True, slots=True, eq=False)
class RayHits:
    """H hits of rays on the mesh."""

    ray: Indices
    """[H] indices of the rays."""
    triangle: Indices
    """[H] indices of the triangles."""
    weights: FloatArray
    """[H, 3] barycentric weights of the triangles' corners."""
    distance: FloatArray
    """[H] distances, in lengths of the rays' directions."""

    def __getitem__(self, chosen: NDArray[Any]) -> "RayHits":
        return RayHits(self.ray[chosen], self.triangle[chosen], self.weights[chosen], self.distance[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class HitSurface:
    """The surface at H hits."""

    point: FloatArray
    """[H, 3] hit points."""
    lifted_point: FloatArray
    """[H, 3] points a little above the surface, on the ray's side; shadow rays start there."""
    normal: FloatArray
    """[H, 3] unit shading normals."""
    to_viewer: FloatArray
    """[H, 3] unit vectors back along the rays."""
    color: FloatArray
    """[H, 3] linear base colors."""
    specular: FloatArray
    roughness: FloatArray
    """[H] specular and roughness of the material."""
    emission: FloatArray
    """[H, 3] emitted light."""
    lit: FloatArray
    """[H] share of the incoming light that counts."""

    def __getitem__(self, chosen: NDArray[Any]) -> "HitSurface":
        return HitSurface(*(getattr(self, name)[chosen] for name in self.__slots__))


class TracedMesh:
    """A mesh on Embree.

    Raises:
        MeshError: The mesh has no extent.
        MissingExtraError: embreex is not installed.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._positions, self.radius = center_vertices(mesh)
        faces = TracedTriangles.from_mesh(mesh, self._positions)
        self._triangles, self._alternates = faces.triangles, faces.alternates
        self._scene = build_scene(self._positions, faces.triangles[: len(faces.alternates)])
        self._material = mesh.material_index[faces.indices].astype(np.intp)
        self._normals, self._texcoords, self._colors = mesh.normals, mesh.texcoords, mesh.colors
        self._has_encoded_colors = mesh.has_encoded_colors
        parts = np.zeros(len(mesh.triangles), dtype=np.int32) if mesh.part_index is None else mesh.part_index
        self._part = parts[faces.indices]
        wound = mesh.triangles[faces.indices]
        self._face_normals = compute_face_normals(self._positions, wound).astype(np.float32)
        materials = mesh.materials
        self._color = np.array([m.base_color for m in materials], dtype=np.float32)
        self._emission = np.array([m.emission for m in materials], dtype=np.float32)
        plain = [(m.specular, m.roughness, m.alpha, m.lit) for m in materials]
        self._plain = np.array(plain, dtype=np.float32)
        cutoffs = [0.0 if m.alpha_cutoff is None else m.alpha_cutoff for m in materials]
        self._cutoff = np.array(cutoffs, dtype=np.float32)
        self._has_cutoff = np.array([m.alpha_cutoff is not None for m in materials], dtype=np.bool_)
        self._pyramids = _build_pyramids([m.texture for m in materials])
        self._texel_density = self._compute_texel_densities(self._pyramids)
        self._emission_pyramids = _build_pyramids([m.emission_texture for m in materials])
        self._emission_density = self._compute_texel_densities(self._emission_pyramids)
        self._transparent = bool(
            find_transparent_materials(mesh, SOLID_ALPHA).any() or find_cut_materials(mesh).any()
        )

    def iter_layers(
        self, origins: FloatArray, directions: FloatArray, reach: FloatArray, begin: FloatArray | None = None
    ) -> Iterator[RayHits]:
        """Yield what rays hit first; then, for the rays that pass through, what they hit next, and so on.

        Args:
            origins: Origins [N, 3].
            directions: Directions [N, 3].
            reach: Largest distance [N], in lengths of the directions.
            begin: Smallest distance [N], in the same unit; 0 if not given.
        """
        rays = np.arange(len(origins))
        start = np.zeros(len(origins), np.float32) if begin is None else begin.astype(np.float32)
        for _ in range(MAX_LAYERS):
            first = origins[rays] + start[rays, None] * directions[rays]
            hits = self._intersect(first, directions[rays], reach[rays] - start[rays])
            hits = RayHits(rays[hits.ray], hits.triangle, hits.weights, hits.distance + start[rays[hits.ray]])
            if not len(hits.ray):
                return
            yield hits
            if not self._transparent:
                return
            rays = hits.ray[through := self.compute_alpha(hits) < SOLID_ALPHA]
            start[rays] = hits.distance[through] + np.float32(LAYER_STEP * self.radius)

    def resolve_coincident(self, hits: RayHits, second: NDArray[np.bool_]) -> RayHits:
        """Return the hits with the triangle that each ray sees where two triangles lie in the same place.

        Args:
            hits: Hits of the rays.
            second: [N], True for rays that see the second of two such triangles.
        """
        triangle = np.where(second[hits.ray], self._alternates[hits.triangle], hits.triangle)
        return RayHits(hits.ray, triangle, hits.weights, hits.distance)

    def compute_transmittance(self, origins: FloatArray, directions: FloatArray) -> FloatArray:
        """Return the share [N] of far light that arrives at origins [N, 3] along unit directions [N, 3]."""
        if not len(origins):
            return np.zeros(0, dtype=np.float32)
        if not self._transparent:
            return (self._scene.run(origins, directions, query="OCCLUDED") < 0).astype(np.float32)
        free = np.ones(len(origins), dtype=np.float32)
        for hits in self.iter_layers(origins, directions, np.full(len(origins), 1e9, dtype=np.float32)):
            free[hits.ray] *= 1 - self.compute_alpha(hits)
        return free

    def compute_alpha(self, hits: RayHits) -> FloatArray:
        """Return the opacity [H] at hits."""
        if not self._transparent:
            return np.ones(len(hits.ray), dtype=np.float32)
        material = self._material[hits.triangle]
        alpha = self._plain[material, 2].copy()
        for pyramid, rows in _iter_textured(self._pyramids, material):
            alpha[rows] *= pyramid.sample_alpha(self._interpolate(self._texcoords, hits[rows]))
        if self._colors is not None:
            # Interpolation rounds: what is 1 at all corners must not become less than 1.
            tint = self._interpolate(self._colors[:, 3:], hits)[:, 0]
            alpha *= np.clip(tint * np.float32(1 + ALPHA_ROUNDING), 0, 1)
        if self._has_cutoff.any():
            present = alpha * np.float32(1 + ALPHA_ROUNDING) >= self._cutoff[material]
            alpha = np.where(self._has_cutoff[material], present.astype(np.float32), alpha)
        return alpha

    def get_parts(self, hits: RayHits) -> IntArray:
        """Return the parts [H] that rays hit; 0 for a mesh of one piece."""
        return self._part[hits.triangle]

    def get_face_normals(self, hits: RayHits) -> FloatArray:
        """Return the unit normals [H, 3] of the faces that rays hit, by their winding."""
        return self._face_normals[hits.triangle]

    def compute_normals(self, hits: RayHits, directions: FloatArray) -> FloatArray:
        """Return unit shading normals [H, 3]; as in the original, they follow the winding.

        The normals of a face that is seen from its back are turned round. So flat normals always face the
        ray, and smooth ones do if winding and normals agree.
        """
        normals = self._interpolate(self._normals, hits)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), np.float32(1e-20))
        return normals * self._compute_side(hits, directions)

    def compute_surface(
        self, hits: RayHits, origins: FloatArray, directions: FloatArray, spread: float
    ) -> HitSurface:
        """Return the surface to be shaded at hits.

        Args:
            hits: Hits of the rays.
            origins: Origins [N, 3] of all rays.
            directions: Unit directions [N, 3] of all rays.
            spread: Width of a ray's footprint, per unit of distance.
        """
        along = directions[hits.ray]
        point = origins[hits.ray] + hits.distance[:, None] * along
        lift = np.float32(LIFT * self.radius) * self._compute_side(hits, directions)
        material = self._material[hits.triangle]
        color, emission = self._color[material], self._emission[material]
        for pyramid, rows in _iter_textured(self._pyramids, material):
            color[rows] = self._sample_color(pyramid, hits[rows], spread, self._texel_density)
        if self._colors is not None:
            tint = np.clip(self._interpolate(self._colors[:, :3], hits), 0, 1)
            color *= srgb_to_linear(tint).astype(np.float32) if self._has_encoded_colors else tint
        for pyramid, rows in _iter_textured(self._emission_pyramids, material):
            emission[rows] *= self._sample_color(pyramid, hits[rows], spread, self._emission_density)
        return HitSurface(
            point,
            point + lift * self._face_normals[hits.triangle],
            self.compute_normals(hits, directions),
            -along,
            color,
            self._plain[material, 0],
            self._plain[material, 1],
            emission,
            self._plain[material, 3],
        )

    def _intersect(self, origins: FloatArray, directions: FloatArray, reach: FloatArray) -> RayHits:
        # embreex writes into ``dists``, hence the copy.
        result = self._scene.run(origins, directions, dists=reach.copy(), query="INTERSECT", output=1)
        ray = np.flatnonzero(result["primID"] >= 0)
        u, v = result["u"][ray], result["v"][ray]
        weights = np.stack([1 - u - v, u, v], axis=-1)
        return RayHits(ray, result["primID"][ray].astype(np.intp), weights, result["tfar"][ray])

    def _interpolate(self, values: FloatArray, hits: RayHits) -> FloatArray:
        """Interpolate values [N, C] of vertices at hits to [H, C]."""
        return np.einsum("hk,hkc->hc", hits.weights, values[self._triangles[hits.triangle]])

    def _compute_side(self, hits: RayHits, directions: FloatArray) -> FloatArray:
        """Return 1 where a ray hits a face's front, else -1, as [H, 1]."""
        against = dot(self._face_normals[hits.triangle], directions[hits.ray])
        return np.where(against < 0, np.float32(1), np.float32(-1))[:, None]

    def _sample_color(
        self, pyramid: TexturePyramid, hits: RayHits, spread: float, density: FloatArray
    ) -> FloatArray:
        """Return the linear colors [H, 3] of a texture that has ``density`` [T] texels per unit of length."""
        width = spread * hits.distance * density[hits.triangle]
        return pyramid.sample_color(self._interpolate(self._texcoords, hits), width)

    def _compute_texel_densities(self, pyramids: Sequence[TexturePyramid | None]) -> FloatArray:
        """Return the number of texels per unit of length [T] on each triangle; one texture per material."""
        size = np.array([0 if p is None else p.size for p in pyramids], dtype=np.float32)
        if not size.any():
            return np.zeros(len(self._triangles), dtype=np.float32)
        a, b, c = (self._positions[self._triangles[:, k]] for k in range(3))
        p, q, r = (self._texcoords[self._triangles[:, k]] for k in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=-1)
        (x, y), (s, t) = (q - p).T, (r - p).T
        ratio = np.abs(x * t - y * s) / np.maximum(area, 1e-20)
        return size[self._material] * np.sqrt(ratio)


def _build_pyramids(textures: Sequence[Texture | None]) -> list[TexturePyramid | None]:
    """Return one pyramid for each texture; equal textures share one."""
    distinct = {id(texture): TexturePyramid(texture) for texture in textures if texture is not None}
    return [None if texture is None else distinct[id(texture)] for texture in textures]


def _iter_textured(
    pyramids: Sequence[TexturePyramid | None], material: Indices
) -> Iterator[tuple[TexturePyramid, Indices]]:
    """Yield each material's texture with the rows of the materials [H] that are that one."""
    for number, pyramid in enumerate(pyramids):
        if pyramid is not None and len(rows := np.flatnonzero(material == number)):
            yield pyramid, rows


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the dot products [...] of vectors [..., 3]."""
    return np.einsum("...k,...k->...", a, b)
