"""The walk through the folders of a source: which are entered, and what is said of the others."""

import os
from collections.abc import Iterator
from pathlib import Path

from turntable.errors import InvalidInputError, format_text
from turntable.renderer.meshes.mesh_suffixes import is_mesh_name
from turntable.renderer.meshes.mesh_warnings import WarningLog
from turntable.renderer.meshes.root_folder import MAX_DEPTH, RootFolder, open_root

OUTSIDE = "it is a link that leads outside --meshes, which --links-under would allow"
"""Text about a link that leads to a folder outside the root."""
NOT_LISTED = "nothing in it is listed"
"""Text about what is shown instead of a folder that is not entered."""


def iter_files_below(
    folder: Path | RootFolder, suffixes: tuple[str, ...], problems: WarningLog | None = None
) -> Iterator[Path]:
    """Iterate over the regular files below a folder with one of these suffixes, without hidden ones.

    Links are followed, except those to folders outside the root. A folder that can be reached in several ways
    is entered once, by the shortest.

    Args:
        folder: Folder to search, which is the root; or the root, with where its links may lead.
        suffixes: Suffixes in lower case. Those of the files may be in any case.
        problems: Log that gets a warning for each folder that is not entered.

    Raises:
        InvalidInputError: A folder lies deeper than ``MAX_DEPTH``, which no collection of meshes needs.
    """
    root, depth = open_root(folder), 0
    visited: set[str] = set()
    level = [(str(root.path), str(root.resolved))]
    while level:
        folders: list[tuple[str, str]] = []
        links: list[tuple[str, str]] = []
        for path, resolved in level:
            if depth > MAX_DEPTH:
                raise InvalidInputError(
                    f"{root.path} has folders {depth} deep within one another ({format_text(path)}); give "
                    "the folder that holds the meshes"
                )
            if resolved in visited:
                continue
            visited.add(resolved)
            for entry in scan_folder(path, root, problems):
                if entry.is_dir(follow_symlinks=False):
                    folders.append((entry.path, f"{resolved}/{entry.name}"))
                elif entry.name.lower().endswith(suffixes) and _is_file(entry):
                    # macOS leaves files such as "._model.obj" beside the real ones on foreign disks.
                    if not entry.name.startswith("."):
                        yield Path(entry.path)
                elif entry.is_symlink() and not _is_file(entry):
                    target = follow_link(entry, root, problems)
                    links += [] if target is None else [(entry.path, target)]
        # Folders before links: of two paths of the same length, the one without a link is taken.
        level, depth = folders + links, depth + 1


def scan_folder(
    path: "str | Path", root: RootFolder, problems: WarningLog | None = None
) -> "list[os.DirEntry[str]]":
    """Return the entries of a folder below the root; none, with a warning, if it cannot be read."""
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError as error:
        if problems is not None:
            detail = f"the folder cannot be read ({error.strerror})"
            problems.add("folder-unreadable", detail, NOT_LISTED, root.format_path(Path(path)))
        return []


def follow_link(
    entry: "os.DirEntry[str]", root: RootFolder, problems: WarningLog | None = None
) -> str | None:
    """Return the folder that a link leads to, if it lies inside the root; None for any other link.

    Args:
        entry: Link below the root that leads to no regular file.
        root: Root, which no link may leave.
        problems: Log that gets a warning if the link leads to a folder outside the root, or nowhere.
    """
    target = os.path.realpath(entry.path)
    is_inside = root.contains(Path(target))
    if is_inside and os.path.isdir(target):  # noqa: PTH112  a string, as all paths of the walk
        return target
    # Links to images and the like are told of where a mesh names them.
    if problems is not None and (is_mesh_name(entry.name) or "." not in entry.name):
        file = root.format_path(Path(entry.path))
        if is_inside:
            problems.add("folder-unreadable", "it is a link to nothing that can be read", NOT_LISTED, file)
        else:
            problems.add("folder-outside", OUTSIDE, NOT_LISTED, file)
    return None


def is_folder_inside(entry: "os.DirEntry[str]", root: RootFolder) -> bool:
    """Return True if an entry is a folder, or a link to one inside the root."""
    if entry.is_symlink():
        return follow_link(entry, root) is not None
    return entry.is_dir(follow_symlinks=False)


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """Return True if an entry is a regular file or a link to one."""
    try:
        return entry.is_file()
    except OSError:  # symbolic links in a circle
        return False
