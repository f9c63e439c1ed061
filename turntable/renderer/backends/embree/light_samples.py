"""The points of the lights that each sample of a picture uses, and their number at each quality.

Neighboring samples use different points. The samples of a block of four by four together use all of them, and
the pixel filter takes the mean. Which points a sample uses depends only on its place in the picture, so the
same view always gives the same pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.protocol import Quality
from turntable.renderer.scene import GOLDEN_ANGLE, SPOT_RADIUS, sun_directions_from_disk

BLOCK = 4
"""Width of a block of samples."""
ORDER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.intp)
"""Kinds of the samples of a block: neighbors have numbers far apart (Bayer's matrix)."""
MIN_SUN_SAMPLES, MIN_SPOT_SAMPLES = 6, 2
"""Smallest number of points of the sun and of the spot that every sample uses."""
DISK_TURNS = 7
"""Turns of the disk between the first kind and the last.

Kinds with close numbers have points at similar radii; the turns point them in different directions.
"""


@dataclass(frozen=True, slots=True, eq=False)
class LightSamples:
    """The lights as points, one set per kind of sample."""

    sun: NDArray[np.float64]
    """[BLOCK * BLOCK, K, 3] unit vectors towards the sun in the world."""
    spot: NDArray[np.float64]
    """[BLOCK * BLOCK, K, 2] points on the emitter's disk, in world units from its center."""

    @classmethod
    def from_quality(cls, quality: Quality) -> "LightSamples":
        """Return the points that a quality asks for."""
        sun, spot = (
            quality.num_sun_taps // quality.num_phases,
            quality.num_spot_samples // quality.num_spot_phases,
        )
        return cls(
            sun_directions_from_disk(_build_shared_disk(max(MIN_SUN_SAMPLES, sun))),
            SPOT_RADIUS * _build_shared_disk(max(MIN_SPOT_SAMPLES, spot)),
        )


def get_sample_kinds(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the kinds of samples in rows and columns of the picture's samples."""
    return ORDER[rows % BLOCK, columns % BLOCK]


def is_odd(kind: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return True for kinds of samples on the dark squares of a chessboard over all samples."""
    return kind >= BLOCK * BLOCK // 2


def _build_shared_disk(num_points: int) -> NDArray[np.float64]:
    """Return points [BLOCK * BLOCK, num_points, 2] of the unit disk.

    The points of each kind are spread evenly over the disk, and so are the points of all kinds together.
    """
    kind = (np.arange(BLOCK * BLOCK)[:, None] + 0.5) / BLOCK**2
    # Vogel's spiral of num_points points, shifted along the spiral and turned for each kind.
    index = np.arange(num_points)
    radius = np.sqrt((index + kind) / num_points)
    angle = index * GOLDEN_ANGLE + 2 * np.pi * kind * DISK_TURNS
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
