"""An OBJ parser that reads line by line.

It is slow, but it accepts every way of writing an OBJ file and says exactly what is wrong with a broken one.
``obj_fast_parser`` reads the usual files many times faster.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.obj_statements import ObjStatements

CUT_OFF = "the file seems to be cut off; get it again from its source"
"""End of messages about files that seem incomplete."""


def parse_obj_lines(data: bytes, path: Path) -> ObjStatements:
    """Parse the statements of an OBJ file.

    Args:
        data: Content of the file.
        path: Path of the file, for messages.

    Raises:
        MeshError: A line does not hold what its keyword requires.
    """
    # A backslash at the end of a line continues it on the next.
    if b"\\\n" in data or b"\\\r\n" in data:
        data = re.sub(rb"\\\r?\n", b" ", data)
    numbers: dict[bytes, list[bytes]] = {b"v": [], b"vt": [], b"vn": []}
    faces: list[bytes] = []
    face_material: list[int] = []
    defined: list[tuple[int, int, int]] = []
    names: dict[str, int] = {}
    libraries: list[str] = []
    current = 0
    for line in data.split(b"\n"):
        word, rest = _split_first_word(line)
        if word == b"f":
            faces.append(rest)
            face_material.append(current)
            defined.append((len(numbers[b"v"]), len(numbers[b"vt"]), len(numbers[b"vn"])))
        elif word in numbers:
            numbers[word].append(rest)
        elif word == b"usemtl":
            current = names.setdefault(rest.strip().decode("utf-8", "replace"), len(names) + 1)
        elif word == b"mtllib":
            libraries.append(rest.strip().decode("utf-8", "replace"))
    sizes = _count_corners(faces, path)
    return ObjStatements(
        positions=_parse_numbers(numbers[b"v"], 3, path, "v"),
        texcoords=_parse_numbers(numbers[b"vt"], 2, path, "vt"),
        normals=_parse_numbers(numbers[b"vn"], 3, path, "vn"),
        corners=np.array(
            [_parse_corner(word, path) for face in faces for word in face.split()], dtype=np.int64
        )
        .reshape(-1, 3)
        .T,
        face_sizes=sizes,
        num_defined=np.array(defined, dtype=np.int64).reshape(-1, 3).T,
        face_material=np.array(face_material, dtype=np.int32),
        material_names=names,
        libraries=tuple(libraries),
    )


def _split_first_word(line: bytes) -> tuple[bytes, bytes]:
    """Split a line into its first word and the rest."""
    parts = line.split(None, 1)
    return (parts[0] if parts else b""), (parts[1] if len(parts) > 1 else b"")


def _parse_numbers(lines: Sequence[bytes], width: int, path: Path, keyword: str) -> NDArray[np.float64]:
    """Parse lines of numbers [N, width]. Further numbers on a line (vertex colors, w) are ignored."""
    rows = np.zeros((len(lines), width))
    for number, line in enumerate(lines):
        words = line.split()
        try:
            values = [float(word) for word in words[:width]]
        except ValueError:
            values = []
        # A texture coordinate may leave v out.
        if len(values) < width and not (keyword == "vt" and len(values) == 1):
            raise MeshError(
                f"{path}: '{keyword} {_format_excerpt(line)}' (number {number + 1}): {CUT_OFF}",
                reason="cut off",
            )
        rows[number, : len(values)] = values
    return rows


def _count_corners(faces: Sequence[bytes], path: Path) -> NDArray[np.intp]:
    """Count the corners of each face [F], and check that there are at least 3."""
    sizes = np.array([len(face.split()) for face in faces], dtype=np.intp)
    if (sizes < 3).any():
        number = int(np.argmax(sizes < 3))
        raise MeshError(f"{path}: face {number + 1} has fewer than 3 corners; {CUT_OFF}", reason="cut off")
    return sizes


def _parse_corner(word: bytes, path: Path) -> tuple[int, int, int]:
    """Parse a corner such as ``1/2/3`` or ``1//3`` into three references, 0 for one left out."""
    parts = word.split(b"/")
    try:
        position = int(parts[0])
        texcoord = int(parts[1]) if len(parts) > 1 and parts[1] else 0
        normal = int(parts[2]) if len(parts) > 2 and parts[2] else 0
        # Python's integers have no bound; larger ones would overflow when references are resolved in int64.
        if max(abs(position), abs(texcoord), abs(normal)) >= 2**62:
            raise ValueError  # noqa: TRY301
    except ValueError as error:
        raise MeshError(
            f"{path}: '{_format_excerpt(word)}' is not a corner of a face; {CUT_OFF}", reason="cut off"
        ) from error
    return position, texcoord, normal


def _format_excerpt(text: bytes) -> str:
    """Return the beginning of a line for a message, since a line can have a million letters."""
    return format_text(text.decode(errors="replace"), 80)
