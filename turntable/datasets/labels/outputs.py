"""The outputs of a view besides its picture: names, meanings, and encodings with little loss."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from turntable.errors import IntegrityError

OutputName = Literal["rgb", "mask", "depth", "normals", "coordinates", "parts"]

OUTPUTS: tuple[OutputName, ...] = get_args(OutputName)
"""The names of the outputs, in the order in which a shard stores them."""

DEPTH_STEPS = 8192
"""Steps of the depth image in one world unit: 8 units fit, within which any object of a recipe lies."""
COORDINATE_STEPS = 32767.5
"""Steps of the coordinate image in one world unit, starting at -1."""
_PNG_COMPRESSION = 3
"""Level of PNG's compression. On these images it is within a few per cent of the default, in half the
time."""


@dataclass(frozen=True, slots=True)
class ExtraOutput:
    """An output that is stored beside the picture, as a PNG."""

    meaning: str
    """The text of the manifest: unit, frame and encoding. It must not change."""
    channels: int | None
    """Number of channels of the decoded array [S, S, channels]; None if it is [S, S]."""
    encode: Callable[[NDArray[Any]], NDArray[Any]]
    """Function from the rendered array of one view to an image that PNG stores without loss."""
    decode: Callable[[NDArray[Any]], NDArray[Any]]
    """Function from the stored image back to the array."""


def _to_planes(coordinates: NDArray[np.float32]) -> NDArray[np.uint16]:
    steps = np.round((np.clip(coordinates.astype(np.float64), -1, 1) + 1) * COORDINATE_STEPS)
    return np.concatenate(list(np.moveaxis(steps.astype(np.uint16), -1, 0)))


def _from_planes(planes: NDArray[np.uint16]) -> NDArray[np.float32]:
    steps = np.stack(np.split(planes, 3), axis=-1).astype(np.float64)
    return (steps / COORDINATE_STEPS - 1).astype(np.float32)


# Meanings are stored in manifests, so their wording must not change.
EXTRA_OUTPUTS: dict[str, ExtraOutput] = {
    "mask": ExtraOutput(
        "KEY.VIEW.mask.png, 8-bit grey: 255 where the ray through the pixel's centre meets the object "
        "(alpha of 0.5 and more), else 0",
        None,
        lambda drawn: drawn,
        lambda image: image,
    ),
    "depth": ExtraOutput(
        f"KEY.VIEW.depth.png, 16-bit grey: depth along the camera's forward axis in world units times "
        f"{DEPTH_STEPS}; of the object where the mask is, of the floor elsewhere; "
        "what is farther, and the sky, has 65535",
        None,
        lambda drawn: np.round(np.clip(drawn, 0, 65535 / DEPTH_STEPS) * DEPTH_STEPS).astype(np.uint16),
        lambda image: (image / DEPTH_STEPS).astype(np.float32),
    ),
    "normals": ExtraOutput(
        "KEY.VIEW.normals.png, 8-bit RGB: (n + 1) * 127.5 of the unit shading normal x, y, z in the world's "
        "frame, turned to the camera; +z on the floor; 0, 0, 0 beyond the horizon",
        3,
        lambda drawn: np.round((np.clip(drawn, -1, 1) + 1) * 127.5).astype(np.uint8),
        lambda image: (image / 127.5 - 1).astype(np.float32),
    ),
    "coordinates": ExtraOutput(
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


def encode_output(name: str, drawn: NDArray[Any]) -> bytes:
    """Encode one view's output as a PNG file. One library version gives the same bytes for the same array.

    Args:
        name: Name of the output, not "rgb".
        drawn: Rendered array, [S, S] or [S, S, 3], as backends return it.
    """
    from PIL import Image

    buffer = io.BytesIO()
    image = np.ascontiguousarray(EXTRA_OUTPUTS[name].encode(drawn))
    Image.fromarray(image).save(buffer, format="PNG", compress_level=_PNG_COMPRESSION)
    return buffer.getvalue()


def decode_output(name: str, data: bytes, image_size_px: int) -> NDArray[Any]:
    """Decode the file of one view's output, exact to within the steps of its encoding.

    Args:
        name: Name of the output, not "rgb".
        data: Bytes of the file.
        image_size_px: Size S of the image.

    Returns:
        mask uint8 [S, S], depth float32 [S, S], normals and coordinates float32 [S, S, 3].

    Raises:
        IntegrityError: The file is damaged, or an image of another type or size.
    """
    from PIL import Image

    extra = EXTRA_OUTPUTS[name]
    like = extra.encode(np.zeros((1, 1, extra.channels) if extra.channels else (1, 1), np.float32))
    side = (image_size_px * like.shape[0], image_size_px * like.shape[1], *like.shape[2:])
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as file:
            size = file.size
            # Decoded only if the header states the expected size: a few bytes can claim gigabytes of pixels.
            image = np.asarray(file) if size == (side[1], side[0]) else None
    except Exception as error:  # Pillow raises many types of errors for damaged files
        raise IntegrityError(f"its {name} cannot be decoded: {error}") from None
    if image is None:
        raise IntegrityError(f"its {name} is {size[0]} x {size[1]}, not {side[1]} x {side[0]}")
    if image.shape != side or (image.dtype.itemsize == 1) != (name in ("mask", "normals")):
        raise IntegrityError(f"its {name} is an image {image.shape} of {image.dtype}, not {side}")
    return extra.decode(image.astype(np.uint8 if name in ("mask", "normals") else np.uint16))


def to_channels_first(name: str, image: NDArray[Any]) -> NDArray[Any]:
    """Convert a decoded output to [channels, S, S], as loaders return it; a mask's values are 0 and 1."""
    first = image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)
    return first // 255 if name == "mask" else first
