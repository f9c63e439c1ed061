"""The search for a file that does not lie where a mesh says: inside the root, by path and then by name.

A missing texture of one object must never come from another object, so the search by name enters no folder
that holds another object's mesh. Names that many objects use, such as ``texture0.jpg``, are taken only from
folders whose names say that they hold textures.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from turntable.renderer.meshes.formats.files.folder_index import (
    FolderIndex,
    fold_name,
    index_folder,
    list_folder,
)
from turntable.renderer.meshes.formats.files.names import decode_percents
from turntable.renderer.meshes.root_folder import RootFolder

Outcome = Literal["found", "missing", "outside", "ambiguous"]
"""Outcome of a search."""

MAX_SUFFIXES = 32
"""Most parts at the end of an absolute path that are looked up in the object's folder."""
MAX_CANDIDATES = 256
"""Most files of one name that are compared. A name of more files is that of many objects."""

_DRIVE_OR_SCHEME = re.compile(r"[A-Za-z]:|file:", re.IGNORECASE)
"""Beginning of an absolute path of Windows, or of a URL of a file."""
_LETTERS = re.compile(r"[^\W\d_]+")
"""Words of a file name, without digits and what separates them."""
_SHARED_WORDS = frozenset(
    (
        *("albedo", "asset", "assets", "bitmap", "bitmaps", "color", "colors", "common", "data", "diffuse"),
        *("fbm", "file", "files", "graphics", "image", "images", "img", "imgs", "k", "lib", "library"),
        *("map", "maps"),
        *("mat", "material", "materials", "mats", "media", "mtl", "mtls", "pbr", "photo", "photos", "pic"),
        *("pics", "picture", "pictures", "res", "resource", "resources", "shared", "skin", "skins", "source"),
        *("sourceimages", "sources", "src", "tex", "texs", "texture", "textures", "uv"),
    )
)
"""Words of which the names of folders of shared textures are made."""
_COMMON_WORDS = _SHARED_WORDS | {
    *("ambient", "atlas", "baked", "base", "basecolor", "d", "default", "kd", "lambert", "mesh", "model"),
    *("none", "normal", "normalized", "obj", "object", "opacity", "phong", "roughness", "scan", "scene"),
    *("surface", "t", "unnamed", "untitled"),
}
"""Words of which the names of files are made that many objects have, such as ``texture0.jpg``."""


@dataclass(frozen=True, slots=True)
class SearchPlace:
    """The place of an object, around which its files are searched."""

    root: RootFolder
    """Folder that no file may lie outside."""
    limit: Path
    """Folder without symbolic links that the search by name does not leave: the root or one inside it."""
    folder: Path
    """Folder of the mesh file, without symbolic links."""
    stem: str
    """Name of the mesh file without its suffix."""
    max_entries: int
    """Most files and folders listed."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search."""

    outcome: Outcome
    """Outcome of the search."""
    path: Path | None = None
    """Path of the file, if one was found."""
    is_complete: bool = True
    """False if the root has too many entries to be searched."""


def search_file(place: SearchPlace, folder: Path, name: str) -> SearchResult:
    """Search for a file that does not lie where its name says.

    Args:
        place: Place of the object.
        folder: Folder that the name is relative to.
        name: Path of the file as the mesh file gives it.
    """
    outcome: Outcome = "missing"
    for start, parts in _iter_places(place, folder, name):
        result = _match_path(place, start, parts)
        if result.outcome == "found":
            return result
        outcome = _get_worse(outcome, result.outcome)
    file_name = re.split(r"[/\\]|^[A-Za-z]:", _clean_name(name))[-1]
    # What lies beside the object under one of its paths is more telling than what has its name alone.
    names = dict.fromkeys(fold_name(text) for text in (file_name, decode_percents(file_name)))
    is_complete = True
    for folded in names:
        result = _search_by_name(place, folded, name)
        if result.outcome == "found":
            return result
        outcome = _get_worse(outcome, result.outcome)
        is_complete = is_complete and result.is_complete
    return SearchResult(outcome, is_complete=is_complete)


