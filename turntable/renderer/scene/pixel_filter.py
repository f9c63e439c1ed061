"""The pixel filter: Blackman-Harris over three pixels, as Cycles filters."""

import numpy as np
from numpy.typing import NDArray

FILTER_RADIUS_PX = 1.5


def filter_weights(supersampling: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places, in samples from the pixel's centre, and weights along one axis of the samples within reach."""
    reach = int(FILTER_RADIUS_PX * supersampling)
    taps = 2 * reach if supersampling % 2 == 0 else 2 * reach + 1
    places = np.arange(taps, dtype=np.float64) - (taps - 1) / 2
    x = 2 * np.pi * (places / supersampling / (2 * FILTER_RADIUS_PX) + 0.5)
    weights = 0.35875 - 0.48829 * np.cos(x) + 0.14128 * np.cos(2 * x) - 0.01168 * np.cos(3 * x)
    return places, np.asarray(weights / weights.sum(), dtype=np.float64)


def paired_taps(supersampling: int) -> NDArray[np.float64]:
    """[K, 2] places and weights for a reader that interpolates: two neighbouring samples in one tap."""
    places, weights = filter_weights(supersampling)
    pairs = [slice(first, first + 2) for first in range(0, len(places), 2)]
    return np.array([(np.average(places[p], weights=weights[p]), weights[p].sum()) for p in pairs])
