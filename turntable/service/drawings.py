"""Drawings of an object's arrays for the JSON responses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.describing import Drawing
from turntable.service.schemas import DrawingFrames

_NUM_DIGITS = 4
"""Number of digits after the point of a coordinate."""


def describe_drawing(drawing: Drawing) -> DrawingFrames:
    """Return a drawing for JSON, with its coordinates rounded."""
    return {
        "title": drawing.title,
        "unit": drawing.unit,
        "radius": drawing.radius,
        "palette": ["#" + bytes(color).hex() for color in drawing.palette.tolist()],
        "from_above": drawing.from_above,
        "frames": [
            {
                "points": _list_numbers(frame.points),
                "point_colors": frame.point_colors.tolist(),
                "lines": _list_numbers(frame.lines),
                "line_colors": frame.line_colors.tolist(),
            }
            for frame in drawing.frames
        ],
    }


def _list_numbers(values: NDArray[Any]) -> list[float]:
    return np.round(values.astype(np.float64), _NUM_DIGITS).ravel().tolist()