def _get_worse(first: Outcome, second: Outcome) -> Outcome:
    """Return the outcome that says more about a file that was not found."""
    order: tuple[Outcome, ...] = ("missing", "outside", "ambiguous")
    return order[max(order.index(first), order.index(second))]


def _clean_name(name: str) -> str:
    """Return a name without blanks and quotes around it."""
    return name.strip().strip("\"'").strip()


def _iter_places(place: SearchPlace, folder: Path, name: str) -> Iterator[tuple[Path, list[str]]]:
    """Iterate over the paths that a name may mean: a folder, and parts relative to it."""
    cleaned = _clean_name(name)
    for text in dict.fromkeys((cleaned, decode_percents(cleaned))):
        path = text.replace("\\", "/")
        is_absolute = path.startswith("/") or _DRIVE_OR_SCHEME.match(path) is not None
        if not is_absolute:
            yield folder, path.split("/")
            # An archive of Windows, unpacked elsewhere, leaves files whose names have folders.
            if "/" in path:
                yield folder, [path.replace("/", "\\")]
            continue
        for root in dict.fromkeys((place.root.path, place.root.resolved)):
            if path.startswith(f"{root.as_posix()}/"):
                yield place.root.resolved, path[len(root.as_posix()) :].split("/")
        while match := _DRIVE_OR_SCHEME.match(path):
            path = path[match.end() :].lstrip("/")
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        for first in range(max(len(parts) - MAX_SUFFIXES, 0), len(parts)):
            yield folder, parts[first:]


def _match_path(place: SearchPlace, start: Path, parts: Sequence[str]) -> SearchResult:
    """Look up a path part by part, in whatever case and Unicode form."""
    current = start
    for part in parts:
        if part in ("", "."):
            continue
        if part == "..":
            current = current.parent
        else:
            names = list_folder(current, place.max_entries).get(fold_name(part), [])
            if part in names:
                names = [part]
            if len(names) != 1:
                return SearchResult("ambiguous" if names else "missing")
            current = current / names[0]
        if not _is_inside(place.root, current):
            return SearchResult("outside")
    return _check_found(place.root, current)


def _is_inside(root: RootFolder, path: Path) -> bool:
    """Return True if a path, of which only the last part may be a link, lies inside the root."""
    try:
        return root.contains(path.resolve() if path.is_symlink() else path)
    except (OSError, RuntimeError, ValueError):
        return False


def _check_found(root: RootFolder, path: Path) -> SearchResult:
    """Return the result for a path that was found, if it leads to a regular file inside the root."""
    location, resolved = root.locate(path)
    if location == "inside":
        return SearchResult("found", resolved)
    return SearchResult(location)


def _search_by_name(place: SearchPlace, folded: str, name: str) -> SearchResult:
    """Search by file name alone: in the object's own folder, then around it."""
    if not folded or not place.folder.is_relative_to(place.limit):
        return SearchResult("missing")
    root = place.root
    index, own = index_folder(place.limit, place.max_entries, root), place.folder.relative_to(place.limit)
    is_complete = index.is_complete
    if not is_complete:
        index, own = index_folder(place.folder, place.max_entries, root), Path()
    search = _NameSearch(index, place, folded, "" if own == Path() else own.as_posix())
    found = search.find_in_folder(name)
    for level in own.parents if own != Path() else ():
        if len(found) == 0:
            found = search.find_around("" if level == Path() else level.as_posix())
    if len(found) == 1:
        result = _check_found(place.root, index.folder / found[0])
        return result if result.outcome == "found" else SearchResult(result.outcome)
    return SearchResult("ambiguous" if found else "missing", is_complete=is_complete)


