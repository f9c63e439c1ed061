"""The palettes of drawings: fixed, so that the same value has the same color in every data set."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.describing.part_colors import PART_COLORS

_Colors = NDArray[np.uint8]

NUM_HEIGHTS = 32
"""Number of colors of heights."""
_HEIGHT_STOPS = ((38, 70, 140), (45, 150, 165), (120, 190, 95), (240, 200, 70), (225, 95, 60))
"""Colors from the lowest to the highest place."""
GROUND, CLUTTER = 254, 255
"""Indices of the colors of the ground and of clutter in a scan; parts have their own before them."""
NEGATIVE, NEUTRAL, POSITIVE, TRAIL = range(4)
"""Indices of the colors of particles and of their trails."""
CHARGE_COLORS: _Colors = np.array(
    [(60, 110, 220), (90, 160, 90), (215, 70, 55), (150, 155, 165)], dtype=np.uint8
)
"""Colors of charges: blue -1, green none, red +1; gray trails."""
_ELEMENTS = {
    1: (225, 228, 232), 5: (245, 170, 150), 6: (85, 90, 98), 7: (60, 90, 220), 8: (220, 50, 45),
    9: (110, 200, 90), 15: (240, 145, 40), 16: (225, 195, 50), 17: (60, 175, 70), 35: (150, 70, 45),
    53: (130, 60, 160),
}  # fmt: skip
"""Colors of elements by atomic number, after Corey, Pauling and Koltun."""


def interpolate_colors(stops: tuple[tuple[int, int, int], ...], count: int) -> _Colors:
    """Return colors [count, 3] at even steps along a line through some colors."""
    places, at = np.linspace(0, 1, len(stops)), np.linspace(0, 1, count)
    channels = [np.interp(at, places, channel) for channel in zip(*stops, strict=True)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def _make_element_colors() -> _Colors:
    colors = np.full((128, 3), 190, dtype=np.uint8)
    colors[list(_ELEMENTS)] = list(_ELEMENTS.values())
    return colors


def _make_instance_colors() -> _Colors:
    colors = PART_COLORS.copy()
    colors[[GROUND, CLUTTER]] = (170, 172, 178), (120, 105, 90)
    return colors


HEIGHT_COLORS: _Colors = interpolate_colors(_HEIGHT_STOPS, NUM_HEIGHTS)
"""Colors of heights, from the lowest to the highest place of an object."""
ELEMENT_COLORS: _Colors = _make_element_colors()
"""Colors of elements by atomic number."""
INSTANCE_COLORS: _Colors = _make_instance_colors()
"""Colors of a scan's returns by part, and of the ground and clutter."""
