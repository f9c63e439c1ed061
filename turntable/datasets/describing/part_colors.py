"""The fixed palette of parts."""

import colorsys

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import NO_PART

BACKGROUND = (38, 42, 51)
"""Color where a picture shows nothing."""
_FIRST_COLORS = (
    *((230, 110, 60), (70, 130, 220), (90, 180, 80), (225, 185, 50), (160, 95, 200), (60, 185, 190)),
    *((220, 90, 150), (140, 105, 75), (150, 175, 90), (110, 115, 160), (245, 160, 160), (40, 120, 95)),
)
_GOLDEN_RATIO = (5**0.5 - 1) / 2


def _make_part_colors() -> NDArray[np.uint8]:
    """Return the colors [256, 3] of all part indices; hues of later ones differ by the golden ratio."""
    colors = np.full((256, 3), BACKGROUND, dtype=np.uint8)
    for part in range(NO_PART):
        hue, value = part * _GOLDEN_RATIO % 1, (0.95, 0.75, 0.6)[part % 3]
        colors[part] = np.round(255 * np.array(colorsys.hsv_to_rgb(hue, 0.6, value)))
    colors[: len(_FIRST_COLORS)] = _FIRST_COLORS
    return colors


PART_COLORS: NDArray[np.uint8] = _make_part_colors()
"""[256, 3] colors of part indices; the last one is that of no part."""
