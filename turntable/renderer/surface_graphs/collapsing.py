"""Fewer vertices on a surface, by collapsing edges in the order of their quadric error.

After Garland and Heckbert (Surface simplification using quadric error metrics, SIGGRAPH 1997), with the
placement that keeps one end of the edge: a vertex moves onto a neighbor, so the vertices that are left are
vertices of the surface, bit by bit. No collapse changes the topology of the surface, as long as one can be
found: it fulfills the link condition, no border moves inward, and no component vanishes.
"""

import heapq
from collections import Counter
from collections.abc import Iterator

import numpy as np

from turntable.renderer.surface_graphs.welding import Faces, Places, Surface

_BORDER_WEIGHT = 10.0
"""Weight of the planes that stand upright on borders, to that of the faces."""
_LENGTH_WEIGHT = 1e-6
"""Weight of the fourth power of an edge's length in its cost: in flat regions, short edges go first."""
_LEAST_COSINE = 0.2
"""Least cosine between the normals of a face before and after a collapse: faces must not turn over."""

_Vector = tuple[float, float, float]
_Quadric = tuple[float, ...]
"""The 10 different numbers of a symmetric 4 x 4 matrix, row by row."""


def collapse_edges(surface: Surface, num_vertices: int, *, keeps_topology: bool = True) -> Surface:
    """Return a surface with fewer vertices, which are vertices of the given one.

    Args:
        surface: Surface.
        num_vertices: Number of vertices to reach.
        keeps_topology: True to leave more vertices where fewer would change the topology. Otherwise every
            component may become one face, and holes and sheets that meet may vanish.
    """
    if len(surface.vertices) <= num_vertices:
        return surface
    collapser = _Collapser(surface.vertices, surface.faces, keeps_topology)
    while collapser.num_vertices > num_vertices and collapser.collapse_until(num_vertices):
        pass  # what could not collapse may be able to now
    left = Surface(surface.vertices, collapser.list_faces(), surface.part)
    return left.select_faces(slice(None))


class _Collapser:
    """A surface whose edges collapse one after the other.

    Args:
        vertices: [n, 3] places.
        faces: [F, 3] corners.
        keeps_topology: True if no collapse may change the topology.
    """

    def __init__(self, vertices: Places, faces: Faces, keeps_topology: bool) -> None:
        self.num_vertices = len(vertices)
        self._keeps_topology = keeps_topology
        self._places: list[_Vector] = [tuple(place) for place in vertices.tolist()]
        self._faces: list[tuple[int, int, int]] = [tuple(face) for face in faces.tolist()]
        self._faces_of: list[set[int]] = [set() for _ in range(len(vertices))]
        for number, face in enumerate(self._faces):
            for vertex in face:
                self._faces_of[vertex].add(number)
        self._quadrics = compute_quadrics(vertices, faces)
        self._versions = [0] * len(vertices)

    def list_faces(self) -> Faces:
        """Return the faces that are left, in their first order."""
        left = sorted(set().union(*self._faces_of))
        return np.array([self._faces[number] for number in left], np.int64).reshape(-1, 3)

    def collapse_until(self, num_vertices: int) -> bool:
        """Collapse edges, the cheapest first, until few vertices are left; return False if none could."""
        heap = [item for vertex in range(len(self._places)) for item in self._iter_collapses(vertex)]
        heapq.heapify(heap)
        before = self.num_vertices
        while heap and self.num_vertices > num_vertices:
            _, gone, kept, *versions = heapq.heappop(heap)
            if versions == [self._versions[gone], self._versions[kept]] and self._may_collapse(gone, kept):
                self._collapse(gone, kept)
                for item in self._iter_changed(kept):
                    heapq.heappush(heap, item)
        return self.num_vertices < before

    def _iter_collapses(self, gone: int) -> Iterator[tuple[float, int, int, int, int]]:
        """Yield the collapses of a vertex onto each neighbor: cost, both vertices and their versions."""
        for kept in sorted(self._list_neighbors(gone)):
            yield self._make_entry(gone, kept)

    def _iter_changed(self, vertex: int) -> Iterator[tuple[float, int, int, int, int]]:
        for other in sorted(self._list_neighbors(vertex)):
            yield self._make_entry(vertex, other)
            yield self._make_entry(other, vertex)

    def _make_entry(self, gone: int, kept: int) -> tuple[float, int, int, int, int]:
        place = self._places[kept]
        cost = _evaluate(self._quadrics[gone], place) + _evaluate(self._quadrics[kept], place)
        cost += _LENGTH_WEIGHT * _square(_subtract(self._places[gone], place)) ** 2
        return cost, gone, kept, self._versions[gone], self._versions[kept]

    def _list_neighbors(self, vertex: int) -> set[int]:
        corners = {corner for number in self._faces_of[vertex] for corner in self._faces[number]}
        return corners - {vertex}

    def _may_collapse(self, gone: int, kept: int) -> bool:
        """Return True if no face turns over, a face is left, and the topology stays where it must."""
        shared = self._faces_of[gone] & self._faces_of[kept]
        moved = self._faces_of[gone] - shared
        if not (moved or self._faces_of[kept] - shared):
            return False
        if self._keeps_topology and not self._is_topology_kept(gone, kept, shared):
            return False
        return all(self._is_side_kept(number, gone, kept) for number in moved)

    def _is_topology_kept(self, gone: int, kept: int, shared: set[int]) -> bool:
        moved = self._faces_of[gone] - shared
        if not moved or len(shared) > 2 or not self._is_on_border_as(gone, shared):
            return False
        if len(self._list_neighbors(gone) & self._list_neighbors(kept)) != len(shared):
            return False
        existing = {frozenset(self._faces[number]) for number in self._faces_of[kept]}
        return all(frozenset(self._replace(number, gone, kept)) not in existing for number in moved)

    def _is_on_border_as(self, gone: int, shared: set[int]) -> bool:
        """Return True if a vertex is inside of the surface, or on a border that its edge is part of."""
        counts = Counter(corner for number in self._faces_of[gone] for corner in self._faces[number])
        del counts[gone]
        borders = sum(count == 1 for count in counts.values())
        if max(counts.values()) > 2 or borders not in (0, 2):
            return False  # sheets meet here
        return borders == 0 or len(shared) == 1

    def _is_side_kept(self, number: int, gone: int, kept: int) -> bool:
        before = self._compute_normal(self._faces[number])
        after = self._compute_normal(self._replace(number, gone, kept))
        lengths = (_square(before) * _square(after)) ** 0.5
        return _square(before) == 0 or _dot(before, after) > _LEAST_COSINE * lengths

    def _replace(self, number: int, gone: int, kept: int) -> tuple[int, int, int]:
        a, b, c = (kept if corner == gone else corner for corner in self._faces[number])
        return a, b, c

    def _compute_normal(self, face: tuple[int, int, int]) -> _Vector:
        a, b, c = (self._places[corner] for corner in face)
        return _cross(_subtract(b, a), _subtract(c, a))

    def _collapse(self, gone: int, kept: int) -> None:
        existing = {frozenset(self._faces[number]) for number in self._faces_of[kept]}
        touched = {corner for number in self._faces_of[gone] for corner in self._faces[number]}
        for number in sorted(self._faces_of[gone]):
            moved = self._replace(number, gone, kept)
            for corner in self._faces[number]:
                self._faces_of[corner].discard(number)
            if len(set(moved)) == 3 and frozenset(moved) not in existing:
                self._faces[number] = moved
                for corner in moved:
                    self._faces_of[corner].add(number)
        sums = zip(self._quadrics[gone], self._quadrics[kept], strict=True)
        self._quadrics[kept] = tuple(one + other for one, other in sums)
        self._versions[gone] += 1
        self._versions[kept] += 1
        self.num_vertices -= sum(not self._faces_of[vertex] for vertex in touched)


