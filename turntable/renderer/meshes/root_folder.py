"""The root of a source, outside of which no file is opened, and its names as they lie on the disk."""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from turntable.errors import format_text

_CACHE_NAME = re.compile(r"(models|datasets|spaces)--.+")
"""Names of the folders of a Hugging Face cache, one for each repository."""

MAX_DEPTH = 32
"""Most folders within folders that are searched."""
MAX_LINKED_PARTS = 256
"""Most parts of a path that passes a link out of the root. Its parts are resolved one by one."""

Place = Literal["inside", "outside", "missing"]
"""Place of a file: a regular file inside the root, something outside it, or no regular file."""


@dataclass(frozen=True, slots=True)
class RootFolder:
    """A folder that the files of meshes may not lie outside of, not even by a symbolic link.

    In a Hugging Face cache, every file of ``snapshots/{revision}`` is a link into the folder ``blobs`` of the
    same repository. That folder counts as inside. So does what links below the root lead to, if it lies under
    a folder that the user named for that. Such files keep their paths through the links, as a copy would have
    them.
    """

    path: Path
    """Path as the user gave it."""
    resolved: Path
    """Path without symbolic links."""
    blobs: Path | None
    """Folder of the contents, if the root lies in the snapshots of a Hugging Face cache."""
    links_under: tuple[Path, ...] = ()
    """Folders without symbolic links that links may lead into, besides the root."""

    def contains(self, resolved: Path) -> bool:
        """Return True if a path without symbolic links lies inside the root, or where its links may lead."""
        return resolved.is_relative_to(self.resolved) or self.is_blob(resolved) or self.is_linked(resolved)

    def is_blob(self, resolved: Path) -> bool:
        """Return True if a path without symbolic links is a content of the Hugging Face cache."""
        return self.blobs is not None and resolved.is_relative_to(self.blobs)

    def is_linked(self, resolved: Path) -> bool:
        """Return True if a path without symbolic links lies outside, under a folder for links."""
        return not resolved.is_relative_to(self.resolved) and any(
            map(resolved.is_relative_to, self.links_under)
        )

    def restore_name(self, path: Path, resolved: Path) -> Path | None:
        """Return the resolved path of a file or folder; for a content of a cache, that of the link to it.

        Returns:
            What lies under a folder for links has its path through the link. None if it has none: the path
            that a file gives leads there without a link.
        """
        if self.is_blob(resolved):
            return path.parent.resolve() / path.name
        return self._restore_linked(path) if self.is_linked(resolved) else resolved

    def _restore_linked(self, path: Path) -> Path | None:
        """Return a path below the root whose parts are resolved up to the link that leaves the root."""
        if len(path.parts) > MAX_LINKED_PARTS:
            return None
        for folder in path.parents:
            resolved = folder.resolve()
            if resolved.is_relative_to(self.resolved):
                named = resolved / path.relative_to(folder)
                # ".." behind a link leads to the folder above its target. By its name, as below the root, it
                # must still lie in the root: then no file's path says where on the machine the target lies.
                return named if Path(os.path.normpath(named)).is_relative_to(self.resolved) else None
        return None

    def resolve_folder(self, path: Path) -> Path:
        """Return a folder's path without symbolic links, up to the link if one leads out of the root."""
        try:
            resolved = path.resolve()
            return self.restore_name(path, resolved) or resolved
        except (OSError, RuntimeError, ValueError):
            return path

    def locate(self, path: Path) -> tuple[Place, Path]:
        """Find out where a path leads. What lies outside is not looked at.

        Returns:
            The place, and the path without symbolic links. A content of a Hugging Face cache keeps the name
            of the link to it, which has the suffix.
        """
        try:
            resolved = path.resolve()
            if not self.contains(resolved):
                return "outside", resolved
            if not stat.S_ISREG(resolved.stat().st_mode):
                return "missing", resolved
            restored = self.restore_name(path, resolved)
        except (OSError, RuntimeError, ValueError):
            # No such file; a name that is too long or contains NUL; symbolic links in a circle.
            return "missing", path
        return ("outside", resolved) if restored is None else ("inside", restored)

    def format_path(self, path: Path) -> str:
        """Return the path relative to the root, for warnings; its last part if it lies elsewhere."""
        for root in (self.path, self.resolved):
            if path.is_relative_to(root):
                return format_text(decode_disk_path(path.relative_to(root).as_posix()))
        return format_text(decode_disk_path(path.name))


def open_root(path: Path | RootFolder, links_under: Iterable[Path] = ()) -> RootFolder:
    """Return the root folder of this path, which need not exist.

    Args:
        path: Path of the folder; a root folder is returned as it is.
        links_under: Folders that links below the root may lead into, besides the root.
    """
    if isinstance(path, RootFolder):
        return path
    allowed = tuple(_resolve(folder) for folder in links_under)
    resolved = _resolve(path)
    return RootFolder(path, resolved, _find_blobs(resolved), allowed)


def _resolve(path: Path) -> Path:
    """Return a path without symbolic links, or as it is if it cannot be resolved."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # symbolic links in a circle; a path that contains NUL
        return path


def _find_blobs(resolved: Path) -> Path | None:
    """Return the folder of the contents of a Hugging Face cache, if the path lies in its snapshots."""
    for folder in (resolved, *resolved.parents):
        if folder.name == "snapshots" and _CACHE_NAME.fullmatch(folder.parent.name):
            blobs = folder.parent / "blobs"
            # A link would lead out of the cache.
            return blobs if blobs.is_dir() and not blobs.is_symlink() else None
    return None


def decode_disk_path(path: str) -> str:
    """Return a path in which every part that is not UTF-8 on the disk is decoded as Latin-1."""
    if path.isascii():
        return path
    return "/".join(map(_decode_part, path.split("/")))


def _decode_part(part: str) -> str:
    """Decode one part of a path. Python gives bytes that are not UTF-8 as surrogates."""
    try:
        return os.fsencode(part).decode("utf-8")
    except UnicodeDecodeError:
        return os.fsencode(part).decode("latin-1")
    except UnicodeEncodeError:  # surrogates that stand for no byte, as a glTF file may have them in its JSON
        return part.encode("utf-8", "replace").decode("utf-8")


def find_disk_path(root: Path, path: str) -> Path:
    """Return the path below a root whose decoded name this is: as it stands, or with parts in Latin-1.

    Args:
        root: Folder that the path is relative to.
        path: Path as ``decode_disk_path`` returns it.
    """
    exact = root / path
    if path.isascii() or os.path.lexists(exact):
        return exact
    found = root
    for part in path.split("/"):
        found = _find_part(found, part)
    return found


def _find_part(folder: Path, part: str) -> Path:
    """Return the path of a part in a folder, in Latin-1 if it exists so and not otherwise."""
    exact = folder / part
    try:
        encoded = folder / os.fsdecode(part.encode("latin-1"))
    except UnicodeEncodeError:
        return exact
    return encoded if not os.path.lexists(exact) and os.path.lexists(encoded) else exact
