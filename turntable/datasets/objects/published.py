"""The published lists of objects, and each object's place in the random stream that drew its views.

3DIEBench was made from one list (``all_objects.npy``) with one seed, 3DIEBench-T from twelve
(``all_objects_chunk_0.npy`` to ``_11``), each with its number as the seed. Both generators went through a
list in order and drew the numbers of every object's views in turn, from ``np.random.seed(seed)`` on; a folder
without a mesh was skipped before any number was drawn.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from turntable.datasets.files import MOST_LIST_BYTES, read_npy
from turntable.errors import IntegrityError, InvalidInputError, StoreError

_CARS = "02958343"

EMPTY_CARS: tuple[str, ...] = tuple(
    f"{_CARS}/{name}"
    for name in (
        "207e69af994efa9330714334794526d4",
        "2307b51ca7e4a03d30714334794526d4",
        "302612708e86efea62d2c237bfbc22ca",
        "3c33f9f8edc558ce77aa0b62eed1492",
        "3ffeec4abd78c945c7c79bdb1d5fe365",
        "407f2811c0fe4e9361c6c61410fc904b",
        "4ddef66f32e1902d3448fdcb67fe08ff",
        "5973afc979049405f63ee8a34069b7c5",
        "5bf2d7c2167755a72a9eb0f146e94477",
        "7aa9619e89baaec6d9b8dfa78596b717",
        "806d740ca8fad5c1473f10e6caaeca56",
        "8070747805908ae62a9eb0f146e94477",
        "93ce8e230939dfc230714334794526d4",
        "986ed07c18a2e5592a9eb0f146e94477",
        "9fb1d03b22ecac5835da01f298003d56",
        "d6ee8e0a0b392f98eb96598da750ef34",
        "e6c22be1a39c9b62fb403c87929e1167",
        "ea3f2971f1c125076c4384c3b17a86ea",
        "f5bac2b133a979c573397a92d1662ba5",
    )
)
"""The 19 car folders of ShapeNetCore v2 without a mesh, in sorted order, as "synset/id".

The published lists of 3DIEBench name all 52,491 folders of ShapeNetCore v2, of which these hold no
``models/model_normalized.obj``; without them 52,472 objects remain, as the paper counts. Kubric's denylist
(``shapenet2kubric/shapenet_denylist.py``) names the same 19, and the published labels have the histogram of
classes that is left without them.
"""

SHAPENET_V2_FOLDERS = 52_491
"""Objects that ShapeNetCore v2 has by name, the empty cars among them."""


CHUNK_FILE = "all_objects_chunk_{}.npy"
"""As the published chunks are called."""

_ID = re.compile(r"/?([0-9A-Za-z_-]+)/([0-9A-Za-z_-]+)/?")
_REMEDY = "give the lists that the published data set was made from (all_objects.npy, or the chunks of it)"


def read_list(path: Path) -> tuple[str, ...]:
    """Read a list of objects.

    Args:
        path: an ``.npy`` file of text, rows (synset, id) or strings "/synset/id"; or a ``.txt`` file, an
            object a line. Nothing is unpickled.

    Returns:
        Ids "synset/id", in order.

    Raises:
        InvalidInputError: the file cannot be read, or a line of it is no object; the message names it.
    """
    lines = _npy_lines(path) if path.suffix == ".npy" else _text_lines(path)
    ids: list[str] = []
    for number, line in enumerate(lines, start=1):
        match = _ID.fullmatch(line)
        if match is None:
            raise InvalidInputError(f"{path}: entry {number} is {line[:80]!r}, not synset/id")
        ids.append(f"{match[1]}/{match[2]}")
    if not ids:
        raise InvalidInputError(f"{path}: holds no object")
    return tuple(ids)


def read_lists(paths: Sequence[Path], chunks: int) -> tuple[tuple[str, ...], ...]:
    """Read the lists of a data set, one a seed.

    Args:
        paths: as many files as there are chunks, in order; or one file, to be cut; or one folder, which holds
            ``all_objects_chunk_0.npy`` and on.
        chunks: of the recipe.

    Raises:
        InvalidInputError: another number of files, or one that cannot be read.
    """
    if len(paths) == 1 and paths[0].is_dir():
        paths = [paths[0] / CHUNK_FILE.format(number) for number in range(chunks)]
    if len(paths) == chunks:
        return tuple(read_list(path) for path in paths)
    if len(paths) == 1:
        return cut_list(read_list(paths[0]), chunks)
    raise InvalidInputError(f"{len(paths)} lists of objects for {chunks} chunks: give one, or all in order")


def whole_shapenet(ids: Iterable[str], chunks: int) -> tuple[tuple[str, ...], ...]:
    """The lists where there are no files of them: all of ShapeNetCore v2 by name, cut into chunks.

    Args:
        ids: of all objects of the user's copy, in any order.
        chunks: of the recipe.

    Raises:
        InvalidInputError: with the 19 empty cars they are not the 52,491 objects of the published list.
    """
    whole = sorted({*ids, *EMPTY_CARS}, key=lambda object_id: tuple(object_id.split("/")))
    if len(whole) != SHAPENET_V2_FOLDERS:
        raise InvalidInputError(
            f"the published draws go through {SHAPENET_V2_FOLDERS:,} objects of ShapeNetCore v2 in order, "
            f"but here are {len(whole):,} with the {len(EMPTY_CARS)} empty cars: {_REMEDY}"
        )
    return cut_list(whole, chunks)


def cut_list(ids: Sequence[str], chunks: int) -> tuple[tuple[str, ...], ...]:
    """Cut as ``np.array_split`` does: in order, the first ones longer by one where it does not divide."""
    size, longer = divmod(len(ids), chunks)
    starts = [number * size + min(number, longer) for number in range(chunks + 1)]
    return tuple(tuple(ids[start:end]) for start, end in itertools.pairwise(starts))


def stream_places(lists: Sequence[Sequence[str]], seed: int) -> dict[str, tuple[int, int]]:
    """Where each object stands in the published streams.

    Args:
        lists: one a seed, in order.
        seed: of the first list; the next has the next.

    Returns:
        Object id to (seed, index among the objects of that seed), the empty cars left out: they took no
        numbers.

    Raises:
        InvalidInputError: an object stands in the lists twice.
    """
    places: dict[str, tuple[int, int]] = {}
    empty = set(EMPTY_CARS)
    for number, ids in enumerate(lists):
        for index, object_id in enumerate(item for item in ids if item not in empty):
            if object_id in places:
                raise InvalidInputError(f"{object_id} stands in the lists of objects twice: {_REMEDY}")
            places[object_id] = (seed + number, index)
    return places


def _npy_lines(path: Path) -> list[str]:
    try:
        table = read_npy(path, MOST_LIST_BYTES)
    except (OSError, ValueError, IntegrityError, StoreError) as error:
        raise InvalidInputError(f"{path}: cannot be read as an array of text ({error}); {_REMEDY}") from None
    if table.dtype.kind not in "US" or table.ndim not in (1, 2):
        raise InvalidInputError(f"{path}: not a list of text; {_REMEDY}")
    if table.ndim == 2 and table.shape[1] != 2:
        raise InvalidInputError(f"{path}: {table.shape[1]} columns, not the two of synset and id")
    rows = np.char.decode(table, "ascii", "replace") if table.dtype.kind == "S" else table
    return ["/".join(row) for row in rows.tolist()] if rows.ndim == 2 else rows.tolist()


def _text_lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path}: cannot be read ({error}); {_REMEDY}") from None
    return [line.strip() for line in lines if line.strip()]
