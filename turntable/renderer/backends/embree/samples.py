"""Which points of the lights each sample of the picture asks, and how many there are at each quality.

Neighbouring samples ask different points: those of a block of four by four share all of them out, and the
pixel filter takes their mean. Places in the picture alone decide, so the same view is always the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.protocol import Quality
from turntable.renderer.scene import GOLDEN_ANGLE, SPOT_RADIUS, sun_directions

BLOCK = 4
ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.intp)
"""Of the samples of a block, neighbours far apart (Bayer)."""
LEAST_SUN, LEAST_SPOT = 6, 2
"""Points of each light that every sample asks."""
SPREAD = 7
"""Turns of the disk from the first kind to the last: kinds of like radius point in unlike directions."""


@dataclass(frozen=True, slots=True, eq=False)
class LightSamples:
    """The lights as points."""

    sun: NDArray[np.float64]
    """[BLOCK * BLOCK, K, 3] unit vectors in the world."""
    spot: NDArray[np.float64]
    """[BLOCK * BLOCK, K, 2] on the emitter's disk, in world units from its middle."""

    @classmethod
    def of(cls, quality: Quality) -> "LightSamples":
        """As many as a quality asks for."""
        sun, spot = quality.sun_taps // quality.phases, quality.spot_samples // quality.spot_phases
        return cls(
            sun_directions(_shared_disk(max(LEAST_SUN, sun))),
            SPOT_RADIUS * _shared_disk(max(LEAST_SPOT, spot)),
        )


def kinds(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which kind of sample stands in a row and column of the picture's samples."""
    return ORDER[rows % BLOCK, columns % BLOCK]


def odd(kind: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether samples of these kinds stand on the dark fields of the chessboard of all samples."""
    return kind >= BLOCK * BLOCK // 2


def _shared_disk(count: int) -> NDArray[np.float64]:
    """[BLOCK * BLOCK, count, 2] points of the unit disk: each kind's are spread over it, and so are all."""
    kind = (np.arange(BLOCK * BLOCK)[:, None] + 0.5) / BLOCK**2
    index = np.arange(count)
    radius = np.sqrt((index + kind) / count)
    angle = index * GOLDEN_ANGLE + 2 * np.pi * kind * SPREAD
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
