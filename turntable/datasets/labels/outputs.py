"""The outputs of a view besides its picture: names, meanings, and encodings with little loss."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from turntable.errors import IntegrityError

OutputName = Literal["rgb", "mask", "depth", "normals", "coordinates", "parts", "flow", "scan"]

OUTPUTS: tuple[OutputName, ...] = get_args(OutputName)
"""The names of the outputs, in the order in which a shard stores them."""

DEPTH_STEPS = 8192
"""Steps of the depth image in one world unit: 8 units fit, within which any object of a recipe lies."""
COORDINATE_STEPS = 32767.5
"""Steps of the coordinate image in one world unit, starting at -1."""
NO_PART = 255
"""Value of the output ``parts`` where no part is seen."""
FLOW_STEPS = 64
"""Steps of the flow image in one pixel."""
MAX_FLOW_PX = 511
"""Largest motion along each axis that the flow image holds."""
_FLOW_ZERO = 2**15
"""Step of the flow image that stands for no motion."""
NO_FLOW = 0
"""State of a pixel without flow."""
FLOW_SEEN = 1
"""State of a pixel's flow to a point that the next view shows."""
FLOW_HIDDEN = 2
"""State of a pixel's flow to a point that the next view does not show."""
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
    stored: type[np.uint8 | np.uint16]
    """Type of the stored image."""
    encode: Callable[[NDArray[Any]], NDArray[Any]]
    """Function from the rendered array of one view to an image that PNG stores without loss."""
    decode: Callable[[NDArray[Any]], NDArray[Any]]
    """Function from the stored image back to the array. Raises ValueError for values that nothing writes."""


def _to_planes(coordinates: NDArray[np.float32]) -> NDArray[np.uint16]:
    steps = np.round((np.clip(coordinates.astype(np.float64), -1, 1) + 1) * COORDINATE_STEPS)
    return _stack_channels(steps)


