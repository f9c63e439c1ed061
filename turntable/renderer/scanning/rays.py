"""The rays of a scanner: their directions in the sensor's frame, and what is drawn for each of them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import draw_words, make_philox_key, words_to_units
from turntable.datasets.labels import ScanRule

Array = NDArray[np.float64]

_WORDS_PER_RAY = 4


@lru_cache(maxsize=8)
def make_directions(rule: ScanRule) -> Array:
    """Return the unit directions [R, 3] of a scanner's rays in the sensor's frame, read-only.

    They are in the order of columns, which begin ahead and turn to the left; in each from the lowest beam up.
    """
    low, high = np.deg2rad(rule.elevation_deg)
    elevation = np.linspace(low, high, rule.beams)
    azimuth = 2 * np.pi * np.arange(rule.num_columns) / rule.num_columns
    around = np.stack([np.cos(azimuth), np.sin(azimuth)], axis=-1)
    flat = around[:, None] * np.cos(elevation)[:, None]
    up = np.broadcast_to(np.sin(elevation)[:, None], (*flat.shape[:2], 1))
    directions = np.concatenate([flat, up], axis=-1).reshape(-1, 3)
    directions.setflags(write=False)  # remembered, and so shared
    return directions


@dataclass(frozen=True, slots=True, eq=False)
class RayDraws:
    """The errors and losses of the R rays of one scan."""

    noise_m: Array
    """[R] errors of the ranges."""
    is_lost: NDArray[np.bool_]
    """[R], True for rays whose return is lost."""


def draw_rays(rule: ScanRule, label_digest: str, object_id: str, view: int) -> RayDraws:
    """Draw the errors and losses of one scan. They depend on the arguments alone."""
    key = make_philox_key(label_digest, object_id, "scan")
    words = draw_words(key, np.array([view]), _WORDS_PER_RAY * rule.num_rays)
    units = words_to_units(words).reshape(-1, _WORDS_PER_RAY)
    # A normal number from two uniform ones (Box and Muller, 1958).
    normal = np.sqrt(-2 * np.log(1 - units[:, 0])) * np.cos(2 * np.pi * units[:, 1])
    return RayDraws(rule.noise_m * normal, units[:, 2] < rule.dropout)
