"""Pixels of an opened image as 8-bit sRGB, whatever it stores: levels of 16 or 32 bits, or numbers."""

from typing import Literal

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from turntable.renderer.meshes.formats.colors import linear_to_srgb

Mode = Literal["RGB", "RGBA"]
"""Channels of a decoded image."""

STRIP_PIXELS = 2**22
"""Number of pixels converted at once."""

_WHITE_IS_ZERO = 0
"""Photometric interpretation of a TIFF whose smallest number is white."""
_PHOTOMETRIC, _BITS, _SAMPLE_FORMAT = 262, 258, 339
"""Tags of a TIFF: its interpretation, and the bits and type of its numbers."""
_SIGNED = 2
"""Sample format of signed integers in a TIFF."""


def decode_pixels(image: Image.Image, data: bytes, mode: Mode) -> tuple[NDArray[np.uint8], bool]:
    """Decode an opened image.

    Args:
        image: Image opened by Pillow; no pixel is decoded yet.
        data: Bytes the image was opened from.
        mode: Channels to decode.

    Returns:
        Pixels [H, W, channels], and True if the image is cut off and the rest was filled by the decoder.
    """
    is_cut = False
    if image.format == "JPEG" and image.mode in ("RGB", "L"):
        try:  # the same decoder as Pillow's (libjpeg-turbo), in half the time
            return add_alpha(simplejpeg.decode_jpeg(data, "RGB", strict=True), mode), False
        except ValueError as error:
            # Pillow says nothing where the file has its end but not all of its data.
            is_cut = "premature end" in str(error).lower()
    pixels = np.empty((image.height, image.width, len(mode)), dtype=np.uint8)
    rows = max(STRIP_PIXELS // max(image.width, 1), 1)
    for top in range(0, image.height, rows):  # in strips, because Pillow copies what it converts three times
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        pixels[top : top + rows] = _convert(strip, image, mode)
    return pixels, is_cut


def to_levels(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Convert sRGB values, 1 for white, to levels of 8 bits. NaN becomes black."""
    return (np.nan_to_num(values, nan=0, posinf=1, neginf=0).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def add_alpha(pixels: NDArray[np.uint8], mode: Mode) -> NDArray[np.uint8]:
    """Return RGB pixels [H, W, 3] with the channels of a mode: as they are, or with a full alpha."""
    if mode == "RGB":
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, dtype=np.uint8)])


def _convert(strip: Image.Image, image: Image.Image, mode: Mode) -> NDArray[np.uint8]:
    """Convert a part of an image to the channels of a mode."""
    if strip.mode == mode:
        return np.asarray(strip)
    if strip.mode.startswith("I") or strip.mode == "F":
        levels = _convert_numbers(np.asarray(strip), image)
        return add_alpha(np.repeat(levels[..., None], 3, axis=2), mode)
    return np.asarray(strip.convert(mode))


def _convert_numbers(values: NDArray[np.generic], image: Image.Image) -> NDArray[np.uint8]:
    """Convert the gray values of an image of more than 8 bits to levels of 8 bits."""
    tags = getattr(image, "tag_v2", {}) if image.format == "TIFF" else {}
    if image.mode == "F":
        numbers = values.astype(np.float64)
        # Blender takes the numbers of a TIFF as sRGB. Other formats of numbers hold linear light.
        scaled = numbers if image.format == "TIFF" else linear_to_srgb(np.nan_to_num(numbers).clip(0, 1))
    else:
        scaled = _scale_integers(values, tags)
    return to_levels(1 - scaled if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else scaled)


def _scale_integers(values: NDArray[np.generic], tags: "dict[int, object]") -> NDArray[np.float64]:
    """Scale integers to 1 for white, by the bits that the file states; 16 if it states none."""
    bits, kind = (_get_first(tags.get(tag), default) for tag, default in ((_BITS, 16), (_SAMPLE_FORMAT, 1)))
    if kind == _SIGNED:
        return values.astype(np.float64) / (2.0 ** (bits - 1) - 1)
    if bits == 32:
        values = values.astype(np.int32).view(np.uint32)  # Pillow has no unsigned integers of 32 bits
    return values.astype(np.float64) / (2.0**bits - 1)


def _get_first(value: object, default: int) -> int:
    """Return the first number of a tag."""
    if isinstance(value, tuple) and value and isinstance(value[0], int):
        return value[0]
    return value if isinstance(value, int) else default
