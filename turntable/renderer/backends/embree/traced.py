"""A mesh that rays can meet, and what they find there; all in the mesh's own centred frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.faces import Faces
from turntable.renderer.backends.embree.library import make_scene
from turntable.renderer.backends.embree.textures import Pyramid
from turntable.renderer.meshes import Mesh, centred, face_normals

FloatArray = NDArray[np.floating]
Indices = NDArray[np.intp]

STEP = 4e-5
"""How far behind a surface, of the mesh's radius, a ray that goes through it begins again."""
LIFT = 4e-4
"""How far above its surface, of the mesh's radius, a point looks for light."""
SOLID = 0.999
"""Nothing is seen through anything as opaque as this."""
MOST_LAYERS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Where rays meet the mesh."""

    ray: Indices
    """[H] which of the rays."""
    triangle: Indices
    """[H]."""
    weights: FloatArray
    """[H, 3] of the triangle's corners."""
    distance: FloatArray
    """[H] in lengths of the ray's direction."""

    def __getitem__(self, chosen: NDArray[Any]) -> "Hits":
        return Hits(self.ray[chosen], self.triangle[chosen], self.weights[chosen], self.distance[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What H rays see."""

    point: FloatArray
    """[H, 3]."""
    lifted: FloatArray
    """[H, 3] a little above it, on the ray's side."""
    normal: FloatArray
    """[H, 3], for shading."""
    towards: FloatArray
    """[H, 3] unit, back along the ray."""
    color: FloatArray
    """[H, 3] linear base colour."""
    specular: FloatArray
    roughness: FloatArray
    """[H] each."""
    emission: FloatArray
    """[H, 3]."""
    lit: FloatArray
    """[H] the share of light that arrives."""

    def __getitem__(self, chosen: NDArray[Any]) -> "Surface":
        return Surface(*(getattr(self, name)[chosen] for name in self.__slots__))


class TracedMesh:
    """The mesh on embree.

    Raises:
        MeshError: It has no extent.
        MissingExtraError: embreex is not installed.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._positions, self.radius = centred(mesh)
        faces = Faces.of(mesh, self._positions)
        self._triangles, self._other = faces.triangles, faces.other
        self._scene = make_scene(self._positions, faces.triangles[: len(faces.other)])
        self._material = mesh.material_index[faces.numbers].astype(np.intp)
        self._normals, self._texcoords = mesh.normals, mesh.texcoords
        wound = mesh.triangles[faces.numbers]
        self._face_normals = face_normals(self._positions, wound).astype(np.float32)
        materials = mesh.materials
        self._color = np.array([m.base_color for m in materials], dtype=np.float32)
        self._emission = np.array([m.emission for m in materials], dtype=np.float32)
        plain = [(m.specular, m.roughness, m.alpha, m.lit) for m in materials]
        self._plain = np.array(plain, dtype=np.float32)
        distinct = {id(m.texture): Pyramid(m.texture) for m in materials if m.texture is not None}
        self._pyramids = [None if m.texture is None else distinct[id(m.texture)] for m in materials]
        self._texel_density = self._densities()
        self._clear = any(m.alpha < SOLID for m in materials) or any(
            m.texture is not None and m.texture.pixels.shape[2] == 4 for m in materials
        )

    def layers(
        self, origins: FloatArray, directions: FloatArray, reach: FloatArray, begin: FloatArray | None = None
    ) -> Iterator[Hits]:
        """What rays meet first; then, of those that go through, what they meet next, and so on.

        Args:
            origins: [N, 3].
            directions: [N, 3].
            reach: [N] how far, in lengths of the directions.
            begin: [N] from where on, in the same; at their origins if not given.
        """
        rays = np.arange(len(origins))
        start = np.zeros(len(origins), np.float32) if begin is None else begin.astype(np.float32)
        for _ in range(MOST_LAYERS):
            first = origins[rays] + start[rays, None] * directions[rays]
            hits = self._first(first, directions[rays], reach[rays] - start[rays])
            hits = Hits(rays[hits.ray], hits.triangle, hits.weights, hits.distance + start[rays[hits.ray]])
            if not len(hits.ray):
                return
            yield hits
            if not self._clear:
                return
            rays = hits.ray[through := self.alpha(hits) < SOLID]
            start[rays] = hits.distance[through] + np.float32(STEP * self.radius)

    def in_turn(self, hits: Hits, second: NDArray[np.bool_]) -> Hits:
        """The same hits; of two faces in one place, rays [N] that are ``second`` see the second."""
        seen = np.where(second[hits.ray], self._other[hits.triangle], hits.triangle)
        return Hits(hits.ray, seen, hits.weights, hits.distance)

    def free(self, origins: FloatArray, directions: FloatArray) -> FloatArray:
        """[N] the share of light that comes through along unit directions, from anywhere beyond."""
        if not len(origins):
            return np.zeros(0, dtype=np.float32)
        if not self._clear:
            return (self._scene.run(origins, directions, query="OCCLUDED") < 0).astype(np.float32)
        free = np.ones(len(origins), dtype=np.float32)
        for hits in self.layers(origins, directions, np.full(len(origins), 1e9, dtype=np.float32)):
            free[hits.ray] *= 1 - self.alpha(hits)
        return free

    def alpha(self, hits: Hits) -> FloatArray:
        """Opacity [H]."""
        if not self._clear:
            return np.ones(len(hits.ray), dtype=np.float32)
        material = self._material[hits.triangle]
        alpha = self._plain[material, 2].copy()
        for pyramid, here in self._textured(material):
            alpha[here] *= pyramid.alpha(self._at(self._texcoords, hits[here]))
        return alpha

    def normal(self, hits: Hits, directions: FloatArray) -> FloatArray:
        """Unit shading normals [H, 3]; they follow the winding, as in the original.

        A face seen from its back has its normals turned round. Flat normals so face the ray; smooth ones do
        where winding and normals agree.
        """
        normals = self._at(self._normals, hits)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), np.float32(1e-20))
        return normals * self._side(hits, directions)

    def surface(self, hits: Hits, origins: FloatArray, directions: FloatArray, spread: float) -> Surface:
        """What there is to shade.

        Args:
            hits: Of the rays.
            origins: [N, 3] of all the rays.
            directions: [N, 3] unit.
            spread: The width of a ray's footprint, per unit of distance.
        """
        along = directions[hits.ray]
        point = origins[hits.ray] + hits.distance[:, None] * along
        lift = np.float32(LIFT * self.radius) * self._side(hits, directions)
        material = self._material[hits.triangle]
        color = self._color[material]
        for pyramid, here in self._textured(material):
            chosen = hits[here]
            texels = spread * chosen.distance * self._texel_density[chosen.triangle]
            color[here] = pyramid.color(self._at(self._texcoords, chosen), texels)
        return Surface(
            point,
            point + lift * self._face_normals[hits.triangle],
            self.normal(hits, directions),
            -along,
            color,
            self._plain[material, 0],
            self._plain[material, 1],
            self._emission[material],
            self._plain[material, 3],
        )

    def _first(self, origins: FloatArray, directions: FloatArray, reach: FloatArray) -> Hits:
        found = self._scene.run(origins, directions, dists=reach.copy(), query="INTERSECT", output=1)
        ray = np.flatnonzero(found["primID"] >= 0)
        u, v = found["u"][ray], found["v"][ray]
        weights = np.stack([1 - u - v, u, v], axis=-1)
        return Hits(ray, found["primID"][ray].astype(np.intp), weights, found["tfar"][ray])

    def _at(self, values: FloatArray, hits: Hits) -> FloatArray:
        """Values [N, C] of vertices, interpolated [H, C]."""
        return np.einsum("hk,hkc->hc", hits.weights, values[self._triangles[hits.triangle]])

    def _side(self, hits: Hits, directions: FloatArray) -> FloatArray:
        """[H, 1]: 1 where a ray meets a face's front, else -1."""
        against = dot(self._face_normals[hits.triangle], directions[hits.ray])
        return np.where(against < 0, np.float32(1), np.float32(-1))[:, None]

    def _textured(self, material: Indices) -> Iterator[tuple[Pyramid, Indices]]:
        for number, pyramid in enumerate(self._pyramids):
            if pyramid is not None and len(here := np.flatnonzero(material == number)):
                yield pyramid, here

    def _densities(self) -> FloatArray:
        """[T] texels along a unit of length of each triangle."""
        size = np.array([0 if p is None else p.size for p in self._pyramids], dtype=np.float32)
        if not size.any():
            return np.zeros(len(self._triangles), dtype=np.float32)
        a, b, c = (self._positions[self._triangles[:, k]] for k in range(3))
        p, q, r = (self._texcoords[self._triangles[:, k]] for k in range(3))
        area = np.linalg.norm(np.cross(b - a, c - a), axis=-1)
        (x, y), (s, t) = (q - p).T, (r - p).T
        ratio = np.abs(x * t - y * s) / np.maximum(area, 1e-20)
        return size[self._material] * np.sqrt(ratio)


def dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Of each pair [..., 3]."""
    return np.einsum("...k,...k->...", a, b)
