"""Textures sampled where rays hit the mesh: continued, interpolated, at the resolution of the samples."""

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes import Texture, Wrap
from turntable.renderer.meshes.formats import srgb_to_linear

FloatArray = NDArray[np.float32]


LINEAR_FROM_SRGB: FloatArray = srgb_to_linear(np.arange(256) / 255).astype(np.float32)
"""[256] linear light of each 8-bit sRGB value."""


class TexturePyramid:
    """A texture and its versions of half, a quarter and so on of its size, made when they are first used."""

    def __init__(self, texture: Texture) -> None:
        self._levels = [texture.pixels]
        self._wrap, self._is_blocky = texture.wrap, texture.magnified == "nearest"
        self.size = max(texture.pixels.shape[:2])
        """Number of texels along the longer side."""

    def sample_alpha(self, texcoords: FloatArray) -> FloatArray:
        """Return the opacity [N] at texture coordinates [N, 2], at full resolution."""
        if self._levels[0].shape[2] == 3:
            return np.ones(len(texcoords), dtype=np.float32)
        return self._sample_texels(texcoords)[:, 3]

    def sample_color(self, texcoords: FloatArray, width: NDArray[np.floating]) -> FloatArray:
        """Return linear colors [N, 3] at texture coordinates [N, 2].

        Args:
            texcoords: Texture coordinates [N, 2].
            width: Widths [N] of the samples in texels, which choose the level of the pyramid.
        """
        levels = np.log2(np.maximum(width, 1)).round().astype(np.intp)
        colors = np.empty((len(texcoords), 3), dtype=np.float32)
        for level in np.unique(levels):
            rows = levels == level
            pixels = self._get_level(int(level))
            colors[rows] = _interpolate_bilinear(pixels, texcoords[rows], self._wrap)[:, :3]
        if self._is_blocky:
            # Only where a texel is larger than a sample are texels not averaged.
            near = width < 1
            colors[near] = self._sample_texels(texcoords[near])[:, :3]
        return colors

    def _sample_texels(self, texcoords: FloatArray) -> FloatArray:
        """Return linear light, with alpha unchanged, [N, 3 or 4] at full resolution."""
        if self._is_blocky:
            return _pick_nearest(self._levels[0], texcoords, self._wrap)
        return _interpolate_bilinear(self._levels[0], texcoords, self._wrap)

    def _get_level(self, level: int) -> NDArray[np.uint8]:
        while len(self._levels) <= level and min(self._levels[-1].shape[:2]) > 1:
            self._levels.append(_halve(self._levels[-1]))
        return self._levels[min(level, len(self._levels) - 1)]


def _interpolate_bilinear(
    pixels: NDArray[np.uint8], texcoords: FloatArray, wrap: tuple[Wrap, Wrap]
) -> FloatArray:
    """Return linear light, with alpha unchanged, [N, 3 or 4] at texture coordinates [N, 2]."""
    height, width, channels = pixels.shape
    # Coordinates are wrapped before scaling, which keeps the precision of large ones. v goes up and rows go
    # down.
    x = _wrap_coordinates(texcoords[:, 0], wrap[0]) * width - 0.5
    y = (1.0 - _wrap_coordinates(texcoords[:, 1], wrap[1])) * height - 0.5
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right_share, lower_share = (x - left).astype(np.float32), (y - top).astype(np.float32)
    value = np.zeros((len(texcoords), channels), dtype=np.float32)
    for down, row_weight in ((0, 1 - lower_share), (1, lower_share)):
        for across, column_weight in ((0, 1 - right_share), (1, right_share)):
            texels = pixels[
                _wrap_texels(top + down, height, wrap[1]), _wrap_texels(left + across, width, wrap[0])
            ]
            value += (row_weight * column_weight)[:, None] * _decode_texels(texels)
    return value


def _pick_nearest(pixels: NDArray[np.uint8], texcoords: FloatArray, wrap: tuple[Wrap, Wrap]) -> FloatArray:
    """Return the linear light of the texels [N, 3 or 4] in which texture coordinates [N, 2] lie."""
    height, width, _ = pixels.shape
    x = np.floor(_wrap_coordinates(texcoords[:, 0], wrap[0]) * width).astype(np.intp)
    # From below, so that a coordinate between two rows belongs to the upper one, as on devices.
    row = np.floor(_wrap_coordinates(texcoords[:, 1], wrap[1]) * height).astype(np.intp)
    return _decode_texels(pixels[height - 1 - np.minimum(row, height - 1), np.minimum(x, width - 1)])


def _wrap_coordinates(values: FloatArray, wrap: Wrap) -> FloatArray:
    """Return the places [N] in an image, from 0 to 1, of texture coordinates [N] along one axis."""
    if wrap == "clamp":
        return np.clip(values, 0, 1)
    if wrap == "mirror":
        return 1 - np.abs(values % 2.0 - 1)
    return values % 1.0


def _wrap_texels(indices: NDArray[np.intp], count: int, wrap: Wrap) -> NDArray[np.intp]:
    """Return indices [N] of texels for those up to one beyond the image, which has ``count`` of them."""
    # Beside a mirrored image's edge lies the mirror image of the edge itself, as if it were clamped.
    return indices % count if wrap == "repeat" else np.clip(indices, 0, count - 1)


def _decode_texels(texels: NDArray[np.uint8]) -> FloatArray:
    values = LINEAR_FROM_SRGB[texels]
    if texels.shape[-1] == 4:
        values[..., 3] = texels[..., 3] / np.float32(255)
    return values


def _halve(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average every two by two texels to one, in linear light."""
    height, width = (n // 2 * 2 for n in pixels.shape[:2])
    corners = [pixels[row:height:2, column:width:2] for row in (0, 1) for column in (0, 1)]
    mean = np.mean([_decode_texels(corner) for corner in corners], axis=0)
    # The nearest sRGB value of a mean: its index among the midpoints between the values' linear light.
    halved = np.searchsorted((LINEAR_FROM_SRGB[1:] + LINEAR_FROM_SRGB[:-1]) / 2, mean).astype(np.uint8)
    if pixels.shape[2] == 4:
        halved[..., 3] = np.rint(mean[..., 3] * 255)
    return halved
