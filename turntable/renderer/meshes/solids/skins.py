"""The colors and marks of solids, as materials."""

import colorsys

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats import srgb_to_linear
from turntable.renderer.meshes.mesh import Material, Texture

Pixels = NDArray[np.uint8]
Color = NDArray[np.uint8]
"""sRGB color [3]."""

MARK_SIZE_PX = 512
"""Height of the texture of a mark, in texels."""
SPOT_HEIGHT = 0.7
"""Height of the spot's center on the side of a cylinder, as a share of the cylinder's height."""
SPOT_RADIUS = 0.15
"""Radius of the spot, as a share of the cylinder's height."""
ARM_LENGTHS = (0.6, 0.6, 0.6, 0.3)
"""Lengths of the four arms of the X from its middle, in radii of the sphere. One is short, so that no turn
about the middle leaves the X as it is."""
ARM_WIDTH = 0.18
"""Width of an arm, in radii of the sphere."""


def draw_colors(rng: np.random.Generator) -> tuple[Color, Color]:
    """Draw the color of a solid, and another for its mark on the opposite side of the color circle."""
    hue, saturation, value = rng.random(), rng.uniform(0.35, 0.8), rng.uniform(0.55, 0.95)
    opposite = (hue + rng.uniform(0.4, 0.6)) % 1
    return _make_color(hue, saturation, value), _make_color(opposite, 0.9, 0.95)


def make_plain_material(color: Color) -> Material:
    """Make a material of one color."""
    red, green, blue = srgb_to_linear(color / 255).tolist()
    return Material("plain", (red, green, blue))


def make_spot_material(color: Color, mark: Color, radius: float, height: float) -> Material:
    """Make the side of a cylinder with a round spot at +y, above the middle.

    Args:
        color: Color of the side.
        mark: Color of the spot.
        radius: Radius of the cylinder.
        height: Height of the cylinder.
    """
    around = 2 * np.pi * radius / height
    u, v = _make_texels(round(MARK_SIZE_PX * around))
    distance = np.hypot((u - 0.5) * around, v - SPOT_HEIGHT)
    return _make_printed_material(color, mark, (SPOT_RADIUS - distance) * MARK_SIZE_PX)


def make_cross_material(color: Color, mark: Color) -> Material:
    """Make the half of a sphere with an X, one of whose arms is short."""
    u, v = _make_texels(MARK_SIZE_PX)
    x, y = 2 * u - 1, 2 * v - 1
    along, across = (x + y) / np.sqrt(2), (y - x) / np.sqrt(2)
    arms = [(along, across), (across, along), (-along, across), (-across, along)]
    inside = [
        np.minimum(length - reach, np.minimum(reach, ARM_WIDTH / 2 - np.abs(beside)))
        for length, (reach, beside) in zip(ARM_LENGTHS, arms, strict=True)
    ]
    middle = ARM_WIDTH / 2 - np.maximum(np.abs(along), np.abs(across))
    return _make_printed_material(color, mark, np.maximum.reduce([*inside, middle]) * MARK_SIZE_PX / 2)


def _make_color(hue: float, saturation: float, value: float) -> Color:
    return np.rint(255 * np.array(colorsys.hsv_to_rgb(hue, saturation, value))).astype(np.uint8)


def _make_texels(width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the texture coordinates u, v [MARK_SIZE_PX, width] of texels, the first row at the top."""
    u, v = (np.arange(width) + 0.5) / width, 1 - (np.arange(MARK_SIZE_PX) + 0.5) / MARK_SIZE_PX
    grid_u, grid_v = np.meshgrid(u, v)
    return grid_u, grid_v


def _make_printed_material(color: Color, mark: Color, depth_px: NDArray[np.float64]) -> Material:
    """Make a material with a mark where a depth [H, W], in texels from the mark's edge, is positive."""
    # On a fine grid, since sines and roots differ in their last bit between processors.
    share = np.rint(np.clip(depth_px + 0.5, 0, 1) * 64)[..., None] / 64
    pixels = np.rint(color + share * (mark.astype(np.float64) - color)).astype(np.uint8)
    plain = make_plain_material(color)
    return Material("printed", plain.base_color, texture=Texture(pixels, wrap=("clamp", "clamp")))
