"""An OBJ parser that reads line by line.

It is slow, but it accepts every way of writing an OBJ file, and marks what cannot be read in a broken one.
``fast_parser`` reads the usual files many times faster.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.files import decode_name
from turntable.renderer.meshes.formats.obj.statements import (
    MAX_EXTRAS,
    NUM_CHANNELS,
    ObjStatements,
    count_other_statements,
    number_material,
)
from turntable.renderer.meshes.formats.wavefront_text import rewrite_statements

MAX_REFERENCE = 2**62
"""Bound of references. Python's integers have none; larger ones would overflow when they are resolved."""


@dataclass(frozen=True, slots=True, eq=False)
class _ObjLines:
    """The lines of an OBJ file without their keywords, and what is known where they stand."""

    numbers: dict[bytes, list[bytes]] = field(default_factory=lambda: {b"v": [], b"vt": [], b"vn": []})
    """Lines of numbers by keyword."""
    faces: list[bytes] = field(default_factory=list)
    """Lines of faces."""
    face_material: list[int] = field(default_factory=list)
    """Number of the material in force at each face."""
    num_defined: list[tuple[int, ...]] = field(default_factory=list)
    """Numbers of v, vt and vn lines above each face."""
    material_names: dict[str, int] = field(default_factory=dict)
    """Number of each material by name."""
    libraries: list[str] = field(default_factory=list)
    """Texts of the ``mtllib`` lines."""
    painted: list[tuple[int, bytes]] = field(default_factory=list)
    """The ``#MRGB`` comments: number of v lines above, and text."""
    others: list[bytes] = field(default_factory=list)
    """Keywords of the other lines in lower case."""


def parse_obj_lines(data: bytes) -> ObjStatements:
    """Parse the statements of an OBJ file.

    Args:
        data: Content of the file as ``normalize_text`` returns it.
    """
    lines = _sort_lines(data)
    vertices = [line.split() for line in lines.numbers[b"v"]]
    faces = [line.split() for line in lines.faces]
    corners = np.array([_parse_corner(word) for face in faces for word in face], dtype=np.int64)
    return ObjStatements(
        positions=_parse_numbers(vertices, 3, 3),
        extras=_parse_extras(vertices),
        texcoords=_parse_numbers([line.split() for line in lines.numbers[b"vt"]], 2, 1),
        normals=_parse_numbers([line.split() for line in lines.numbers[b"vn"]], 3, 3),
        corners=corners.reshape(-1, 3).T,
        face_sizes=np.array([len(face) for face in faces], dtype=np.intp),
        num_defined=np.array(lines.num_defined, dtype=np.int64).reshape(-1, 3).T,
        face_material=np.array(lines.face_material, dtype=np.int32),
        material_names=lines.material_names,
        libraries=tuple(lines.libraries),
        painted=tuple(lines.painted),
        others=count_other_statements(lines.others),
    )


def _sort_lines(data: bytes) -> _ObjLines:
    """Sort the lines of an OBJ file by their keywords."""
    lines, material = _ObjLines(), 0
    for line in rewrite_statements(data).split(b"\n"):
        word, rest = _split_first_word(line)
        if word == b"f":
            lines.faces.append(rest)
            lines.face_material.append(material)
            lines.num_defined.append(tuple(map(len, lines.numbers.values())))
        elif word in lines.numbers:
            lines.numbers[word].append(rest)
        elif word == b"usemtl":
            material = number_material(lines.material_names, decode_name(rest.strip()))
        elif word == b"mtllib":
            lines.libraries.append(decode_name(rest.strip()))
        elif word == b"#MRGB":
            lines.painted.append((len(lines.numbers[b"v"]), rest))
        else:
            lines.others.append(word[:16].lower())
    return lines


def _split_first_word(line: bytes) -> tuple[bytes, bytes]:
    """Split a line into its first word and the rest."""
    parts = line.split(None, 1)
    return (parts[0] if parts else b""), (parts[1] if len(parts) > 1 else b"")


def _parse_numbers(lines: Sequence[Sequence[bytes]], width: int, required: int) -> NDArray[np.float64]:
    """Parse the first words of lines as numbers [N, width].

    A line with fewer numbers than required is NaN; the others that it lacks are 0.
    """
    rows = np.zeros((len(lines), width))
    for number, words in enumerate(lines):
        values = [_parse_float(word) for word in words[:width]]
        if len(values) < required:
            rows[number] = np.nan
        else:
            rows[number, : len(values)] = values
    return rows


def _parse_extras(lines: Sequence[Sequence[bytes]]) -> NDArray[np.float64] | None:
    """Parse what follows positions, NaN where a line has fewer numbers; None if no line has a color."""
    columns = min(max((len(words) for words in lines), default=0) - 3, MAX_EXTRAS)
    if columns < NUM_CHANNELS:
        return None
    rows = np.full((len(lines), columns), np.nan)
    for number, words in enumerate(lines):
        values = [_parse_float(word) for word in words[3 : 3 + columns]]
        rows[number, : len(values)] = values
    return rows


def _parse_float(word: bytes) -> float:
    """Parse a number; NaN if it is none, as are ``1.#QNAN`` and ``-1.#IND``."""
    try:
        return float(word)
    except ValueError:
        return float("nan")


def _parse_corner(word: bytes) -> tuple[int, int, int]:
    """Parse a corner such as ``1/2/3`` or ``1//3`` into three references, 0 for one left out.

    A reference that is no number becomes one that no file defines.
    """
    parts = word.split(b"/", 3)
    return (
        _parse_reference(parts[0]),
        _parse_reference(parts[1]) if len(parts) > 1 else 0,
        _parse_reference(parts[2]) if len(parts) > 2 else 0,
    )


def _parse_reference(word: bytes) -> int:
    """Parse a reference, 0 if it is left out."""
    try:
        return max(min(int(word), MAX_REFERENCE), -MAX_REFERENCE) if word else 0
    except ValueError:
        return MAX_REFERENCE
