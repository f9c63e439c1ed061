"""An OBJ file line by line: slow, at home in every way of writing one, and exact about what is wrong."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MeshError, shown
from turntable.renderer.meshes.formats.obj_text import ObjText

CUT_OFF = "the file seems to be cut off; get it again from its source"


def read_lines(data: bytes, path: Path) -> ObjText:
    """The statements of a file.

    Raises:
        MeshError: A line is not what its first word promises.
    """
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
        word, rest = _first_word(line)
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
    sizes = _sizes(faces, path)
    return ObjText(
        positions=_numbers(numbers[b"v"], 3, path, "v"),
        texcoords=_numbers(numbers[b"vt"], 2, path, "vt"),
        normals=_numbers(numbers[b"vn"], 3, path, "vn"),
        corners=np.array([_corner(word, path) for face in faces for word in face.split()], dtype=np.int64)
        .reshape(-1, 3)
        .T,
        sizes=sizes,
        defined=np.array(defined, dtype=np.int64).reshape(-1, 3).T,
        face_material=np.array(face_material, dtype=np.int32),
        material_names=names,
        libraries=tuple(libraries),
    )


def _first_word(line: bytes) -> tuple[bytes, bytes]:
    parts = line.split(None, 1)
    return (parts[0] if parts else b""), (parts[1] if len(parts) > 1 else b"")


def _numbers(lines: Sequence[bytes], width: int, path: Path, keyword: str) -> NDArray[np.float64]:
    """[N, width]; further numbers on a line (vertex colours, w) are ignored."""
    rows = np.zeros((len(lines), width))
    for number, line in enumerate(lines):
        words = line.split()
        try:
            found = [float(word) for word in words[:width]]
        except ValueError:
            found = []
        # A texture coordinate may leave v out.
        if len(found) < width and not (keyword == "vt" and len(found) == 1):
            raise MeshError(
                f"{path}: '{keyword} {_shown(line)}' (number {number + 1}): {CUT_OFF}", reason="cut off"
            )
        rows[number, : len(found)] = found
    return rows


def _sizes(faces: Sequence[bytes], path: Path) -> NDArray[np.intp]:
    sizes = np.array([len(face.split()) for face in faces], dtype=np.intp)
    if (sizes < 3).any():
        number = int(np.argmax(sizes < 3))
        raise MeshError(f"{path}: face {number + 1} has fewer than 3 corners; {CUT_OFF}", reason="cut off")
    return sizes


def _corner(word: bytes, path: Path) -> tuple[int, int, int]:
    parts = word.split(b"/")
    try:
        position = int(parts[0])
        texcoord = int(parts[1]) if len(parts) > 1 and parts[1] else 0
        normal = int(parts[2]) if len(parts) > 2 and parts[2] else 0
        if max(abs(position), abs(texcoord), abs(normal)) >= 2**62:
            raise ValueError  # noqa: TRY301
    except ValueError as error:
        raise MeshError(
            f"{path}: '{_shown(word)}' is no corner of a face; {CUT_OFF}", reason="cut off"
        ) from error
    return position, texcoord, normal


def _shown(text: bytes) -> str:
    """The beginning of a text, for a message: a line can have a million letters."""
    return shown(text.decode(errors="replace"), 80)
