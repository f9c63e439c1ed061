"""A closed solid of triangles that can be moved, turned, scaled and bent before it joins an object."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_PROJECTIONS: dict[str, tuple[int, int]] = {"x": (1, 2), "y": (0, 2), "z": (0, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """Triangles wound counter-clockwise seen from outside; every method answers a new solid."""

    positions: Array
    """[N, 3], in any unit of length: the finished object is scaled to a bounding-box diagonal of 1."""
    triangles: Indices
    """[T, 3]."""
    texcoords: Array
    """[N, 2], in the unit of the positions: a skin divides them by the size of its tile."""
    crease: float = 40.0
    """Degrees; faces that meet at a smaller angle are shaded as one smooth surface."""

    def at(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Solid":
        """Shift by an offset."""
        return replace(self, positions=self.positions + np.array((x, y, z)))

    def turn(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Solid":
        """Rotate about the origin by degrees: first about x, then y, then z, the axes held fixed."""
        rotation = _about(2, z) @ _about(1, y) @ _about(0, x)
        return replace(self, positions=self.positions @ rotation.T)

    def scale(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> "Solid":
        """Scale about the origin; an odd number of negative factors mirrors and rewinds the triangles."""
        factors = np.array((x, y, z))
        mirrored = bool(np.prod(factors) < 0)
        return replace(
            self,
            positions=self.positions * factors,
            triangles=self.triangles[:, ::-1] if mirrored else self.triangles,
            texcoords=self.texcoords * np.cbrt(np.abs(np.prod(factors))),
        )

    def mirror(self) -> "Solid":
        """Reflect left to right (x to -x)."""
        return self.scale(x=-1.0)

    def warp(self, bend: Callable[[Array], Array]) -> "Solid":
        """Send every position through ``bend``, a map [N, 3] -> [N, 3] that keeps orientation."""
        return replace(self, positions=bend(self.positions))

    def decal(self, axis: str) -> "Solid":
        """Stretch one whole texture over the solid, for a skin whose tile is 1.

        Args:
            axis: the side it is read from: "x" from +x, "y" from -y, "z" from +z.
        """
        flat = self.seen(axis).texcoords
        low = flat.min(axis=0)
        return replace(self, texcoords=(flat - low) / (flat.max(axis=0) - low))

    def seen(self, axis: str) -> "Solid":
        """Lay the texture flat across the solid as seen along an axis ("x", "y", "z", as in ``decal``)."""
        return replace(self, texcoords=self.positions[:, _PROJECTIONS[axis]])


def join(*solids: Solid) -> Solid:
    """One solid of several, with the crease of the first."""
    starts = np.cumsum([0] + [len(solid.positions) for solid in solids[:-1]])
    return Solid(
        np.concatenate([solid.positions for solid in solids]),
        np.concatenate([solid.triangles + start for solid, start in zip(solids, starts, strict=True)]),
        np.concatenate([solid.texcoords for solid in solids]),
        solids[0].crease,
    )


def cross(a: Array, b: Array) -> Array:
    """The cross products of rows [N, 3]: several times faster than numpy's on the few rows of a part."""
    x, y, z = a.T
    u, v, w = b.T
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=1)


def _about(axis: int, degrees: float) -> Array:
    """Rotation matrix [3, 3] about one coordinate axis."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = cos
    matrix[j, i], matrix[i, j] = sin, -sin
    return matrix
