"""Conversion between sRGB and linear light, and colors of faces as materials."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Material

COLOR_STEPS = 15
"""Steps of a channel to which face colors are rounded.

Each distinct color becomes a material; rounding keeps their number bounded.
"""


def srgb_to_linear(encoded: NDArray[np.floating]) -> NDArray[np.floating]:
    """Convert sRGB values in [0, 1] to linear light (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Convert linear light in [0, 1] to sRGB values (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def make_vertex_colors(encoded: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert sRGB colors of vertices to those of a mesh.

    Args:
        encoded: [N, 3] sRGB values in [0, 1], or [N, 4] with opacities, which stay; clipped to that range.

    Returns:
        [N, 4] linear colors and opacities.
    """
    clipped = np.clip(np.asarray(encoded, dtype=np.float64), 0, 1)
    colors = np.ones((len(clipped), 4), dtype=np.float32)
    colors[:, :3] = srgb_to_linear(clipped[:, :3])
    colors[:, 3:] = clipped[:, 3:]
    return colors


def colors_to_materials(colors: NDArray[np.floating]) -> tuple[tuple[Material, ...], NDArray[np.int32]]:
    """Convert the colors of faces to materials.

    Args:
        colors: [T, 3] sRGB colors, one for each face.

    Returns:
        The materials, and the index of each face's material [T].
    """
    steps = np.round(np.clip(np.nan_to_num(colors), 0, 1) * COLOR_STEPS).astype(np.int64)
    unique, index = np.unique(steps, axis=0, return_inverse=True)
    materials = tuple(
        Material(base_color=(float(r), float(g), float(b)))
        for r, g, b in srgb_to_linear(unique / COLOR_STEPS)
    )
    return materials, index.reshape(-1).astype(np.int32)


def tint_pixels(pixels: NDArray[np.uint8], factor: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Multiply an image by a linear color.

    Args:
        pixels: [H, W, 3] sRGB, or [H, W, 4] with alpha, which stays.
        factor: [3] linear color.

    Returns:
        The tinted image, of the same shape.
    """
    # Only 256 values are possible in a channel, so a table replaces two powers for each pixel.
    table = np.round(
        255 * np.clip(linear_to_srgb(srgb_to_linear(np.arange(256) / 255)[:, None] * factor), 0, 1)
    ).astype(np.uint8)
    tinted = pixels.copy()
    for channel in range(3):
        tinted[..., channel] = table[pixels[..., channel], channel]
    return tinted
