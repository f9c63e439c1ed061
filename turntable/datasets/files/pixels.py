"""Decoding the JPEGs of a data set."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import limits
from turntable.errors import IntegrityError

JpegSubsampling = Literal["420", "444"]
"""Resolution of the color channels: one value for 2 x 2 pixels, or one for each."""


def decode_jpeg(
    data: bytes, out: NDArray[np.uint8] | None = None, *, size_px: int | None = None
) -> NDArray[np.uint8]:
    """Decode strictly: a damaged file is an error, never a partly grey image.

    How large the image is, is read before memory is taken for it: a file of a few bytes can claim gigabytes.

    Args:
        data: a whole JPEG.
        out: [H, W, 3] contiguous, to decode into; a new array without it.
        size_px: height and width that the image must have; None: any, up to 4096 x 4096 pixels in all.

    Returns:
        uint8 [H, W, 3] RGB, as the file has it: where a data set's channel order is "bgr", red and blue stay
        exchanged.

    Raises:
        IntegrityError: the file is damaged, or not of the size that is wanted.
    """
    import simplejpeg

    try:
        if out is None:
            height, width = (int(side) for side in simplejpeg.decode_jpeg_header(data)[:2])
            _check_size(height, width, size_px)
        image = simplejpeg.decode_jpeg(data, buffer=out, strict=True)
    except ValueError as error:
        raise IntegrityError(f"a JPEG does not decode: {error}") from None
    if out is not None and image.shape != out.shape:
        raise IntegrityError(
            f"a JPEG is {image.shape[1]} x {image.shape[0]}, not {out.shape[1]} x {out.shape[0]}"
        )
    return image


def _check_size(height: int, width: int, size_px: int | None) -> None:
    if size_px is not None and (height, width) != (size_px, size_px):
        raise IntegrityError(f"a JPEG is {width} x {height}, not {size_px} x {size_px}")
    if height * width > limits.MOST_SIZE_PX**2:
        raise IntegrityError(
            f"a JPEG is {width} x {height}, and at most {limits.MOST_SIZE_PX}² pixels are read"
        )


def encode_jpeg(image: NDArray[np.uint8], quality: int = 95, subsampling: JpegSubsampling = "420") -> bytes:
    """Encode as data sets are: the same pixels always give the same bytes (of one library version).

    Args:
        image: uint8 [H, W, 3], contiguous, in the order of channels the file is to have.
        quality: 1 to 100.
        subsampling: of the colour channels.
    """
    import simplejpeg

    return simplejpeg.encode_jpeg(image, quality=quality, colorspace="RGB", colorsubsampling=subsampling)
