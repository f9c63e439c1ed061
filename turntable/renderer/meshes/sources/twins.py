"""Objects that are the same mesh under several names."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import TypeVar

from turntable.datasets.files import file_sha256
from turntable.errors import MeshError
from turntable.renderer.meshes.limits import LIMITS
from turntable.renderer.meshes.sources.source import MeshSource, SourceObject

THREADS = 8
"""Files may lie on a disk far away; hashing lets other threads run."""

_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")


def twins_of(source: MeshSource, objects: Sequence[SourceObject]) -> tuple[tuple[str, ...], ...]:
    """Groups of two or more ids that are one mesh, sorted.

    Two objects are twins if their mesh files have the same bytes; in ShapeNet also if a model's id stands in
    several synsets, whatever its bytes. Only files of equal size are read.

    Args:
        source: Of the meshes.
        objects: Those to compare.
    """
    groups = [*_equal_files(source, [item.id for item in objects]), *_equal_models(source, objects)]
    return _merged(groups)


def _equal_files(source: MeshSource, ids: Sequence[str]) -> list[list[str]]:
    with ThreadPoolExecutor(THREADS) as pool:
        sizes = pool.map(lambda name: _size(source, name), ids)
        alike = [name for group in _groups(zip(sizes, ids, strict=True)) for name in group]
        hashes = pool.map(lambda name: _hash(source, name), alike)
        return list(_groups(zip(hashes, alike, strict=True)))


def _equal_models(source: MeshSource, objects: Sequence[SourceObject]) -> list[list[str]]:
    if source.name not in ("shapenet", "shapenet-v1"):
        return []
    return list(_groups((item.id.rpartition("/")[2], item.id) for item in objects))


def _size(source: MeshSource, object_id: str) -> int | None:
    """Return the bytes of the object's main file; None where it is made, or is what no loader reads."""
    try:
        path = source.mesh_file(object_id)
        return None if path is None else _readable_size(path)
    except (OSError, RuntimeError, MeshError):  # it will be said when the object is loaded
        return None


def _readable_size(path: Path) -> int | None:
    """Return the bytes of an ordinary file; None of one too large, or of a link to elsewhere, without end."""
    state = path.lstat()
    if S_ISLNK(state.st_mode):
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(path.parent.resolve()):
            return None
        state = resolved.stat()
    return state.st_size if S_ISREG(state.st_mode) and state.st_size <= LIMITS.file_bytes else None


def _hash(source: MeshSource, object_id: str) -> str | None:
    try:
        path = source.mesh_file(object_id)
        return None if path is None else file_sha256(path)
    except (OSError, MeshError):
        return None


def _groups(pairs: Iterable[tuple[_Key | None, _Item]]) -> Iterator[list[_Item]]:
    """Items that share a key, where there are several."""
    groups: defaultdict[_Key, list[_Item]] = defaultdict(list)
    for key, item in pairs:
        if key is not None:
            groups[key].append(item)
    return (group for group in groups.values() if len(group) > 1)


def _merged(groups: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Groups that share a member as one."""
    chosen: dict[str, str] = {}

    def leader(name: str) -> str:
        while (above := chosen.setdefault(name, name)) != name:
            chosen[name] = chosen[above]
            name = above
        return name

    for group in groups:
        first = leader(group[0])
        for name in group[1:]:
            chosen[leader(name)] = first
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(chosen):
        members[leader(name)].append(name)
    return tuple(sorted(tuple(group) for group in members.values()))
