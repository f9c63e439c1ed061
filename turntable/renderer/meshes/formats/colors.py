"""Conversion between sRGB and linear light, and colors of vertices and their materials."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.mesh import Material

MATTE = Material(specular=0.0, roughness=1.0)
"""Material of textures and colors in formats without materials: a color alone says nothing of gloss."""
MATTE_WHITE = Material(base_color=(1.0, 1.0, 1.0), specular=0.0, roughness=1.0)
"""The same for meshes with colors of their vertices, which it leaves as they are."""


def srgb_to_linear(encoded: NDArray[np.floating]) -> NDArray[np.floating]:
    """Convert sRGB values in [0, 1] to linear light (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(light: NDArray[np.floating]) -> NDArray[np.floating]:
    """Convert linear light in [0, 1] to sRGB values (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055)


def make_encoded_colors(encoded: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert sRGB colors of vertices to those of a mesh with encoded colors.

    Args:
        encoded: [N, 3] sRGB values in [0, 1], or [N, 4] with opacities; clipped to that range.

    Returns:
        [N, 4] sRGB values and opacities.
    """
    colors = np.ones((len(encoded), 4), dtype=np.float32)
    colors[:, : encoded.shape[1]] = np.clip(encoded, 0, 1)
    return colors


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


def to_unit_range(values: NDArray[np.number], number_type: str) -> NDArray[np.float64]:
    """Scale channels of colors to [0, 1], by the type that a file gives them.

    Bytes run to 255, and other integers to the largest of their type, unless none is above 255 (or 65535 for
    integers of four bytes and more). Other numbers run to 1, or to 255 if one is clearly above 1. NaN is 1.

    Args:
        values: Channels, of any shape.
        number_type: Type of the numbers in the file as numpy writes it: "u1", "i4", "f4".
    """
    channels = np.asarray(values, dtype=np.float64)
    top = float(np.nanmax(channels, initial=0.0, where=np.isfinite(channels)))
    if number_type in ("u1", "i1"):
        channels, largest = np.where(channels < 0, channels + 256, channels), 255.0
    elif number_type.startswith("f"):
        # A little above 1 is an error of rounding.
        largest = 1.0 if top <= 1.01 else 255.0
    else:
        candidates = (255, 65535) if number_type[1:] in ("4", "8") else (255,)
        largest = float(next((at for at in candidates if top <= at), np.iinfo(number_type).max))
    return np.clip(np.nan_to_num(channels / largest, nan=1.0), 0, 1)
