"""The published lists of ShapeNet objects, and each object's position in the stream that drew its views.

3DIEBench was made from one list (``all_objects.npy``) with one seed, 3DIEBench-T from twelve
(``all_objects_chunk_0.npy`` to ``_11``), each with its number as the seed. Both generators went through a
list in order and drew the numbers of every object's views in turn, starting with ``np.random.seed(seed)``.
A folder without a mesh was skipped before any number was drawn.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from turntable.datasets.files import MAX_LIST_BYTES, read_npy, read_user_text
from turntable.datasets.objects.text_arrays import join_rows
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
"""The 19 car folders of ShapeNetCore v2 without a mesh, sorted, as "synset/id".

The published lists of 3DIEBench name all 52,491 folders of ShapeNetCore v2. These 19 have no
``models/model_normalized.obj``, so 52,472 objects remain, the number in the paper. Kubric's denylist
(``shapenet2kubric/shapenet_denylist.py``) names the same 19, and the published labels have the histogram of
categories that results without them."""

NUM_SHAPENET_V2_FOLDERS = 52_491
"""Number of objects that ShapeNetCore v2 names, including the empty cars."""


CHUNK_FILE = "all_objects_chunk_{}.npy"
"""The file names of the published chunks."""

_ID = re.compile(r"/?([0-9A-Za-z_-]+)/([0-9A-Za-z_-]+)/?")
_REMEDY = "give the lists that the published data set was made from (all_objects.npy, or the chunks of it)"


def read_list(path: Path) -> tuple[str, ...]:
    """Read a list of objects.

    Args:
        path: An ``.npy`` file of texts: rows (synset, id) or strings "/synset/id". Or a ``.txt`` file with
            one object per line. Pickled arrays are refused.

    Returns:
        Ids "synset/id", in order.

    Raises:
        InvalidInputError: The file cannot be read, or an entry is not an object; the message names it.
    """
    lines = _read_npy_lines(path) if path.suffix == ".npy" else _read_text_lines(path)
    ids: list[str] = []
    for number, line in enumerate(lines, start=1):
        match = _ID.fullmatch(line)
        if match is None:
            raise InvalidInputError(f"{path}: entry {number} is {line[:80]!r}, not synset/id")
        ids.append(f"{match[1]}/{match[2]}")
    if not ids:
        raise InvalidInputError(f"{path}: holds no object")
    return tuple(ids)


def read_lists(paths: Sequence[Path], num_chunks: int) -> tuple[tuple[str, ...], ...]:
    """Read the lists of a data set, one for each seed.

    Args:
        paths: Paths of as many files as there are chunks, in order; or of one file, which is divided; or of
            one folder that holds ``all_objects_chunk_0.npy``, ``all_objects_chunk_1.npy`` and so on.
        num_chunks: Number of chunks of the recipe.

    Raises:
        InvalidInputError: There is another number of files, or one cannot be read.
    """
    if len(paths) == 1 and paths[0].is_dir():
        paths = [paths[0] / CHUNK_FILE.format(number) for number in range(num_chunks)]
    if len(paths) == num_chunks:
        return tuple(read_list(path) for path in paths)
    if len(paths) == 1:
        return cut_list(read_list(paths[0]), num_chunks)
    raise InvalidInputError(
        f"{len(paths)} lists of objects for {num_chunks} chunks: give one, or all in order"
    )


def make_shapenet_lists(ids: Iterable[str], num_chunks: int) -> tuple[tuple[str, ...], ...]:
    """Make the lists without files of them: all objects of ShapeNetCore v2 by name, divided into chunks.

    Args:
        ids: Ids of all objects of the user's copy, in any order.
        num_chunks: Number of chunks of the recipe.

    Raises:
        InvalidInputError: With the 19 empty cars they are not the 52,491 objects of the published list.
    """
    whole = sorted({*ids, *EMPTY_CARS}, key=lambda object_id: tuple(object_id.split("/")))
    if len(whole) != NUM_SHAPENET_V2_FOLDERS:
        raise InvalidInputError(
            f"the published draws need all {NUM_SHAPENET_V2_FOLDERS:,} objects of ShapeNetCore v2, but there "
            f"are {len(whole):,} here, including the {len(EMPTY_CARS)} empty cars: {_REMEDY}"
        )
    return cut_list(whole, num_chunks)


def cut_list(ids: Sequence[str], num_chunks: int) -> tuple[tuple[str, ...], ...]:
    """Divide a list as ``np.array_split`` does: in order; the first parts may have one item more."""
    size, num_longer = divmod(len(ids), num_chunks)
    starts = [number * size + min(number, num_longer) for number in range(num_chunks + 1)]
    return tuple(tuple(ids[start:end]) for start, end in itertools.pairwise(starts))


def find_stream_positions(lists: Sequence[Sequence[str]], seed: int) -> dict[str, tuple[int, int]]:
    """Find the position of each object in the published streams.

    Args:
        lists: Lists of ids, one for each seed, in order.
        seed: Seed of the first list. Each further list has the next seed.

    Returns:
        Object id to (seed, index among the objects of that seed). The empty cars are left out: nothing was
        drawn for them.

    Raises:
        InvalidInputError: An object is in the lists twice.
    """
    positions: dict[str, tuple[int, int]] = {}
    empty = set(EMPTY_CARS)
    for number, ids in enumerate(lists):
        for index, object_id in enumerate(item for item in ids if item not in empty):
            if object_id in positions:
                raise InvalidInputError(f"{object_id} is in the lists of objects twice: {_REMEDY}")
            positions[object_id] = (seed + number, index)
    return positions


def _read_npy_lines(path: Path) -> list[str]:
    try:
        table = read_npy(path, MAX_LIST_BYTES)
    except (OSError, ValueError, IntegrityError, StoreError) as error:
        raise InvalidInputError(f"{path}: cannot be read as an array of text ({error}); {_REMEDY}") from None
    if table.dtype.kind not in "US" or table.ndim not in (1, 2):
        raise InvalidInputError(f"{path}: not a list of text; {_REMEDY}")
    if table.ndim == 2 and table.shape[1] != 2:
        raise InvalidInputError(f"{path}: {table.shape[1]} columns, not the two of synset and id")
    return join_rows(table)


def _read_text_lines(path: Path) -> list[str]:
    try:
        lines = read_user_text(path, MAX_LIST_BYTES).split("\n")
    except InvalidInputError as error:
        raise InvalidInputError(f"{error}; {_REMEDY}") from None
    return [line.strip() for line in lines if line.strip()]
