"""Textures read where rays meet the mesh: repeated, interpolated, as coarse as a sample is wide."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes import Texture

FloatArray = NDArray[np.float32]


def _linear_from_srgb() -> FloatArray:
    encoded = np.arange(256) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


LINEAR = _linear_from_srgb()
"""[256]: linear light of an 8-bit sRGB value."""


class Pyramid:
    """A texture and its halvings, made when first asked for."""

    def __init__(self, texture: Texture) -> None:
        self._levels = [texture.pixels]
        self.size = max(texture.pixels.shape[:2])
        """Texels along the longer side."""

    def alpha(self, texcoords: FloatArray) -> FloatArray:
        """Opacity [N] at [N, 2], of the texture itself."""
        if self._levels[0].shape[2] == 3:
            return np.ones(len(texcoords), dtype=np.float32)
        return _bilinear(self._levels[0], texcoords)[:, 3]

    def color(self, texcoords: FloatArray, width: NDArray[np.floating]) -> FloatArray:
        """Linear colour [N, 3] at [N, 2], a mean over squares of so many texels [N] along a side."""
        wanted = np.log2(np.maximum(width, 1)).round().astype(np.intp)
        colors = np.empty((len(texcoords), 3), dtype=np.float32)
        for level in np.unique(wanted):
            here = wanted == level
            colors[here] = _bilinear(self._level(int(level)), texcoords[here])[:, :3]
        return colors

    def _level(self, level: int) -> NDArray[np.uint8]:
        while len(self._levels) <= level and min(self._levels[-1].shape[:2]) > 1:
            self._levels.append(_halved(self._levels[-1]))
        return self._levels[min(level, len(self._levels) - 1)]


def _bilinear(pixels: NDArray[np.uint8], texcoords: FloatArray) -> FloatArray:
    """Linear light, and alpha as it is, [N, 3 or 4]."""
    height, width, channels = pixels.shape
    # Whole turns first: what is left has a place's full precision. v goes up, rows go down.
    x = (texcoords[:, 0] % 1.0) * width - 0.5
    y = (1.0 - texcoords[:, 1] % 1.0) * height - 0.5
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right_share, lower_share = (x - left).astype(np.float32), (y - top).astype(np.float32)
    value = np.zeros((len(texcoords), channels), dtype=np.float32)
    for down, row_weight in ((0, 1 - lower_share), (1, lower_share)):
        for across, column_weight in ((0, 1 - right_share), (1, right_share)):
            texels = pixels[(top + down) % height, (left + across) % width]
            value += (row_weight * column_weight)[:, None] * _decoded(texels)
    return value


def _decoded(texels: NDArray[np.uint8]) -> FloatArray:
    values = LINEAR[texels]
    if texels.shape[-1] == 4:
        values[..., 3] = texels[..., 3] / np.float32(255)
    return values


def _halved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every two by two texels as one, averaged in linear light."""
    height, width = (n // 2 * 2 for n in pixels.shape[:2])
    corners = [pixels[row:height:2, column:width:2] for row in (0, 1) for column in (0, 1)]
    mean = np.mean([_decoded(corner) for corner in corners], axis=0)
    halved = np.searchsorted((LINEAR[1:] + LINEAR[:-1]) / 2, mean).astype(np.uint8)
    if pixels.shape[2] == 4:
        halved[..., 3] = np.rint(mean[..., 3] * 255)
    return halved
