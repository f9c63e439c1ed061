"""Listings of folders for the search for files: by name, in whatever case and Unicode form."""

import os
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from turntable.renderer.meshes.mesh_suffixes import is_mesh_name
from turntable.renderer.meshes.root_folder import MAX_DEPTH, RootFolder, decode_disk_path

MAX_FOLDERS_KEPT, MAX_INDICES_KEPT = 8, 2
"""Most listings of one folder, and most listings of a whole tree, that a process keeps."""


def fold_name(name: str) -> str:
    """Return a form of a name that is the same for all of its cases and Unicode forms."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", decode_disk_path(name)).casefold())


def list_folder(folder: Path, max_entries: int) -> dict[str, list[str]]:
    """List the names in a folder by their folded form; none if it has too many or cannot be read.

    A folder is listed once for many objects, and again after it has changed.
    """
    try:
        return _list_folder(folder, folder.stat().st_mtime_ns, max_entries)
    except (OSError, ValueError):
        return {}


@lru_cache(MAX_FOLDERS_KEPT)
def _list_folder(folder: Path, modified_ns: int, max_entries: int) -> dict[str, list[str]]:  # noqa: ARG001
    """List the names in a folder. The time of its last change is part of the cache's key alone."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    with os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number >= max_entries:
                return {}
            names[fold_name(entry.name)].append(entry.name)
    return dict(names)


@dataclass(frozen=True, slots=True, eq=False)
class FolderIndex:
    """The files of a tree of folders. Paths are relative to it, with slashes; "" is the folder itself."""

    folder: Path
    """Folder that was listed, without symbolic links."""
    is_complete: bool
    """True if the whole tree was listed: it has no more entries than the limit."""
    paths_by_name: dict[str, tuple[str, ...]]
    """Sorted paths of the files by folded name, without the meshes."""
    mesh_folders: frozenset[str]
    """Folders that hold a mesh, directly or deeper."""
    mesh_stems: dict[str, tuple[str, ...]]
    """Folded names without suffix of the meshes that lie directly in a folder."""

    @property
    def num_meshes(self) -> int:
        """Number of meshes in the tree."""
        return sum(map(len, self.mesh_stems.values()))

    def find_below(self, name: str, folder: str) -> tuple[str, ...]:
        """Return the paths of the files of a folded name in a folder or deeper."""
        paths = self.paths_by_name.get(name, ())
        if not folder:
            return paths
        # "0" is the character after "/".
        return paths[bisect_left(paths, f"{folder}/") : bisect_left(paths, f"{folder}0")]


def index_folder(folder: Path, max_entries: int, root: RootFolder) -> FolderIndex:
    """Return the index of a tree of folders, made once for many objects.

    Args:
        folder: Folder without symbolic links, but for those that lead out of the root.
        max_entries: Most files and folders listed.
        root: Root, which says where links out of it may lead.
    """
    return _index_folder(folder, max_entries, root)


def forget_indices() -> None:
    """Forget all listings, because the files on the disk may have changed."""
    _index_folder.cache_clear()
    _list_folder.cache_clear()


@lru_cache(MAX_INDICES_KEPT)
def _index_folder(folder: Path, max_entries: int, root: RootFolder) -> FolderIndex:
    """List a tree of folders.

    Links to folders in the root are not followed: what is in them has a place of its own. Those that may lead
    out of it are.
    """
    paths: defaultdict[str, list[str]] = defaultdict(list)
    stems: defaultdict[str, list[str]] = defaultdict(list)
    targets: tuple[str, ...] = (str(folder.resolve()),) if root.links_under else ()
    stack: list[tuple[str, int, tuple[str, ...]]] = [("", 0, targets)]
    num_entries = 0
    while stack:
        relative, depth, targets = stack.pop()
        start = f"{relative}/" if relative else ""
        try:
            with os.scandir(folder / relative) as entries:
                for entry in entries:
                    num_entries += 1
                    if num_entries > max_entries:
                        return FolderIndex(folder, False, {}, frozenset(), {})
                    if entry.is_dir(follow_symlinks=False):
                        if depth < MAX_DEPTH:
                            stack.append((start + entry.name, depth + 1, targets))
                    elif root.links_under and (target := _follow_link(entry, root, targets)):
                        if depth < MAX_DEPTH:
                            stack.append((start + entry.name, depth + 1, (*targets, target)))
                    elif is_mesh_name(entry.name):
                        stems[relative].append(fold_name(entry.name.rpartition(".")[0]))
                    else:
                        paths[fold_name(entry.name)].append(start + entry.name)
        except OSError:  # a folder that cannot be read holds nothing that could be used
            continue
    return FolderIndex(
        folder,
        True,
        {name: tuple(sorted(found)) for name, found in paths.items()},
        frozenset(_add_parents(stems)),
        {relative: tuple(names) for relative, names in stems.items()},
    )


def _follow_link(entry: "os.DirEntry[str]", root: RootFolder, targets: tuple[str, ...]) -> str | None:
    """Return the folder that a link out of the root may lead to; None for any other entry.

    Args:
        entry: Entry of a folder.
        root: Root, which says where its links may lead.
        targets: Folders that the links on the way here lead to, into which no link goes again.
    """
    if not entry.is_symlink():
        return None
    target = os.path.realpath(entry.path)
    is_circle = any(f"{passed}/".startswith(f"{target}/") for passed in targets)
    allowed = not is_circle and root.is_linked(Path(target)) and os.path.isdir(target)  # noqa: PTH112
    return target if allowed else None


def _add_parents(folders: Iterable[str]) -> set[str]:
    """Return these folders and all folders that contain them."""
    found = set[str]()
    for folder in folders:
        found.add("")
        while folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found
