"""Molecules as meshes: a ball for each atom, colored by its element, and sticks for its bonds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import AROMATIC_BOND
from turntable.renderer.meshes.formats import srgb_to_linear
from turntable.renderer.meshes.mesh import Material, Mesh, normalize_vectors

Array = NDArray[np.float64]

BALL_RADII = {
    1: 0.27,
    5: 0.43,
    6: 0.43,
    7: 0.40,
    8: 0.38,
    9: 0.37,
    15: 0.45,
    16: 0.45,
    17: 0.44,
    35: 0.46,
    53: 0.50,
}
"""Radii of the balls in angstroms by atomic number: about a quarter of the van der Waals radii."""
_COLORS = {
    1: "f2f2f2",
    5: "ffb5b5",
    6: "565656",
    7: "3050f8",
    8: "ff0d0d",
    9: "90e050",
    15: "ff8000",
    16: "ffe030",
    17: "1ff01f",
    35: "a62929",
    53: "940094",
}
"""sRGB colors by atomic number, after Corey, Pauling and Koltun's models, as Jmol has them."""
_STICKS: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((0.0, 0.12),),
    2: ((-0.13, 0.08), (0.13, 0.08)),
    3: ((-0.17, 0.06), (0.0, 0.06), (0.17, 0.06)),
    AROMATIC_BOND: ((-0.06, 0.12), (0.17, 0.05)),
}
"""Sticks of a bond by its code: the offset of each across the bond, and its radius, in angstroms."""
_SIDES = 12
"""Number of sides of a stick."""
_SUBDIVISIONS = 2
"""Number of times that the triangles of an icosahedron are divided into four for a ball."""
_MESH_GRID = 2.0**-20
_MIN_ARM = 0.1
"""Distance in angstroms from the line of a bond beyond which a neighbor defines a plane with it."""
_DECIMALS = 6
"""Number of decimals of the scale and the center, so that they are short and equal everywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class MoleculeMesh:
    """A mesh of a molecule, and where it shows the atoms."""

    mesh: Mesh
    """Mesh whose bounding box has its middle at the origin and a diagonal of 1."""
    diagonals_per_angstrom: float
    """Length of an angstrom in the mesh."""
    center: tuple[float, float, float]
    """The point in angstroms, in the frame of the molecule's positions, that is the mesh's origin."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Pieces of one form, P of them with N vertices each: balls, or halves of sticks."""

    positions: Array
    """[P, N, 3] positions in angstroms."""
    normals: Array
    """[P, N, 3] unit normals."""
    triangles: NDArray[np.int64]
    """[T, 3] triangles of every piece, counter-clockwise seen from outside."""
    elements: NDArray[np.int64]
    """[P] atomic numbers, which say the color."""


def build_ball_and_stick(
    positions: Array, elements: NDArray[np.integer], bonds: NDArray[np.integer]
) -> MoleculeMesh:
    """Build the mesh of a molecule. Each half of a stick has the color of the atom that it begins at.

    A double bond has two sticks, a triple bond three, and an aromatic one a thick and a thin one. They lie
    beside each other in the plane of the bond and a neighbor.

    Args:
        positions: [n, 3] positions in angstroms, n at least 1.
        elements: [n] atomic numbers.
        bonds: [n, n] codes of the bonds; symmetric.
    """
    return _fit_mesh(_build_balls(positions, elements), _build_sticks(positions, elements, bonds))


def _build_balls(positions: Array, elements: NDArray[np.integer]) -> _Pieces:
    directions, triangles = _build_sphere()
    radii = np.array([BALL_RADII[number] for number in elements.tolist()])
    surface = positions[:, None] + radii[:, None, None] * directions
    normals = np.broadcast_to(directions, surface.shape)
    return _Pieces(surface, normals, triangles, elements.astype(np.int64))


def _build_sticks(positions: Array, elements: NDArray[np.integer], bonds: NDArray[np.integer]) -> _Pieces:
    """Build the halves of all sticks: open cylinders whose ends lie within balls or meet another one."""
    rows = list(_iter_sticks(positions, bonds))
    ends = np.array([row[0] for row in rows]).reshape(-1, 2, 3)
    radii, owners = np.array([row[1] for row in rows]), np.array([row[2] for row in rows], dtype=np.intp)
    along = normalize_vectors(ends[:, 1] - ends[:, 0])
    across = _find_across(along)
    turns = 2 * np.pi * np.arange(_SIDES) / _SIDES
    outward = (
        np.cos(turns)[:, None] * across[:, None] + np.sin(turns)[:, None] * np.cross(along, across)[:, None]
    )
    surface = ends[:, :, None] + radii[:, None, None, None] * outward[:, None]
    normals = np.broadcast_to(outward[:, None], surface.shape)
    shape = (len(rows), 2 * _SIDES, 3)
    return _Pieces(
        surface.reshape(shape),
        normals.reshape(shape),
        _list_side_triangles(),
        elements[owners].astype(np.int64),
    )