def compute_quadrics(vertices: Places, faces: Faces) -> list[_Quadric]:
    """Return for each vertex the sum of its faces' quadrics, weighted by area, and of those of its borders.

    A quadric q of a plane gives q(x), the squared distance of x from it.
    """
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    cross = np.cross(b - a, c - a)
    doubled = np.linalg.norm(cross, axis=1)
    normals = cross / np.where(doubled > 0, doubled, 1)[:, None]
    planes = np.column_stack([normals, -(normals * a).sum(axis=1)])
    sums = np.zeros((len(vertices), 4, 4))
    weighted = planes[:, :, None] * planes[:, None] * (doubled / 2)[:, None, None]
    for corner in range(3):
        np.add.at(sums, faces[:, corner], weighted)
    _add_border_quadrics(sums, vertices, faces, normals)
    rows, columns = np.triu_indices(4)
    return [tuple(quadric) for quadric in sums[:, rows, columns].tolist()]


def _add_border_quadrics(sums: Places, vertices: Places, faces: Faces, normals: Places) -> None:
    """Add planes through the edges of one face alone, upright on that face."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, first, count = np.unique(np.sort(edges, axis=1), axis=0, return_index=True, return_counts=True)
    border = first[count == 1]
    start, end = vertices[edges[border, 0]], vertices[edges[border, 1]]
    upright = np.cross(end - start, normals[border % len(faces)])
    length = np.linalg.norm(upright, axis=1)
    upright /= np.where(length > 0, length, 1)[:, None]
    planes = np.column_stack([upright, -(upright * start).sum(axis=1)])
    weighted = planes[:, :, None] * planes[:, None] * (_BORDER_WEIGHT * length**2)[:, None, None]
    for corner in range(2):
        np.add.at(sums, edges[border, corner], weighted)


def _evaluate(quadric: _Quadric, place: _Vector) -> float:
    x, y, z = place
    xx, xy, xz, xd, yy, yz, yd, zz, zd, dd = quadric
    linear = x * xd + y * yd + z * zd
    return xx * x * x + yy * y * y + zz * z * z + 2 * (xy * x * y + xz * x * z + yz * y * z + linear) + dd


def _subtract(one: _Vector, other: _Vector) -> _Vector:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]


def _cross(one: _Vector, other: _Vector) -> _Vector:
    (a, b, c), (x, y, z) = one, other
    return b * z - c * y, c * x - a * z, a * y - b * x


def _dot(one: _Vector, other: _Vector) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def _square(vector: _Vector) -> float:
    return _dot(vector, vector)
