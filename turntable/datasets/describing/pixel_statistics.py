"""Mean and standard deviation of a data set's pixels, for the normalization of a model's inputs."""

import numpy as np

from turntable.datasets.files import decode_jpeg
from turntable.datasets.split import Split

Channels = tuple[float, float, float]
MAX_SAMPLED_VIEWS = 2048
"""Maximum number of views decoded: enough for three digits, and a matter of seconds for any data set."""


def compute_pixel_statistics(split: Split, max_views: int = MAX_SAMPLED_VIEWS) -> tuple[Channels, Channels]:
    """Compute the mean and standard deviation of each channel, over views spread evenly through a split.

    Args:
        split: Split with at least one object.
        max_views: Maximum number of views to decode.

    Returns:
        Mean and standard deviation, each (r, g, b) in [0, 1] as the files decode, rounded to 6 digits.
    """
    total = split.num_objects * split.num_views
    chosen = np.unique(np.linspace(0, total - 1, min(max_views, total)).astype(np.int64))
    # Sums of integers are exact, so the result does not depend on the order of the views or of the pixels.
    count, sums, squares = 0, np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    for row, view in zip(*np.divmod(chosen, split.num_views), strict=True):
        pixels = decode_jpeg(split.read_jpeg(int(row), int(view))).reshape(-1, 3).astype(np.int64)
        count += len(pixels)
        sums += pixels.sum(axis=0)
        squares += (pixels**2).sum(axis=0)
    mean = sums / count / 255
    variance = squares / count / 255**2 - mean**2
    return _round_channels(mean), _round_channels(np.sqrt(np.maximum(variance, 0)))


def _round_channels(values: np.ndarray) -> Channels:
    red, green, blue = (round(float(value), 6) for value in values)
    return red, green, blue
