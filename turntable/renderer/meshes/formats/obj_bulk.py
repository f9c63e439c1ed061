"""The usual OBJ file, read as one array of bytes: many times the speed of reading line by line.

It answers None whenever a file has anything unusual, and never guesses: the patient reader then has the
word, with its messages.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.obj_text import ObjText

NEWLINE, BLANK, MINUS, SLASH = (ord(sign) for sign in "\n -/")
MOST_DIGITS = 8
"""Of a reference: as many as one machine word has bytes."""
BLOCK = 2**15
"""So many references at once, that all of the work on them stays near the processor."""

Bytes = NDArray[np.uint8]
Places = NDArray[np.integer]
Counts = NDArray[np.intp]


def read_bulk(data: bytes) -> ObjText | None:
    """The statements of a file, if all of its numbers and faces are written plainly."""
    if b"\\" in data and (b"\\\n" in data or b"\\\r\n" in data):
        return None
    lines = _lines(data) or _lines(_plain(data))
    if lines is None:
        return None
    at = {word: lines.starting_with(word.encode()) for word in ("v", "vt", "vn", "f")}
    faces = _faces(lines, at["f"])
    if faces is None:
        return None
    positions, texcoords, normals = (
        _numbers(lines, at[word], word, width) for word, width in (("v", 3), ("vt", 2), ("vn", 3))
    )
    if positions is None or texcoords is None or normals is None:
        return None
    names, face_material = _materials(lines, data, at["f"])
    return ObjText(
        positions=positions,
        texcoords=texcoords,
        normals=normals,
        corners=faces[0],
        sizes=faces[1],
        defined=np.stack([np.searchsorted(at[word], at["f"]) for word in ("v", "vt", "vn")]),
        face_material=face_material,
        material_names=names,
        libraries=tuple(name for _, name in lines.names(b"mtllib", data)),
    )


def _plain(data: bytes) -> bytes:
    """One blank between words, none at the ends of lines; the lines stay what they are."""
    data = data.replace(b"\t", b" ").replace(b"\r\n", b"\n")
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    return data.replace(b" \n", b"\n").replace(b"\n ", b"\n").removeprefix(b" ").removesuffix(b" ")


@dataclass(frozen=True, eq=False)
class _Lines:
    """Where the words of a plain text stand, line by line."""

    data: bytes
    text: Bytes
    """The same, as numbers."""
    marks: Places
    """Places of all signs that divide: blanks, slashes and newlines."""
    signs: Bytes
    """Which of them each is."""
    ends: Places
    """Which marks are newlines, one a line."""

    @cached_property
    def starts(self) -> Places:
        return np.concatenate([[0], self.marks[self.ends[:-1]] + 1])

    @cached_property
    def stops(self) -> Places:
        return self.marks[self.ends]

    @cached_property
    def blanks(self) -> Places:
        """How many blanks stand above each mark."""
        return np.concatenate([[0], np.cumsum(self.signs == BLANK, dtype=np.int32)])

    def words(self, numbers: Places) -> Counts:
        """How many words these lines have."""
        between = self.blanks[self.ends[numbers]] - self.blanks[self.first_marks[numbers]]
        return between.astype(np.intp) + 1

    @cached_property
    def first_marks(self) -> Places:
        """The first mark of each line."""
        return np.concatenate([[0], self.ends[:-1] + 1])

    @cached_property
    def first_lengths(self) -> Places:
        """Of the first word of each line; 0 where a slash is in it."""
        lengths = self.marks[self.first_marks] - self.starts
        return np.where(self.signs[self.first_marks] == SLASH, 0, lengths)

    def starting_with(self, word: bytes) -> Places:
        """Numbers of the lines whose first word this is."""
        found = np.flatnonzero(self.first_lengths == len(word))
        for offset, letter in enumerate(word):
            found = found[self.text[self.starts[found] + offset] == letter]
        return found

    def joined(self, numbers: Places) -> bytes:
        """The text of these lines."""
        spans = _runs(numbers, self.starts, self.stops + 1)
        return b"".join(self.data[start:stop] for start, stop in spans)

    def names(self, word: bytes, original: bytes) -> Iterator[tuple[int, str]]:
        """Number and name of each line of this keyword; names keep the blanks of the original text."""
        numbers = self.starting_with(word)
        if not len(numbers):
            return
        starts, stops = self.starts, self.stops
        if original is not self.data:
            newlines = np.flatnonzero(np.frombuffer(original, dtype=np.uint8) == NEWLINE)
            starts, stops = np.concatenate([[0], newlines + 1]), np.concatenate([newlines, [len(original)]])
        for number in numbers.tolist():
            line = original[starts[number] : stops[number]].strip()
            yield number, line[len(word) :].strip().decode("utf-8", "replace")


def _lines(data: bytes) -> _Lines | None:
    """The lines of a text, if it is a plain one."""
    if not data.endswith(b"\n"):
        return _lines(data + b"\n")
    text = np.frombuffer(data, dtype=np.uint8)
    # Half of the memory, half of the time; no file has 2**31 bytes.
    marks = np.flatnonzero((text <= BLANK) | (text == SLASH)).astype(np.int32)
    signs = text[marks]
    newlines, blanks = signs == NEWLINE, signs == BLANK
    if np.count_nonzero(newlines) + np.count_nonzero(blanks) + np.count_nonzero(signs == SLASH) != len(signs):
        return None
    beside = np.flatnonzero(marks[1:] - marks[:-1] == 1)
    here, after = signs[beside], signs[beside + 1]
    empty = (here != SLASH) & (after != SLASH) & ((here == BLANK) | (after == BLANK))
    if empty.any() or data.startswith(b" "):
        return None
    return _Lines(data, text, marks, signs, np.flatnonzero(newlines))


def _runs(numbers: Places, starts: Places, stops: Places) -> list[tuple[int, int]]:
    """From where to where each run of lines that follow one another goes."""
    if not len(numbers):
        return []
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    first = numbers[np.concatenate([[0], breaks + 1])]
    last = numbers[np.concatenate([breaks, [len(numbers) - 1]])]
    return list(zip(starts[first].tolist(), stops[last].tolist(), strict=True))


def _numbers(lines: _Lines, at: Places, word: str, width: int) -> NDArray[np.float64] | None:
    """[N, width]; further numbers on a line (vertex colours, w) are ignored."""
    if not len(at):
        return np.empty((0, width))
    words = lines.words(at)
    columns = int(words[0]) - 1
    if columns < width or (words != columns + 1).any():
        return None
    text = lines.joined(at)
    if text.count(word.encode()) != len(at):  # it stands elsewhere than at the beginnings: within a number
        return None
    text = text.replace(word.encode(), b" " * len(word))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(text.decode("ascii"), dtype=np.float64, sep=" ")
    except (ValueError, DeprecationWarning):
        return None
    return values.reshape(-1, columns)[:, :width] if values.size == columns * len(at) else None


def _faces(lines: _Lines, at: Places) -> tuple[NDArray[np.int64], Counts] | None:
    """Corners [3, C] of all faces, and how many each has [F].

    A reference is what stands between two marks: a blank begins a corner, a slash goes on with it.
    """
    sizes = lines.words(at) - 1
    if not len(at) or (sizes < 3).any():
        return None
    spans = _runs(at, lines.first_marks, lines.ends + 1)
    marks = np.concatenate([lines.marks[start:stop] for start, stop in spans])
    signs = np.concatenate([lines.signs[start:stop] for start, stop in spans])
    corners = _alike_corners(lines.text, marks, signs, len(at)) or _any_corners(lines.text, marks, signs)
    return None if corners is None else (corners.numbers, sizes)


@dataclass(frozen=True, slots=True, eq=False)
class _Corners:
    numbers: NDArray[np.int64]
    """[3, C]."""


def _alike_corners(text: Bytes, marks: Places, signs: Bytes, faces: int) -> _Corners | None:
    """The corners of faces that are all written in one way, as most are: none needs a look of its own."""
    if len(marks) % faces:
        return None
    rows = signs.reshape(faces, -1)
    begins = rows[0, :-1]
    first = np.flatnonzero(begins == BLANK)
    parts = len(begins) // len(first)
    if parts > 3 or not np.array_equal(first, np.arange(len(first)) * parts) or len(begins) % parts:
        return None
    if (rows != rows[0]).any() or rows[0, -1] != NEWLINE:
        return None
    places = marks.reshape(faces, -1)
    starts, stops = places[:, :-1].ravel() + 1, places[:, 1:].ravel()
    values = _references(text, starts, stops)
    if values is None or (stops == starts)[::parts].any():
        return None
    numbers = np.zeros((3, faces * len(first)), dtype=np.int64)
    numbers[:parts] = values.reshape(-1, parts).T
    return _Corners(numbers)


def _any_corners(text: Bytes, marks: Places, signs: Bytes) -> _Corners | None:
    """The corners of faces of several sizes, or with and without texture coordinates."""
    inside = signs[:-1] != NEWLINE  # what follows a newline is the letter f
    begins, starts, stops = signs[:-1][inside], marks[:-1][inside] + 1, marks[1:][inside]
    values = _references(text, starts, stops)
    if values is None:
        return None
    first = np.flatnonzero(begins == BLANK)
    parts = np.diff(first, append=len(begins))
    if parts.max() > 3 or (stops == starts)[first].any():
        return None
    numbers = np.zeros((3, len(first)), dtype=np.int64)
    for part in range(int(parts.max())):
        has = parts > part
        numbers[part, has] = values[first[has] + part]
    return _Corners(numbers)


def _word(signs: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(signs, "little"))


_LAST = np.array([0, *(2**64 - 2 ** (64 - 8 * size) for size in range(1, 9))], dtype=np.uint64)
"""Keeps the last so many bytes of a word."""
_HIGH, _SIX = _word(b"\xf0" * 8), _word(b"\x06" * 8)
_ZEROS = _word(b"0" * 8) & _HIGH
_SUMS = tuple(
    (np.uint64(weight), np.uint64(shift), np.uint64(low))
    for weight, shift, low in (
        (10, 8, 0x00FF00FF00FF00FF),
        (100, 16, 0x0000FFFF0000FFFF),
        (10_000, 32, 0xFFFFFFFF),
    )
)


def _references(text: Bytes, starts: Places, stops: Places) -> NDArray[np.int64] | None:
    """The numbers from ``starts`` to ``stops``, 0 where nothing stands there; None if one is no number."""
    padded = np.concatenate([np.zeros(8, dtype=np.uint8), text])
    words = np.ndarray((len(text) + 1,), "<u8", buffer=padded, strides=(1,))
    values = np.empty(len(starts), dtype=np.int64)
    for first in range(0, len(starts), BLOCK):
        block = slice(first, first + BLOCK)
        negative = text[starts[block]] == MINUS
        digits = stops[block] - starts[block] - negative
        if digits.max() > MOST_DIGITS or (digits[negative] == 0).any():
            return None
        numbers = _decimal(words[stops[block]].astype(np.uint64), digits)
        if numbers is None:
            return None
        values[block] = np.where(negative, -numbers, numbers)
    return values


def _decimal(words: NDArray[np.uint64], digits: Places) -> NDArray[np.int64] | None:
    """The numbers that the last so many digits of words of eight signs spell, all signs of a word at once.

    Three products add up neighbours: digits to pairs, pairs to fours, fours to eights.
    """
    keep = _LAST[digits]
    words = (words & keep) | (_ZEROS & ~keep)
    # A byte is a digit if its high half is 3, and still is when 6 is added.
    if ((words & _HIGH) != _ZEROS).any() or (((words + _SIX) & _HIGH) != _ZEROS).any():
        return None
    words -= _ZEROS
    for weight, shift, low in _SUMS:
        words = (words * weight + (words >> shift)) & low
    return words.astype(np.int64)


def _materials(lines: _Lines, data: bytes, faces: Places) -> tuple[dict[str, int], NDArray[np.int32]]:
    """Numbers of the materials by name, and that of each face."""
    names: dict[str, int] = {}
    used = [(number, names.setdefault(name, len(names) + 1)) for number, name in lines.names(b"usemtl", data)]
    in_force = np.array([0, *(material for _, material in used)], dtype=np.int32)
    return names, in_force[np.searchsorted(np.array([number for number, _ in used], dtype=np.intp), faces)]
