"""Closed solids of triangles, which are moved, rotated, scaled and bent before they join an object."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Array of floats."""
Indices = NDArray[np.int64]
"""Array of indices or numbers of parts and points."""

_PROJECTIONS: dict[str, tuple[int, int]] = {"x": (1, 2), "y": (0, 2), "z": (0, 1)}
"""Axes of the texture (u, v) for each axis along which it is projected."""


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A closed surface of triangles, counter-clockwise seen from outside.

    Every method returns a new solid.
    """

    positions: Array
    """[N, 3] positions, in any unit of length: the finished object is scaled to a diagonal of 1."""
    triangles: Indices
    """[T, 3] indices into the positions."""
    texcoords: Array
    """[N, 2] texture coordinates in the unit of the positions. A skin divides them by its tile."""
    crease: float = 40.0
    """Crease angle in degrees. Faces that meet at a smaller angle are shaded as one smooth surface."""

    def translate(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Solid":
        """Shift by an offset."""
        return replace(self, positions=self.positions + np.array((x, y, z)))

    def rotate(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> "Solid":
        """Rotate about the origin by angles in degrees: about x, then y, then z, with fixed axes."""
        rotation = _make_rotation(2, z) @ _make_rotation(1, y) @ _make_rotation(0, x)
        return replace(self, positions=self.positions @ rotation.T)

    def scale(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> "Solid":
        """Scale about the origin.

        An odd number of negative factors mirrors the solid, so its triangles are rewound.
        """
        factors = np.array((x, y, z))
        mirrored = bool(np.prod(factors) < 0)
        return replace(
            self,
            positions=self.positions * factors,
            triangles=self.triangles[:, ::-1] if mirrored else self.triangles,
            # By the mean factor: an uneven scale stretches the texture with the solid.
            texcoords=self.texcoords * np.cbrt(np.abs(np.prod(factors))),
        )

    def mirror(self) -> "Solid":
        """Reflect left to right (x to -x)."""
        return self.scale(x=-1.0)

    def warp(self, bend: Callable[[Array], Array]) -> "Solid":
        """Apply a map of positions [N, 3] -> [N, 3] that keeps the orientation."""
        return replace(self, positions=bend(self.positions))

    def stretch_texture(self, axis: str) -> "Solid":
        """Spread one whole texture over the solid, for a skin with a tile of 1.

        Args:
            axis: Side the texture is seen from: "x" from +x, "y" from -y, "z" from +z.
        """
        flat = self.project_texture(axis).texcoords
        low = flat.min(axis=0)
        return replace(self, texcoords=(flat - low) / (flat.max(axis=0) - low))

    def project_texture(self, axis: str) -> "Solid":
        """Project the texture along an axis ("x", "y" or "z", as in ``stretch_texture``)."""
        return replace(self, texcoords=self.positions[:, _PROJECTIONS[axis]])


def join_solids(*solids: Solid) -> Solid:
    """Join several solids into one, with the crease angle of the first."""
    starts = np.cumsum([0] + [len(solid.positions) for solid in solids[:-1]])
    return Solid(
        np.concatenate([solid.positions for solid in solids]),
        np.concatenate([solid.triangles + start for solid, start in zip(solids, starts, strict=True)]),
        np.concatenate([solid.texcoords for solid in solids]),
        solids[0].crease,
    )


def cross(a: Array, b: Array) -> Array:
    """Return the cross products of rows [N, 3], several times faster than numpy on the few rows of a part."""
    x, y, z = a.T
    u, v, w = b.T
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axis=1)


def _make_rotation(axis: int, degrees: float) -> Array:
    """Make a rotation matrix [3, 3] about one coordinate axis."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    matrix[i, i] = matrix[j, j] = cos
    matrix[j, i], matrix[i, j] = sin, -sin
    return matrix