def _iter_sticks(positions: Array, bonds: NDArray[np.integer]) -> Iterator[tuple[Array, float, int]]:
    """Yield for each half of a stick its ends [2, 3], its radius, and the atom that it begins at."""
    for first, second in np.argwhere(np.triu(bonds)).tolist():
        middle = (positions[first] + positions[second]) / 2
        side = _find_side(positions, bonds, first, second)
        for offset, radius in _STICKS[int(bonds[first, second])]:
            for atom in (first, second):
                yield np.stack([positions[atom], middle]) + offset * side, radius, atom


def _find_side(positions: Array, bonds: NDArray[np.integer], first: int, second: int) -> Array:
    """Return the unit direction across a bond in the plane of its first neighbor that is not in line."""
    along = normalize_vectors(positions[second] - positions[first])
    arms = positions[np.flatnonzero(bonds[first] | bonds[second])] - positions[first]
    across = arms - (arms @ along)[:, None] * along
    clear = np.flatnonzero((across * across).sum(axis=1) > _MIN_ARM**2)
    if len(clear):
        return normalize_vectors(across[clear[0]])
    return _find_across(along)


def _find_across(directions: Array) -> Array:
    """Return a unit vector across each of some directions [..., 3], and across the axis it follows least."""
    axes = np.eye(3)[np.argmin(np.abs(directions), axis=-1)]
    return normalize_vectors(np.cross(directions, axes))


def _list_side_triangles() -> NDArray[np.int64]:
    """Return the triangles of a cylinder whose lower ring of vertices comes before the upper one."""
    corner = np.arange(_SIDES)
    after = np.roll(corner, -1)
    lower = np.stack([corner, after, corner + _SIDES], axis=-1)
    upper = np.stack([after, after + _SIDES, corner + _SIDES], axis=-1)
    return np.concatenate([lower, upper])


def _fit_mesh(*pieces: _Pieces) -> MoleculeMesh:
    """Join pieces to a mesh, with the middle of its bounding box at the origin and a diagonal of 1."""
    positions = np.concatenate([item.positions.reshape(-1, 3) for item in pieces])
    low, high = positions.min(axis=0), positions.max(axis=0)
    scale = round(1 / float(np.linalg.norm(high - low)), _DECIMALS)
    x, y, z = (round(float(value), _DECIMALS) + 0.0 for value in (low + high) / 2)
    starts = np.cumsum([0, *(item.positions[..., 0].size for item in pieces)])
    triangles = [_number_triangles(item) + start for item, start in zip(pieces, starts, strict=False)]
    per_triangle = np.concatenate([np.repeat(item.elements, len(item.triangles)) for item in pieces])
    elements, index = np.unique(per_triangle, return_inverse=True)
    mesh = Mesh(
        positions=_round_to_grid(scale * (positions - np.array((x, y, z)))),
        triangles=np.concatenate(triangles).astype(np.int32),
        normals=_round_to_grid(np.concatenate([item.normals.reshape(-1, 3) for item in pieces])),
        texcoords=np.zeros((len(positions), 2), np.float32),
        material_index=index.astype(np.int32),
        materials=tuple(_make_material(element) for element in elements.tolist()),
    )
    return MoleculeMesh(mesh, scale, (x, y, z))


def _number_triangles(pieces: _Pieces) -> NDArray[np.int64]:
    """Return the triangles [P T, 3] of all pieces, as indices into their vertices."""
    count, size = pieces.positions.shape[:2]
    return (pieces.triangles + size * np.arange(count)[:, None, None]).reshape(-1, 3)


@cache
def _make_material(element: int) -> Material:
    channels = np.array(list(bytes.fromhex(_COLORS[element])))
    red, green, blue = srgb_to_linear(channels / 255).tolist()
    return Material(f"element-{element}", (red, green, blue), roughness=0.35)


def _round_to_grid(values: Array) -> NDArray[np.float32]:
    return (np.rint(values / _MESH_GRID) * _MESH_GRID).astype(np.float32)


@cache
def _build_sphere() -> tuple[Array, NDArray[np.int64]]:
    """Build a sphere of radius 1 from an icosahedron: directions [N, 3] and triangles [T, 3]."""
    golden = (1 + 5**0.5) / 2
    corners = [(0.0, y, z * golden) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
    directions = normalize_vectors(np.concatenate([np.roll(corners, turn, axis=1) for turn in range(3)]))
    edge = 2 / np.hypot(1, golden)
    near = np.linalg.norm(directions[:, None] - directions, axis=-1) < 1.1 * edge
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    triangles = np.array([_turn_outward(directions, face) for face in faces])
    for _ in range(_SUBDIVISIONS):
        directions, triangles = _divide(directions, triangles)
    return directions, triangles


def _turn_outward(directions: Array, face: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return a face counter-clockwise seen from outside."""
    a, b, c = face
    return face if np.linalg.det(directions[list(face)]) > 0 else (a, c, b)


def _divide(directions: Array, triangles: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Divide each triangle of a sphere into four, whose new corners are shared by neighbors."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]], axis=-1)
    unique, place = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    ab, bc, ca = (place.reshape(-1, 3) + len(directions)).T
    a, b, c = triangles.T
    divided = [
        np.stack(corners, axis=-1) for corners in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
    ]
    middles = normalize_vectors(directions[unique].sum(axis=1))
    return np.concatenate([directions, middles]), np.concatenate(divided)
