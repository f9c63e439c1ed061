"""The pixel filter: Blackman-Harris over three pixels, as in Cycles."""

import numpy as np
from numpy.typing import NDArray

FILTER_RADIUS_PX = 1.5
"""Distance from a pixel's center, along each axis, at which the filter ends."""


def compute_filter_weights(supersampling: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions [K] and weights [K] of the samples that the filter reads along one axis.

    Positions are in samples from the pixel's center; the weights add up to 1.
    """
    reach = int(FILTER_RADIUS_PX * supersampling)
    taps = 2 * reach if supersampling % 2 == 0 else 2 * reach + 1
    positions = np.arange(taps, dtype=np.float64) - (taps - 1) / 2
    x = 2 * np.pi * (positions / supersampling / (2 * FILTER_RADIUS_PX) + 0.5)
    weights = 0.35875 - 0.48829 * np.cos(x) + 0.14128 * np.cos(2 * x) - 0.01168 * np.cos(3 * x)
    return positions, np.asarray(weights / weights.sum(), dtype=np.float64)


def compute_paired_taps(supersampling: int) -> NDArray[np.float64]:
    """Return positions and weights [K, 2] for a texture unit that interpolates.

    One interpolated read between two neighboring samples, at the right place, gives their weighted sum, so
    half as many reads do.
    """
    positions, weights = compute_filter_weights(supersampling)
    pairs = [slice(first, first + 2) for first in range(0, len(positions), 2)]
    return np.array([(np.average(positions[p], weights=weights[p]), weights[p].sum()) for p in pairs])
