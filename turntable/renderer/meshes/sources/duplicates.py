"""Search for duplicates: objects of a source that are the same mesh under several ids."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import TypeVar

from turntable.datasets.files import compute_file_sha256
from turntable.errors import MeshError
from turntable.renderer.meshes.limits import LIMITS
from turntable.renderer.meshes.root_folder import RootFolder, open_root
from turntable.renderer.meshes.sources.source import MeshSource, SourceObject, open_source_root

NUM_THREADS = 8
"""Number of threads that read files. Files may lie on slow network disks, and hashing releases the GIL."""

_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")


def find_duplicates(source: MeshSource, objects: Sequence[SourceObject]) -> tuple[tuple[str, ...], ...]:
    """Find groups of two or more ids that are one mesh.

    Two objects are duplicates if their mesh files have the same bytes. In ShapeNet, they are also duplicates
    if a model's id stands in several synsets, whatever its bytes. Only files of equal size are read.

    Args:
        source: Source of the meshes.
        objects: Objects to compare.

    Returns:
        Groups of ids, sorted, and sorted ids in each.
    """
    groups = [*_find_equal_files(source, [item.id for item in objects]), *_find_equal_models(source, objects)]
    return _merge_groups(groups)


def _find_equal_files(source: MeshSource, ids: Sequence[str]) -> list[list[str]]:
    """Find groups of ids whose mesh files have the same bytes."""
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        root = open_source_root(source)
        sizes = pool.map(lambda name: _get_file_size(source, name, root), ids)
        same_size = [name for group in _group_by_key(zip(sizes, ids, strict=True)) for name in group]
        hashes = pool.map(lambda name: _compute_hash(source, name), same_size)
        return list(_group_by_key(zip(hashes, same_size, strict=True)))


def _find_equal_models(source: MeshSource, objects: Sequence[SourceObject]) -> list[list[str]]:
    """Find groups of ShapeNet ids whose model id is the same."""
    if source.name not in ("shapenet", "shapenet-v1"):
        return []
    return list(_group_by_key((item.id.rpartition("/")[2], item.id) for item in objects))


def _get_file_size(source: MeshSource, object_id: str, root: RootFolder | None) -> int | None:
    """Return the size of the object's main file, or None if it is generated or cannot be read."""
    try:
        path = source.find_mesh_file(object_id)
        return None if path is None else _get_readable_size(path, root)
    except (OSError, RuntimeError, MeshError):  # loading the object will report the error
        return None


def _get_readable_size(path: Path, root: RootFolder | None) -> int | None:
    """Return the size of a regular file.

    None for a file beyond the limit, a link that leaves the root (its own folder, for a source without one),
    or anything else, such as a device.
    """
    state = path.lstat()
    if S_ISLNK(state.st_mode):
        resolved = path.resolve(strict=True)
        if not (root or open_root(path.parent)).contains(resolved):
            return None
        state = resolved.stat()
    return state.st_size if S_ISREG(state.st_mode) and state.st_size <= LIMITS.file_bytes else None


def _compute_hash(source: MeshSource, object_id: str) -> str | None:
    """Return the SHA-256 of the object's main file, or None if it cannot be read."""
    try:
        path = source.find_mesh_file(object_id)
        return None if path is None else compute_file_sha256(path)
    except (OSError, MeshError):
        return None


def _group_by_key(pairs: Iterable[tuple[_Key | None, _Item]]) -> Iterator[list[_Item]]:
    """Yield the groups of two or more items that share a key. Items without a key are left out."""
    groups: defaultdict[_Key, list[_Item]] = defaultdict(list)
    for key, item in pairs:
        if key is not None:
            groups[key].append(item)
    return (group for group in groups.values() if len(group) > 1)


def _merge_groups(groups: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Merge groups that share a member."""
    # Union-find: every id points to another id of its merged group, and the root points to itself.
    parents: dict[str, str] = {}

    def find_root(name: str) -> str:
        while (parent := parents.setdefault(name, name)) != name:
            parents[name] = parents[parent]  # shortens the path for the next search
            name = parent
        return name

    for group in groups:
        root = find_root(group[0])
        for name in group[1:]:
            parents[find_root(name)] = root
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(parents):
        members[find_root(name)].append(name)
    return tuple(sorted(tuple(group) for group in members.values()))