@dataclass(frozen=True, slots=True)
class _NameSearch:
    """A search for files of one name in the index of a tree."""

    index: FolderIndex
    """Index of the tree."""
    place: SearchPlace
    """Place of the object."""
    folded: str
    """Folded name of the file."""
    own: str
    """Folder of the object's mesh, relative to the tree."""

    def find_in_folder(self, name: str) -> Sequence[str]:
        """Find the file in the object's own folder and below. More than one path means that none is it.

        Args:
            name: Path of the file as the mesh file gives it.
        """
        stem, stems = fold_name(self.place.stem), self.index.mesh_stems.get(self.own, ())
        # Where each mesh of a folder names a folder of its own, a file beside them belongs to none.
        per_mesh = len(stems) > 1 and any(
            fold_name(part) == stem for part in name.replace("\\", "/").split("/")[:-1]
        )
        direct: list[str] = []
        below: list[str] = []
        for path in self.index.find_below(self.folded, self.own):
            folders = self._split_below(path, self.own)
            if not folders:
                if not (per_mesh and self._is_common()):
                    direct.append(path)
            elif not self._has_mesh(self.own, folders):
                owner = _find_owner(fold_name(folders[0]), stems)
                rest = fold_name(folders[0])[len(stem) :]
                is_own = owner == stem and (not rest or _are_shared([rest]))
                if is_own or (owner in (None, stem) and (_are_shared(folders) or not self._is_common())):
                    below.append(path)
            if len(below) > MAX_CANDIDATES:
                break
        return direct or below

    def find_around(self, level: str) -> Sequence[str]:
        """Find the file in a folder above the object and in its subfolders that hold no mesh.

        Args:
            level: Folder that contains the object's folder.
        """
        paths = self.index.find_below(self.folded, level)
        if len(paths) > MAX_CANDIDATES:
            return paths
        branch = self._split_below(f"{self.own}/", level)[0]
        shared: list[str] = []
        others: list[str] = []
        is_owned = False
        for path in paths:
            folders = self._split_below(path, level)
            if folders[:1] == [branch]:
                continue
            if self._is_owned(level, folders):
                is_owned = True
            elif folders and _are_shared(folders):
                shared.append(path)
            elif not self._is_common():
                others.append(path)
        if others and is_owned and not shared:
            return [*others, *others]  # other objects have files of this name, so it may be one of theirs
        return shared + others

    def _split_below(self, path: str, level: str) -> list[str]:
        """Return the folders of a path below a level."""
        return path[len(level) + 1 if level else 0 :].split("/")[:-1]

    def _has_mesh(self, level: str, folders: list[str]) -> bool:
        """Return True if the first of these folders below a level holds a mesh, directly or deeper."""
        return f"{level}/{folders[0]}".lstrip("/") in self.index.mesh_folders

    def _is_owned(self, level: str, folders: list[str]) -> bool:
        """Return True if a file belongs to another object: one whose mesh lies beside it or in its folder."""
        if not folders:
            return level in self.index.mesh_stems
        if len(folders) == 1 and _are_shared(folders):
            return f"{level}/{folders[0]}".lstrip("/") in self.index.mesh_stems
        return self._has_mesh(level, folders)

    def _is_common(self) -> bool:
        """Return True if many objects have files of this name, and the folder may hold other objects."""
        is_alone = self.place.limit != self.place.root.resolved and self.index.num_meshes == 1
        return not is_alone and all(
            word in _COMMON_WORDS for word in _LETTERS.findall(self.folded.rpartition(".")[0])
        )


def _are_shared(folders: list[str]) -> bool:
    """Return True if the names of folders say that they hold textures, and not of which object."""
    words = [re.split(r"[\W_]+", fold_name(folder).strip("_-. ")) for folder in folders]
    return all(all(word.strip("0123456789") in _SHARED_WORDS for word in names) for names in words)


def _find_owner(folder: str, stems: Sequence[str]) -> str | None:
    """Return the mesh that a folder beside it is named after, or None.

    Args:
        folder: Folded name of the folder, such as ``chair_textures``.
        stems: Folded names of the meshes without suffix.
    """
    owners = [
        stem for stem in stems if folder.startswith(stem) and not folder[len(stem) : len(stem) + 1].isalnum()
    ]
    return max(owners, key=len, default=None)
