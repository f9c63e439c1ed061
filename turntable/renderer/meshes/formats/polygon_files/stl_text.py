"""The text of STL files, taken apart with numpy by its words, whatever their case and their lines."""

import re

import numpy as np
from numpy.typing import NDArray

from turntable.errors import format_text
from turntable.renderer.meshes.formats.files import ObjectFiles
from turntable.renderer.meshes.formats.polygon_files.number_text import parse_numbers
from turntable.renderer.meshes.limits import raise_mesh_error

_SOLID = re.compile(rb"solid(?:(?!facet\s+normal)[^\r\n])*")
"""The begin or end of a solid, with its name: the rest of the line, unless a facet begins on it."""
_IS_SPACE = np.isin(np.arange(256), [*b" \t\r\n\v\f"])
"""Mask [256] of the bytes that separate words."""
_IS_KEYWORD = np.isin(np.arange(256), [*b"acdefghjklmopqrstuvwxyz"])
"""Mask [256] of the bytes that begin a keyword: all letters but those of NaN and infinity."""


def parse_stl_text(
    data: bytes, files: ObjectFiles, location: str
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Parse the facets of a text.

    Args:
        data: Content of the file.
        files: Access to the files of the object, with its limits and warnings.
        location: File, for messages.

    Returns:
        The corners [C, 3] of all facets, and the number of corners of each [F].

    Raises:
        MeshError: The text is cut off, or a coordinate is not a number.
    """
    text = b" " + _SOLID.sub(b" ", data.removeprefix(b"\xef\xbb\xbf").lower()) + b" "
    letters = np.frombuffer(text, dtype=np.uint8)
    words = np.flatnonzero(_IS_SPACE[letters[:-1]] & _IS_KEYWORD[letters[1:]]) + 1
    vertices = _find_keyword(letters, words, b"vertex")
    loops = _find_keyword(letters, words, b"outer")
    facets = _find_keyword(letters, words, b"facet")
    files.limits.check("vertices", len(vertices), location, "vertices")
    _check_end(text, words, location)
    if not len(vertices):
        return np.empty((0, 3)), np.empty(0, dtype=np.intp)
    # A vertex's numbers run to the next keyword.
    following = np.append(words, len(text))[np.searchsorted(words, vertices, side="right")]
    points = _parse_points(letters, vertices + len(b"vertex"), following, location)
    starts = np.sort(np.concatenate([loops if len(loops) else facets, [0]]))
    bounds = np.append(np.searchsorted(vertices, starts), len(vertices))
    sizes = np.diff(bounds)
    return points, sizes[sizes > 0]


def _find_keyword(letters: NDArray[np.uint8], words: NDArray[np.intp], keyword: bytes) -> NDArray[np.intp]:
    """Find the offsets of the words that are this keyword."""
    found = words[words + len(keyword) < len(letters)]
    for place, letter in enumerate(keyword):
        found = found[letters[found + place] == letter]
    return found[_IS_SPACE[letters[found + len(keyword)]]]


def _parse_points(
    letters: NDArray[np.uint8], starts: NDArray[np.intp], stops: NDArray[np.intp], location: str
) -> NDArray[np.float64]:
    """Parse three numbers [C, 3] from each span of the text."""
    change = np.zeros(len(letters) + 1, dtype=np.int8)
    change[starts] += 1
    change[stops] -= 1
    inside = np.cumsum(change[:-1], dtype=np.int8).view(np.bool_)
    numbers = letters[inside]
    try:
        values = parse_numbers(numbers.tobytes())
    except ValueError as error:
        raise_mesh_error(
            f"{location}: {format_text(str(error))!r} stands in a vertex where a number belongs", "unreadable"
        )
    begins = _IS_SPACE[letters[:-1]] & ~_IS_SPACE[letters[1:]] & inside[1:]
    counts = np.diff(np.searchsorted(np.flatnonzero(begins), np.append(starts - 1, len(letters))))
    if (counts != 3).any():
        number = int(np.argmax(counts != 3))
        is_last = number == len(counts) - 1 and counts[number] < 3
        raise_mesh_error(
            f"{location}: vertex {number + 1} has {counts[number]} coordinates"
            + ("; the file is cut off" if is_last else ""),
            "cut off" if is_last else "unreadable",
        )
    return values.reshape(-1, 3)


def _check_end(text: bytes, words: NDArray[np.intp], location: str) -> None:
    """Raise if the text ends within a facet. If it ends with a vertex, the last number may be cut too."""
    before, last = ([b"end", *(text[word : word + 16].split()[0] for word in words[-2:].tolist())])[-2:]
    if not last.startswith(b"end") and not (before == b"end" and last in (b"loop", b"facet")):
        raise_mesh_error(f"{location}: it ends within a facet; the file is cut off", "cut off")
