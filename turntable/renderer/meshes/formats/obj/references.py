"""References of the corners of faces, parsed eight digits at once as machine words."""

import numpy as np
from numpy.typing import NDArray

MINUS = ord("-")
"""Byte before a reference that counts back."""
MAX_DIGITS = 8
"""Most digits of a reference: the number of bytes in a machine word."""
BLOCK_SIZE = 2**15
"""Number of references parsed at once, few enough for all arrays to stay in the processor's cache."""
Bytes = NDArray[np.uint8]
"""Bytes as numbers from 0 to 255."""
Offsets = NDArray[np.integer]
"""Offsets into the file, line numbers, or indices of separators."""


def _bytes_to_word(text: bytes) -> np.uint64:
    """Convert eight bytes to a little-endian machine word."""
    return np.uint64(int.from_bytes(text, "little"))


_TAIL_MASKS = np.array([0, *(2**64 - 2 ** (64 - 8 * size) for size in range(1, 9))], dtype=np.uint64)
"""Masks that keep the last n bytes of a word, for n from 0 to 8."""
_HIGH_NIBBLES, _SIXES = _bytes_to_word(b"\xf0" * 8), _bytes_to_word(b"\x06" * 8)
_ZEROS = _bytes_to_word(b"0" * 8) & _HIGH_NIBBLES
_DIGIT_SUMS = tuple(
    (np.uint64(weight), np.uint64(shift), np.uint64(low))
    for weight, shift, low in (
        (10, 8, 0x00FF00FF00FF00FF),
        (100, 16, 0x0000FFFF0000FFFF),
        (10_000, 32, 0xFFFFFFFF),
    )
)
"""Weight, shift and mask of the three steps that combine digits to pairs, fours and eights."""


def parse_references(text: Bytes, starts: Offsets, stops: Offsets) -> NDArray[np.int64] | None:
    """Parse the integers between ``starts`` and ``stops``, or return None if one is not an integer.

    An empty reference is 0.
    """
    # A strided view: words[i] is the eight bytes before offset i of the text, as one machine word.
    padded = np.concatenate([np.zeros(8, dtype=np.uint8), text])
    words = np.ndarray((len(text) + 1,), "<u8", buffer=padded, strides=(1,))
    values = np.empty(len(starts), dtype=np.int64)
    for first in range(0, len(starts), BLOCK_SIZE):
        block = slice(first, first + BLOCK_SIZE)
        negative = text[starts[block]] == MINUS
        digits = stops[block] - starts[block] - negative
        if digits.max() > MAX_DIGITS or (digits[negative] == 0).any():
            return None
        numbers = _parse_decimals(words[stops[block]].astype(np.uint64), digits)
        if numbers is None:
            return None
        values[block] = np.where(negative, -numbers, numbers)
    return values


def _parse_decimals(words: NDArray[np.uint64], digits: Offsets) -> NDArray[np.int64] | None:
    """Parse decimal numbers of up to eight digits, all digits of a number at once.

    A number is a machine word of eight bytes, of which the last ``digits`` count. Three multiplications add
    neighbors: digits to pairs, pairs to fours, fours to eights.
    """
    # The first bytes of a word belong to what stands before the number; "0" replaces them.
    keep = _TAIL_MASKS[digits]
    words = (words & keep) | (_ZEROS & ~keep)
    # The digits are the bytes 0x30 to 0x39: the high nibble is 3, and it is still 3 after 6 is added.
    if ((words & _HIGH_NIBBLES) != _ZEROS).any() or (((words + _SIXES) & _HIGH_NIBBLES) != _ZEROS).any():
        return None
    words -= _ZEROS
    for weight, shift, low in _DIGIT_SUMS:
        words = (words * weight + (words >> shift)) & low
    return words.astype(np.int64)
