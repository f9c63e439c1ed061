"""Mean and spread of a data set's pixels, for the normalisation of those who train on it."""

import numpy as np

from turntable.datasets.files import decode_jpeg
from turntable.datasets.split import Split

Channels = tuple[float, float, float]
SAMPLE = 2048
"""Images looked at: enough for three digits, and seconds even for millions of views."""


def pixel_statistics(split: Split, sample: int = SAMPLE) -> tuple[Channels, Channels]:
    """Per-channel mean and standard deviation over views spread evenly through a split.

    Args:
        split: with at least one object.
        sample: at most so many views.

    Returns:
        Mean and standard deviation, each (r, g, b) in [0, 1] as the files decode, rounded to 6 digits.
    """
    total = split.num_objects * split.num_views
    chosen = np.unique(np.linspace(0, total - 1, min(sample, total)).astype(np.int64))
    count, sums, squares = 0, np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    for row, view in zip(*np.divmod(chosen, split.num_views), strict=True):
        pixels = decode_jpeg(split.read_jpeg(int(row), int(view))).reshape(-1, 3).astype(np.int64)
        count += len(pixels)
        sums += pixels.sum(axis=0)
        squares += (pixels**2).sum(axis=0)
    mean = sums / count / 255
    variance = squares / count / 255**2 - mean**2
    return _channels(mean), _channels(np.sqrt(np.maximum(variance, 0)))


def _channels(values: np.ndarray) -> Channels:
    red, green, blue = (round(float(value), 6) for value in values)
    return red, green, blue
