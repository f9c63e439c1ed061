"""Beams of machines, and what else their families share."""

import numpy as np

from turntable.renderer.meshes.zoo.articulated.articulation import Point
from turntable.renderer.meshes.zoo.primitives import extrude
from turntable.renderer.meshes.zoo.solid import Array, Solid

YELLOWS = (0xF2B01E, 0xE8A317, 0xE4572E, 0xD8D8D0, 0x2F80C9)
"""Palette of machines."""


def build_beam(start: Array, end: Array, radii: tuple[float, float], width: float) -> Solid:
    """Build a beam between two points at one x, 1.6 times ``radii`` high at its ends and ``width`` wide."""
    along = (end - start)[1:] / np.linalg.norm(end - start)
    across = np.array((-along[1], along[0]))
    corners = [
        start[1:] - 0.8 * radii[0] * across,
        end[1:] - 0.8 * radii[1] * across,
        end[1:] + 0.8 * radii[1] * across,
        start[1:] + 0.8 * radii[0] * across,
    ]
    return extrude(np.array(corners), width, "x", bevel=min(0.02, 0.3 * width)).translate(x=float(start[0]))


def to_point(values: Array) -> Point:
    """Convert three numbers to a point."""
    x, y, z = (float(value) for value in values)
    return x, y, z
