"""Encoding and decoding of a data set's JPEGs."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import limits
from turntable.errors import IntegrityError

JpegSubsampling = Literal["420", "444"]
"""Resolution of the color channels: "420" has one value for 2 x 2 pixels, "444" one for each pixel."""


def decode_jpeg(
    data: bytes, out: NDArray[np.uint8] | None = None, *, size_px: int | None = None
) -> NDArray[np.uint8]:
    """Decode a JPEG strictly: a damaged file raises an error and never gives a partly gray image.

    The size is read from the header before memory is reserved, since a file of a few bytes can claim
    gigabytes.

    Args:
        data: Bytes of a whole JPEG.
        out: Contiguous array [H, W, 3] to decode into; None: a new array.
        size_px: Required height and width; None: any size up to 4096 x 4096 pixels in all.

    Returns:
        uint8 [H, W, 3] RGB as the file has it. In a data set whose channel order is "bgr", red and blue stay
        exchanged.

    Raises:
        IntegrityError: The file is damaged or does not have the required size.
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
    if height * width > limits.MAX_SIZE_PX**2:
        raise IntegrityError(
            f"a JPEG is {width} x {height}, and at most {limits.MAX_SIZE_PX}² pixels are read"
        )


def encode_jpeg(image: NDArray[np.uint8], quality: int = 95, subsampling: JpegSubsampling = "420") -> bytes:
    """Encode an image as data sets do: with one version of the library, equal pixels give equal bytes.

    Args:
        image: uint8 [H, W, 3], contiguous, in the channel order that the file shall have.
        quality: JPEG quality, 1 to 100.
        subsampling: Resolution of the color channels.
    """
    import simplejpeg

    return simplejpeg.encode_jpeg(image, quality=quality, colorspace="RGB", colorsubsampling=subsampling)
