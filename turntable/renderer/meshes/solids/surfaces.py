"""Surfaces of solids: closed triangles with normals and texture coordinates, in patches of one material each.

The origin is a point that every rotation of the solid's group keeps, and the center of the bounding box too,
which the renderer moves to the origin: of a tetrahedron among the corners of a cube that is the cube's
center, and of a cone a point on its axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NUM_SEGMENTS = 256
"""Number of segments around a cone or a cylinder, a multiple of four."""
NUM_MERIDIANS = 128
"""Number of meridians of a sphere, a multiple of four; there are half as many parallels."""


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Triangles of one material, counter-clockwise seen from outside."""

    positions: Array
    """[N, 3] positions."""
    normals: Array
    """[N, 3] unit normals of the exact surface."""
    texcoords: Array
    """[N, 2] texture coordinates, v upward."""
    triangles: NDArray[np.int64]
    """[T, 3] indices into the positions."""


def build_polyhedron(corners: Array, face_normals: Array) -> list[Patch]:
    """Build a convex polyhedron whose faces are regular, a patch for each face.

    Args:
        corners: [N, 3] corners.
        face_normals: [F, 3] directions of the faces.
    """
    return [_build_face(corners, normal / np.linalg.norm(normal)) for normal in face_normals]


def _build_face(corners: Array, normal: Array) -> Patch:
    """Build the face [M corners] that lies farthest along a unit normal, as a fan around its first corner."""
    heights = corners @ normal
    face = corners[heights > heights.max() - 1e-6]
    arms = face - face.mean(axis=0)
    angles = np.arctan2(arms @ np.cross(normal, arms[0]), arms @ arms[0])
    face = face[np.argsort(np.mod(angles + 1e-9, 2 * np.pi))]
    step = np.arange(1, len(face) - 1)
    fan = np.stack([np.zeros_like(step), step, step + 1], axis=-1)
    return Patch(face, np.tile(normal, (len(face), 1)), np.zeros((len(face), 2)), fan)


def build_cylinder(radius: float, height: float) -> list[Patch]:
    """Build a cylinder about z: its side, whose texture runs around it once from -y, and its two ends."""
    ring, turns = _make_ring(radius)
    outward = ring / radius
    low, high = _lift(ring, -height / 2), _lift(ring, height / 2)
    texcoords = [np.stack([turns, np.full_like(turns, v)], axis=-1) for v in (0.0, 1.0)]
    side = _build_strip((low, high), (outward, outward), texcoords)
    return [side, _build_disc(radius, height / 2, up=True), _build_disc(radius, -height / 2, up=False)]


def build_cone(radius: float, height: float) -> list[Patch]:
    """Build a cone about z with its tip up: its side and its base."""
    ring, turns = _make_ring(radius)
    slope = np.array([height, height, radius]) / np.hypot(height, radius)
    normals = _lift(ring / radius, 1.0) * slope
    # Every segment has a tip of its own, with the normal in the middle of the segment's.
    middle = normals[:-1] + normals[1:]
    tips = np.concatenate([middle, middle[:1]]) / np.linalg.norm(middle[:1], axis=-1, keepdims=True)
    low, tip = _lift(ring, -height / 2), np.tile([0, 0, height / 2], (len(ring), 1))
    side = _build_strip((low, tip), (normals, tips), [np.zeros((len(turns), 2))] * 2)
    # The second triangle of each quadrilateral has both of its upper corners at the tip.
    side = Patch(side.positions, side.normals, side.texcoords, side.triangles[::2])
    return [side, _build_disc(radius, -height / 2, up=False)]


def build_sphere(radius: float) -> list[Patch]:
    """Build a sphere as two halves, which meet at y = 0.

    The texture of each is seen from its own side, over the square around it: u runs to -x in the half at +y,
    to the right of one who looks at it.
    """
    return [_build_half_sphere(radius, sign) for sign in (1.0, -1.0)]


def _build_half_sphere(radius: float, sign: float) -> Patch:
    polar = np.linspace(0, np.pi, NUM_MERIDIANS // 2 + 1)
    azimuth = np.linspace(0, np.pi, NUM_MERIDIANS // 2 + 1) + (0 if sign > 0 else np.pi)
    sine = np.sin(polar)[:, None]
    grid = [sine * np.cos(azimuth), sine * np.sin(azimuth), np.cos(polar)[:, None] + 0 * azimuth]
    normals = np.stack(grid, axis=-1).reshape(-1, 3)
    texcoords = np.stack([0.5 - sign * normals[:, 0] / 2, 0.5 + normals[:, 2] / 2], axis=-1)
    return Patch(normals * radius, normals, texcoords, _index_grid(len(polar), len(azimuth)))


def _index_grid(rows: int, columns: int) -> NDArray[np.int64]:
    """Return the triangles [T, 3] of a grid of points whose rows run from the upper pole to the lower."""
    start = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    below = start + columns
    upper = np.stack([start, below + 1, start + 1], axis=-1)
    lower = np.stack([start, below, below + 1], axis=-1)
    # The points of the first row are one point, and so are those of the last: there no triangle has an area.
    return np.concatenate([upper[columns - 1 :], lower[: 1 - columns]])


def _make_ring(radius: float) -> tuple[Array, Array]:
    """Return points [K + 1, 3] around z, counter-clockwise from -y and back, and their turns [K + 1]."""
    turns = np.linspace(0, 1, NUM_SEGMENTS + 1)
    angles = 2 * np.pi * turns - np.pi / 2
    ring = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.zeros_like(angles)], axis=-1)
    ring[-1] = ring[0]
    return ring, turns


def _lift(points: Array, height: float) -> Array:
    return points + np.array([0.0, 0.0, height])


def _build_strip(
    rings: tuple[Array, Array], normals: tuple[Array, Array], texcoords: Sequence[Array]
) -> Patch:
    """Build the strip between a lower and an upper ring of points, two triangles for each segment."""
    count = len(rings[0])
    start = np.arange(count - 1)
    first = np.stack([start, start + 1, start + count], axis=-1)
    second = np.stack([start + 1, start + 1 + count, start + count], axis=-1)
    triangles = np.stack([first, second], axis=1).reshape(-1, 3)
    return Patch(np.concatenate(rings), np.concatenate(normals), np.concatenate(texcoords), triangles)


def _build_disc(radius: float, height: float, *, up: bool) -> Patch:
    """Build a disc across z, seen from above or from below."""
    ring = _lift(_make_ring(radius)[0][:-1], height)
    positions = np.concatenate([[[0, 0, height]], ring])
    step = np.arange(len(ring))
    fan = np.stack([np.zeros_like(step), step + 1, (step + 1) % len(ring) + 1], axis=-1)
    normals = np.tile([0, 0, 1.0 if up else -1.0], (len(positions), 1))
    return Patch(positions, normals, np.zeros((len(positions), 2)), fan if up else fan[:, ::-1])
