"""The end of an OBJ file, by which one is recognized that was cut off, as a broken download is."""

import re
from pathlib import Path

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.wavefront_text import parse_number

CUT_OFF = "the file seems to be cut off; get it again from its source"
"""End of messages about files that end early."""
NUM_REQUIRED = {b"v": 3, b"vn": 3, b"vt": 1, b"f": 3}
"""Fewest words that these keywords need."""
_UNFINISHED = re.compile(rb"[eEdD+.-]$")
"""The end of a number of which more was to come. A point alone may end one: "5."."""


def check_end(data: bytes, path: Path) -> None:
    """Raise if a file ends within a statement: its last line is broken and has no end of its own.

    A broken line elsewhere is left out by itself; after a broken end, nobody knows how much is missing.

    Args:
        data: Content of the file as ``normalize_text`` returns it.
        path: Path of the file, for the message.

    Raises:
        MeshError: The file ends within a statement.
    """
    line = data[data.rfind(b"\n") + 1 :]
    keyword, *words = line.split(b"#", 1)[0].split() or [b""]
    if keyword.lower() not in NUM_REQUIRED:
        return
    is_short = len(words) < NUM_REQUIRED[keyword.lower()]
    if is_short or (_is_broken_corner(words) if keyword in b"fF" else _is_broken_number(words[-1])):
        text = format_text(line.decode(errors="replace"), 80)
        raise MeshError(f"{path}: ends with '{text}'; {CUT_OFF}", reason="cut off")


def _is_broken_corner(words: list[bytes]) -> bool:
    """Return True if the last corner has fewer references than the first, or one that is no number."""
    first, last = (word.split(b"/") for word in (words[0], words[-1]))
    has_others = [bool(part) for part in first] != [bool(part) for part in last]
    return has_others or not all(part.lstrip(b"-").isdigit() for part in last if part)


def _is_broken_number(word: bytes) -> bool:
    """Return True if a word is the beginning of a number."""
    number = parse_number(word.decode(errors="replace"))
    return number != number and _UNFINISHED.search(word) is not None
