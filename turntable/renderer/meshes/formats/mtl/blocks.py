"""The blocks of MTL files, and the files that hold the blocks of an OBJ file."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from turntable.errors import MeshError, format_text
from turntable.renderer.meshes.formats.files import ObjectFiles, decode_name
from turntable.renderer.meshes.formats.wavefront_text import normalize_text, strip_comment

SUFFIX = ".mtl"
"""Suffix of material files."""
NO_MATERIALS = "its materials are gray"
"""End of warnings about material files that are not read."""
_CONTINUATION = re.compile(rb"\\\n")
"""A backslash at the end of a line, which continues it on the next."""
_WORDS = re.compile(r'"[^"]*"|\S+')
"""The words of a list of names, of which some may be quoted."""


@dataclass(slots=True)
class MtlBlock:
    """One ``newmtl`` block of an MTL file."""

    name: str
    """Name of the material."""
    path: Path
    """Path of the file."""
    values: dict[str, str] = field(default_factory=dict)
    """Statements by keyword in lower case. The last statement of a keyword wins."""


@dataclass(slots=True)
class MtlLibrary:
    """The materials that the files of an object define."""

    is_whole: bool = True
    """False if a file that the object names could not be read."""
    _blocks: dict[str, MtlBlock] = field(default_factory=dict)
    """Blocks by name as written."""
    _plain: dict[str, MtlBlock] = field(default_factory=dict)
    """The blocks by name without quotes, comments and extra blanks."""

    def add(self, block: MtlBlock) -> None:
        """Add a block, in place of an earlier one of the same name."""
        self._blocks[block.name] = block
        self._plain[_strip_name(block.name)] = block

    def find(self, name: str) -> MtlBlock | None:
        """Find the block of a material by its name as written, else by the plain one."""
        return self._blocks.get(name) or self._plain.get(_strip_name(name))

    def is_empty(self) -> bool:
        """Return True if no material is defined."""
        return not self._blocks

    def add_missing(self, other: "MtlLibrary") -> None:
        """Add the blocks of another library whose names are not defined here."""
        for name, block in other._blocks.items():
            if name not in self._blocks:
                self.add(block)


def read_library(
    obj_path: Path, libraries: Iterable[str], names: Iterable[str], files: ObjectFiles
) -> MtlLibrary:
    """Read the MTL files that an OBJ file names.

    The file beside it that has its name is asked too, as in Blender, for materials that no other defines: the
    two were renamed together.

    Args:
        obj_path: Path of the OBJ file.
        libraries: Texts of its ``mtllib`` lines.
        names: Names of the materials that it uses.
        files: Access to the files of the object.
    """
    folder, library = obj_path.parent, MtlLibrary()
    paths, missing = _find_files(folder, libraries, files)
    for path in paths:
        library.is_whole &= _read_file(path, files, library)
    undefined = [name for name in names if library.find(name) is None]
    own = files.find(folder, f"{obj_path.stem}{SUFFIX}") if undefined else None
    if own is not None and own not in paths:
        other = MtlLibrary()
        _read_file(own, files, other)
        if any(other.find(name) for name in undefined):
            library.add_missing(other)
            _report_own_library(own, missing, files)
            return library
    for name in missing:
        path = files.find_or_warn(folder, name, "material file", NO_MATERIALS)
        library.is_whole &= path is not None and _read_file(path, files, library)
    return library


def _find_files(folder: Path, libraries: Iterable[str], files: ObjectFiles) -> tuple[list[Path], list[str]]:
    """Find the material files that the lines of an OBJ file name, each once.

    Returns:
        The paths, and the names of which there is no file.
    """
    paths: dict[Path, None] = {}
    missing: dict[str, None] = {}
    for text in dict.fromkeys(libraries):
        for name in _split_names(text, folder, files):
            path = _find_file(name, folder, files)
            if path is None:
                missing[name] = None
            else:
                paths[path] = None
    return [*paths], [*missing]


def _strip_name(name: str) -> str:
    """Return a name without quotes around it, a comment behind it and repeated blanks."""
    return " ".join(strip_comment(name).strip().strip('"').split())


def _split_names(text: str, folder: Path, files: ObjectFiles) -> Iterator[str]:
    """Split the names of a ``mtllib`` line. A name may contain blanks, with or without quotes around it."""
    text = text.strip()
    if not text or files.find(folder, text) is not None:
        yield from filter(None, (text,))
        return
    start: int | None = None
    end = 0
    for match in _WORDS.finditer(text):
        word = match[0]
        if word.startswith("#"):
            break
        start, end = match.start() if start is None else start, match.end()
        if word.strip('"').lower().endswith(SUFFIX):
            yield from _split_name(text[start:end], folder, files)
            start = None
    if start is not None:
        yield from _split_name(text[start:end], folder, files)


def _split_name(name: str, folder: Path, files: ObjectFiles) -> Iterator[str]:
    """Split a name at its blanks if only its parts are names of files."""
    name = name.strip('"')
    words = name.split()
    if len(words) > 1 and files.find(folder, name) is None and files.find(folder, words[-1]) is not None:
        yield from (word for word in words if files.find(folder, word) is not None)
    else:
        yield name


def _find_file(name: str, folder: Path, files: ObjectFiles) -> Path | None:
    """Find a material file where its name says, or beside the mesh if the name leads elsewhere."""
    path = files.find(folder, name)
    file_name = re.split(r"[\\/]", name)[-1]
    if path is None and file_name != name:
        path = files.find(folder, file_name) if file_name else None
        if path is not None:
            detail = f"material file {format_text(name)} is not there"
            files.log.add("file-elsewhere", detail, f"{format_text(file_name)} beside the mesh is used")
    return path


def _report_own_library(path: Path, missing: Sequence[str], files: ObjectFiles) -> None:
    """Report that materials come from the file that has the name of the mesh."""
    shown = f"{format_text(path.name)} beside the mesh is used"
    for name in missing:
        files.log.add("file-elsewhere", f"material file {format_text(name)} is missing", shown)
    if not missing:
        files.log.add("file-elsewhere", "no material file that is named defines all materials", shown)


def _read_file(path: Path, files: ObjectFiles, library: MtlLibrary) -> bool:
    """Add the blocks of an MTL file to a library. Add a warning and return False if it cannot be read."""
    try:
        data = files.read(path)
    except MeshError as error:
        files.log.add("file-unreadable", files.format_error(error), NO_MATERIALS)
        return False
    for block in _parse_blocks(_CONTINUATION.sub(b" ", normalize_text(data)), path):
        library.add(block)
    return True


def _parse_blocks(data: bytes, path: Path) -> list[MtlBlock]:
    """Parse the blocks of an MTL file."""
    blocks: list[MtlBlock] = []
    for line in data.split(b"\n"):
        words = line.split(None, 1)
        if not words:
            continue
        word, rest = words[0].lower(), words[1] if len(words) > 1 else b""
        if word == b"newmtl":
            blocks.append(MtlBlock(decode_name(rest.strip()), path))
        elif blocks and not word.startswith(b"#"):
            blocks[-1].values[decode_name(word)] = decode_name(rest.strip())
    return blocks
