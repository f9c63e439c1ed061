"""Numbers written as text, all parsed in one pass, with or without the lines they stand on."""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.number_words import parse_number_words

_ODD_NUMBER = re.compile(rb"(?<!\S)[+-]?(?:\d\.#\w+|nan\(\w*\))(?!\S)", re.IGNORECASE)
"""A spelling of NaN or infinity that C libraries of Windows write, such as ``-1.#IND``."""

_GAP = re.compile(rb"\s+(?=\S)")
"""White space between two words."""
BLOCK_BYTES = 2**16
"""Bytes that are split into words at once, to find one that is not a number."""


@dataclass(frozen=True, eq=False)
class NumberTable:
    """The numbers of a text, with the lines they stand on. Lines without numbers do not count."""

    values: NDArray[np.float64]
    """[K] all numbers."""
    has_point: NDArray[np.bool_]
    """[K] mask of the numbers that are written with a decimal point or an exponent."""
    row_starts: NDArray[np.intp]
    """[R] index of the first number of each line."""

    @cached_property
    def row_sizes(self) -> NDArray[np.intp]:
        """[R] number of numbers of each line."""
        return np.diff(self.row_starts, append=len(self.values))

    @property
    def count_of_first_row(self) -> int:
        """Number of numbers of the first line; 0 if there is none."""
        return int(self.row_sizes[0]) if len(self.row_starts) else 0

    def drop(self, count: int) -> "NumberTable":
        """Return the table without its first numbers."""
        starts = self.row_starts[np.searchsorted(self.row_starts, count) :] - count
        if len(self.values) > count and (not len(starts) or starts[0]):
            starts = np.concatenate([[0], starts])
        return NumberTable(self.values[count:], self.has_point[count:], starts)


def parse_numbers(text: bytes) -> NDArray[np.float64]:
    """Parse numbers that are separated by white space.

    Args:
        text: Text of nothing but numbers. NaN and infinity count as numbers; infinity with ``#`` becomes NaN.

    Raises:
        ValueError: A word is not a number. The message is the word.
    """
    numbers = parse_number_words(text)
    if numbers is None and (b"#" in text or b"(" in text):
        text = _ODD_NUMBER.sub(b"nan", text)
        numbers = parse_number_words(text)
    if numbers is None:
        raise ValueError(_find_bad_word(text))
    return numbers


def parse_number_table(text: bytes) -> NumberTable:
    """Parse lines of numbers.

    Args:
        text: Text of nothing but numbers. Its lines end with LF.

    Raises:
        ValueError: A word is not a number. The message is the word.
    """
    values = parse_numbers(text)
    letters = np.frombuffer(b"\n" + text, dtype=np.uint8)
    is_space = letters <= ord(" ")
    # Offsets in the text of the first letters of its words and of its lines.
    begins = np.flatnonzero(is_space[:-1] & ~is_space[1:])
    lines = np.flatnonzero(letters == ord("\n"))
    row_starts = np.searchsorted(begins, lines)
    # Lines without words begin where the next line does.
    row_starts = row_starts[np.diff(row_starts, append=len(begins)) > 0]
    has_point = np.zeros(len(begins), dtype=np.bool_)
    marks = np.flatnonzero((letters[1:] == ord(".")) | (letters[1:] == ord("e")) | (letters[1:] == ord("E")))
    has_point[np.searchsorted(begins, marks, side="right") - 1] = True
    return NumberTable(values, has_point, row_starts)


def _find_bad_word(text: bytes) -> str:
    """Return the first word that is not a number. Each step looks at half of the text."""
    while len(text) > BLOCK_BYTES and (gap := _GAP.search(text, len(text) // 2)):
        half = text[: gap.start()]
        text = half if parse_number_words(half) is None else text[gap.end() :]
    words = text[: 2 * BLOCK_BYTES].split() or [b""]
    while len(words) > 1:
        first, second = words[: len(words) // 2], words[len(words) // 2 :]
        words = first if parse_number_words(b" ".join(first)) is None else second
    return words[0][:40].decode("latin-1")
