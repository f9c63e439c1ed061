"""Numbers written as words, parsed by numpy in one pass."""

import warnings

import numpy as np
from numpy.typing import NDArray


def parse_number_words(text: bytes) -> NDArray[np.float64] | None:
    """Parse numbers that are separated by white space, or return None if a word is not a number."""
    if not text or text.isspace():
        return np.empty(0)
    if not text.isascii():
        return None
    try:
        with warnings.catch_warnings():
            # Some versions of numpy only warn about text that is not a number, and stop there.
            warnings.simplefilter("error", DeprecationWarning)
            return np.fromstring(text, dtype=np.float64, sep=" ")  # pyright: ignore[reportArgumentType, reportCallIssue]
    except (ValueError, DeprecationWarning):
        return None
