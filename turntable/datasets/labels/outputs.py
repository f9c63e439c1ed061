"""What can be kept of a view besides its picture: names, meanings, and encodings that lose little."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from turntable.errors import IntegrityError

OutputName = Literal["rgb", "mask", "depth", "normals", "coordinates"]

OUTPUTS: tuple[OutputName, ...] = get_args(OutputName)
"""In the order in which a shard holds them."""

DEPTH_STEPS = 8192
"""Steps of the depth image in one world unit: 8 units, in which any object of a recipe lies."""
COORDINATE_STEPS = 32767.5
"""Steps of the coordinates' image in one world unit, from -1 on."""
_COMPRESSION = 3
"""Of PNG: as small as the library's default on these images to a few per cent, in half the time."""


@dataclass(frozen=True, slots=True)
class Extra:
    """An output that is stored beside the picture, as a PNG."""

    meaning: str
    """What the manifest says: unit, frame and encoding."""
    channels: int | None
    """Of the decoded array [S, S, channels]; None: [S, S]."""
    encode: Callable[[NDArray[Any]], NDArray[Any]]
    """From what was drawn of one view to an image that PNG holds without loss."""
    decode: Callable[[NDArray[Any]], NDArray[Any]]


def _to_planes(coordinates: NDArray[np.float32]) -> NDArray[np.uint16]:
    steps = np.round((np.clip(coordinates.astype(np.float64), -1, 1) + 1) * COORDINATE_STEPS)
    return np.concatenate(list(np.moveaxis(steps.astype(np.uint16), -1, 0)))


def _from_planes(planes: NDArray[np.uint16]) -> NDArray[np.float32]:
    steps = np.stack(np.split(planes, 3), axis=-1).astype(np.float64)
    return (steps / COORDINATE_STEPS - 1).astype(np.float32)


EXTRAS: dict[str, Extra] = {
    "mask": Extra(
        "KEY.VIEW.mask.png, 8-bit grey: 255 where the ray through the pixel's centre meets the object "
        "(alpha of 0.5 and more), else 0",
        None,
        lambda drawn: drawn,
        lambda image: image,
    ),
    "depth": Extra(
        f"KEY.VIEW.depth.png, 16-bit grey: depth along the camera's forward axis in world units times "
        f"{DEPTH_STEPS}; of the object where the mask is, of the floor elsewhere; "
        "what is farther, and the sky, has 65535",
        None,
        lambda drawn: np.round(np.clip(drawn, 0, 65535 / DEPTH_STEPS) * DEPTH_STEPS).astype(np.uint16),
        lambda image: (image / DEPTH_STEPS).astype(np.float32),
    ),
    "normals": Extra(
        "KEY.VIEW.normals.png, 8-bit RGB: (n + 1) * 127.5 of the unit shading normal x, y, z in the world's "
        "frame, turned to the camera; +z on the floor; 0, 0, 0 beyond the horizon",
        3,
        lambda drawn: np.round((np.clip(drawn, -1, 1) + 1) * 127.5).astype(np.uint8),
        lambda image: (image / 127.5 - 1).astype(np.float32),
    ),
    "coordinates": Extra(
        "KEY.VIEW.coordinates.png, 16-bit grey, three times as high as wide: x, y and z one above the other, "
        f"each (c + 1) * {COORDINATE_STEPS} of the seen point in the object's own frame, its bounding box "
        "centred, in world units; beyond -1..1 clipped; as of (0, 0, 0) off the object, which the mask tells",
        3,
        _to_planes,
        _from_planes,
    ),
}

POINTS_MEANING = (
    "KEY.points.npy, float32 [points, 6]: points spread evenly over the object's surface, in its own frame "
    "with the bounding box centred, and unit shading normals there"
)


def encode_extra(name: str, drawn: NDArray[Any]) -> bytes:
    """The file of one view's output; the same array always gives the same bytes (of one library version).

    Args:
        name: of the output, not "rgb".
        drawn: [S, S] or [S, S, 3] as backends give it.
    """
    from PIL import Image

    buffer = io.BytesIO()
    image = np.ascontiguousarray(EXTRAS[name].encode(drawn))
    Image.fromarray(image).save(buffer, format="PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()


def decode_extra(name: str, data: bytes, image_size_px: int) -> NDArray[Any]:
    """What ``encode_extra`` was given, to within its steps.

    Args:
        name: of the output, not "rgb".
        data: the file.
        image_size_px: S.

    Returns:
        mask uint8 [S, S], depth float32 [S, S], normals and coordinates float32 [S, S, 3].

    Raises:
        IntegrityError: the file is damaged, or an image of another kind or size.
    """
    from PIL import Image

    extra = EXTRAS[name]
    like = extra.encode(np.zeros((1, 1, extra.channels) if extra.channels else (1, 1), np.float32))
    side = (image_size_px * like.shape[0], image_size_px * like.shape[1], *like.shape[2:])
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as file:
            size = file.size
            # Its pixels are decoded only if there are as many as expected: few bytes can claim gigabytes.
            image = np.asarray(file) if size == (side[1], side[0]) else None
    except Exception as error:  # what Pillow raises for broken files is of many kinds
        raise IntegrityError(f"its {name} cannot be decoded: {error}") from None
    if image is None:
        raise IntegrityError(f"its {name} is {size[0]} x {size[1]}, not {side[1]} x {side[0]}")
    if image.shape != side or (image.dtype.itemsize == 1) != (name in ("mask", "normals")):
        raise IntegrityError(f"its {name} is an image {image.shape} of {image.dtype}, not {side}")
    return extra.decode(image.astype(np.uint8 if name in ("mask", "normals") else np.uint16))


def channels_first(name: str, image: NDArray[Any]) -> NDArray[Any]:
    """What ``decode_extra`` gives as loaders give it: [channels, S, S], a mask's values 0 and 1."""
    first = image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)
    return first // 255 if name == "mask" else first
