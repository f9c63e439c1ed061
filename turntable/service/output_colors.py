"""The outputs of a view as pictures in color.

Every scale is fixed, so that the same value has the same color in all views of all data sets.
"""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.describing import BACKGROUND, PART_COLORS
from turntable.datasets.labels import FLOW_HIDDEN, FLOW_SEEN

Colors = NDArray[np.uint8]
"""[S, S, 3] red, green and blue."""
DEPTH_RANGE = (1.5, 4.5)
"""Depths in diagonals between which the color of the output ``depth`` changes."""
FLOW_FULL_SHARE = 1 / 20
"""Length of flow, as a share of the picture's side, from which its color is fully saturated."""
_NO_MOTION = (128, 128, 128)
_HIDDEN_SHADE = 0.3
"""Factor of the colors of flow to points that the next view does not show."""
_SKY_DEPTH = 7.99
"""Depth in diagonals from which an image of depths only says that it is far."""
_DEPTH_COLORS = ((255, 246, 200), (250, 186, 84), (224, 93, 82), (142, 44, 116), (52, 20, 92))
"""Colors from near to far, each darker than the one before."""


def get_part_color(part: int) -> str:
    """Return the color of a part's index, 0 to 254, as CSS writes it: ``#rrggbb``."""
    return "#" + bytes(PART_COLORS[part].tolist()).hex()


def color_output(name: str, values: NDArray[Any]) -> Colors:
    """Convert an output to a picture in color.

    Args:
        name: Name of the output, one of ``EXTRA_OUTPUTS``.
        values: Output of one view, [S, S] or [S, S, 3], as ``Split.read_output`` returns it.
    """
    return _COLOR_FUNCTIONS[name](values)


def encode_png(picture: Colors) -> bytes:
    """Encode a picture as a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def _color_mask(mask: NDArray[np.uint8]) -> Colors:
    return np.where(mask[..., None] > 0, 255, np.array(BACKGROUND)).astype(np.uint8)


def _color_depth(depth: NDArray[np.float32]) -> Colors:
    places = np.linspace(*DEPTH_RANGE, len(_DEPTH_COLORS))
    channels = [np.interp(depth, places, channel) for channel in zip(*_DEPTH_COLORS, strict=True)]
    colors = np.stack(channels, axis=-1)
    return _to_colors(np.where(depth[..., None] < _SKY_DEPTH, colors, BACKGROUND))


def _color_normals(normals: NDArray[np.float32]) -> Colors:
    return _to_colors((normals + 1) * 127.5)


def _color_coordinates(coordinates: NDArray[np.float32]) -> Colors:
    return _to_colors((coordinates + 0.5) * 255)


def _color_parts(parts: NDArray[np.uint8]) -> Colors:
    return PART_COLORS[parts]


def _color_flow(flow: NDArray[np.float32]) -> Colors:
    """Return hues of directions, clockwise from right, with the saturation of lengths, at full value."""
    motion, state = flow[..., :2].astype(np.float64), flow[..., 2]
    saturation = np.minimum(1, np.hypot(motion[..., 0], motion[..., 1]) / (FLOW_FULL_SHARE * len(flow)))
    turns = np.arctan2(motion[..., 1], motion[..., 0]) / (2 * np.pi)
    # Red, green and blue are pure at right, and a third of a turn clockwise and counter-clockwise from it.
    distances = np.abs((turns[..., None] - np.array([0, 1 / 3, 2 / 3]) + 0.5) % 1 - 0.5)
    pure = np.clip(2 - 6 * distances, 0, 1)
    colors = 255 * (1 - saturation[..., None] * (1 - pure))
    colors[state == FLOW_HIDDEN] *= _HIDDEN_SHADE
    colors[(state != FLOW_HIDDEN) & (state != FLOW_SEEN)] = _NO_MOTION
    return _to_colors(colors)


def _to_colors(values: NDArray[np.floating]) -> Colors:
    return np.round(np.clip(values, 0, 255)).astype(np.uint8)


_COLOR_FUNCTIONS: dict[str, Callable[[NDArray[Any]], Colors]] = {
    "mask": _color_mask,
    "depth": _color_depth,
    "normals": _color_normals,
    "coordinates": _color_coordinates,
    "parts": _color_parts,
    "flow": _color_flow,
}
