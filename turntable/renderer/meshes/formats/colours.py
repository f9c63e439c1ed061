"""Colours between the encoding of images (sRGB) and light, and of vertices as materials."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Material

STEPS = 15
"""Vertex colours become materials, one a triangle; so many steps a channel keep their number bounded."""


def linear(encoded: NDArray[np.floating]) -> NDArray[np.floating]:
    """Light of sRGB values in [0, 1]."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encoded(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """SRGB values of light in [0, 1]."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def face_materials(colours: NDArray[np.floating]) -> tuple[tuple[Material, ...], NDArray[np.int32]]:
    """Materials for the sRGB colours [T, 3] of faces, and the one of each face."""
    steps = np.round(np.clip(np.nan_to_num(colours), 0, 1) * STEPS).astype(np.int64)
    unique, index = np.unique(steps, axis=0, return_inverse=True)
    materials = tuple(
        Material(base_color=(float(r), float(g), float(b))) for r, g, b in linear(unique / STEPS)
    )
    return materials, index.reshape(-1).astype(np.int32)


def tinted(pixels: NDArray[np.uint8], factor: NDArray[np.float64]) -> NDArray[np.uint8]:
    """An image times a linear colour [3]."""
    # A table of 256 values a channel, instead of a power for each pixel.
    table = np.round(255 * np.clip(encoded(linear(np.arange(256) / 255)[:, None] * factor), 0, 1)).astype(
        np.uint8
    )
    changed = pixels.copy()
    for channel in range(3):
        changed[..., channel] = table[pixels[..., channel], channel]
    return changed