def _from_planes(planes: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (_split_planes(planes) / COORDINATE_STEPS - 1).astype(np.float32)


def _flow_to_planes(flow: NDArray[np.float32]) -> NDArray[np.uint16]:
    steps = flow.astype(np.float64)
    steps[..., :2] = np.round(np.clip(steps[..., :2], -MAX_FLOW_PX, MAX_FLOW_PX) * FLOW_STEPS) + _FLOW_ZERO
    return _stack_channels(steps)


def _flow_from_planes(planes: NDArray[np.uint16]) -> NDArray[np.float32]:
    flow = _split_planes(planes)
    flow[..., :2] = (flow[..., :2] - _FLOW_ZERO) / FLOW_STEPS
    if flow[..., 2].max() > FLOW_HIDDEN or np.abs(flow[..., :2]).max() > MAX_FLOW_PX:
        raise ValueError(f"it has states above {FLOW_HIDDEN}, or motions above {MAX_FLOW_PX} px")
    return flow.astype(np.float32)


def _stack_channels(steps: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return channels [S, S, 3] one above the other, [3 S, S]."""
    return np.concatenate(list(np.moveaxis(steps.astype(np.uint16), -1, 0)))


def _split_planes(planes: NDArray[np.uint16]) -> NDArray[np.float64]:
    return np.stack(np.split(planes, 3), axis=-1).astype(np.float64)


# Meanings are stored in manifests, so their wording must not change.
EXTRA_OUTPUTS: dict[str, ExtraOutput] = {
    "mask": ExtraOutput(
        "KEY.VIEW.mask.png, 8-bit grey: 255 where the ray through the pixel's centre meets the object "
        "(alpha of 0.5 and more), else 0",
        None,
        np.uint8,
        lambda drawn: drawn,
        lambda image: image,
    ),
    "depth": ExtraOutput(
        f"KEY.VIEW.depth.png, 16-bit grey: depth along the camera's forward axis in world units times "
        f"{DEPTH_STEPS}; of the object where the mask is, of the floor elsewhere; "
        "what is farther, and the sky, has 65535",
        None,
        np.uint16,
        lambda drawn: np.round(np.clip(drawn, 0, 65535 / DEPTH_STEPS) * DEPTH_STEPS).astype(np.uint16),
        lambda image: (image / DEPTH_STEPS).astype(np.float32),
    ),
    "normals": ExtraOutput(
        "KEY.VIEW.normals.png, 8-bit RGB: (n + 1) * 127.5 of the unit shading normal x, y, z in the world's "
        "frame, turned to the camera; +z on the floor; 0, 0, 0 beyond the horizon",
        3,
        np.uint8,
        lambda drawn: np.round((np.clip(drawn, -1, 1) + 1) * 127.5).astype(np.uint8),
        lambda image: (image / 127.5 - 1).astype(np.float32),
    ),
    "coordinates": ExtraOutput(
        "KEY.VIEW.coordinates.png, 16-bit grey, three times as high as wide: x, y and z one above the other, "
        f"each (c + 1) * {COORDINATE_STEPS} of the seen point in the object's own frame, its bounding box "
        "centred, in world units; beyond -1..1 clipped; as of (0, 0, 0) off the object, which the mask tells",
        3,
        np.uint16,
        _to_planes,
        _from_planes,
    ),
    "parts": ExtraOutput(
        "KEY.VIEW.parts.png, 8-bit gray: index of the object's part that the ray through the pixel's center "
        f"meets, 0 for an object of one piece; {NO_PART} where it meets none",
        None,
        np.uint8,
        lambda drawn: drawn,
        lambda image: image,
    ),
    "flow": ExtraOutput(
        "KEY.VIEW.flow.png, 16-bit gray, three times as high as wide: x, y and state one above the other; "
        f"x and y of the seen point's motion to the next view's picture, in pixels right and down, each as "
        f"{_FLOW_ZERO} + {FLOW_STEPS} px; state 0: no motion is known (last view of a sequence, sky, behind "
        f"the next camera, above {MAX_FLOW_PX} px), 1: seen in the next view, 2: hidden there, or outside of "
        "its picture",
        3,
        np.uint16,
        _flow_to_planes,
        _flow_from_planes,
    ),
}


@dataclass(frozen=True, slots=True)
class OutputField:
    """A field of batches, which is some channels of an output."""

    output: str
    dtype: str
    """Type as numpy names it."""
    start: int
    stop: int

    @property
    def num_channels(self) -> int:
        """Number of channels of the field, [channels, S, S]."""
        return self.stop - self.start


OUTPUT_FIELDS: dict[str, OutputField] = {
    "mask": OutputField("mask", "uint8", 0, 1),
    "depth": OutputField("depth", "float32", 0, 1),
    "normals": OutputField("normals", "float32", 0, 3),
    "coordinates": OutputField("coordinates", "float32", 0, 3),
    "parts": OutputField("parts", "uint8", 0, 1),
    "flow": OutputField("flow", "float32", 0, 2),
    "flow_state": OutputField("flow", "uint8", 2, 3),
}
"""The fields of batches that are made of outputs, by their names."""


def encode_output(name: str, drawn: NDArray[Any]) -> bytes:
    """Encode one view's output as a PNG file. One library version gives the same bytes for the same array.

    Args:
        name: Name of the output, not "rgb".
        drawn: Rendered array, [S, S] or [S, S, 3], in the form that ``decode_output`` returns.
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
        mask and parts uint8 [S, S], depth float32 [S, S], normals and coordinates float32 [S, S, 3], flow
        float32 [S, S, 3]: x and y in px, and the state.

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
    if image.shape != side or (image.dtype.itemsize == 1) != (extra.stored is np.uint8):
        raise IntegrityError(f"its {name} is an image {image.shape} of {image.dtype}, not {side}")
    try:
        return extra.decode(image.astype(extra.stored))
    except ValueError as error:
        raise IntegrityError(f"its {name} is not one: {error}") from None


def to_channels_first(field: str, image: NDArray[Any]) -> NDArray[Any]:
    """Convert a decoded output to a field [channels, S, S] of batches; a mask's values are 0 and 1.

    Args:
        field: Name of the field, one of ``OUTPUT_FIELDS``.
        image: Decoded output that the field is made of.
    """
    form = OUTPUT_FIELDS[field]
    first = image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)[form.start : form.stop]
    return first // 255 if field == "mask" else first.astype(form.dtype, copy=False)
