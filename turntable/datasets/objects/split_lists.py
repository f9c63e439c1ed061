"""The published division of objects into train and val, read from 3DIEBench's lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.files import MAX_LIST_BYTES, read_npy
from turntable.datasets.objects.records import TRAIN, VAL
from turntable.datasets.objects.text_arrays import join_rows
from turntable.errors import IntegrityError, InvalidInputError, StoreError


def read_split(paths: Sequence[Path], object_ids: Iterable[str] = ()) -> dict[str, str]:
    """Read the published split of 3DIEBench from copies of its lists of objects.

    Args:
        paths: Paths of ``val_images.npy``, ``train_images.npy`` or both: arrays of texts [N] "/synset/model",
            or of rows [N, 2] of synset and model. The file name must contain "val" or "train".
        object_ids: Ids of all objects. With one list, those that it does not name are in the other split.

    Returns:
        Object id to "train" or "val".

    Raises:
        InvalidInputError: A list cannot be read, or an object is in both.
    """
    split: dict[str, str] = {}
    names: set[str] = set()
    for path in map(Path, paths):
        name = _get_split_name(path)
        if name in names:
            raise InvalidInputError(f"{path}: two lists of {name}; give val_images.npy and train_images.npy")
        names.add(name)
        ids = _read_ids(path)
        if repeated := next((object_id for object_id in ids if object_id in split), None):
            raise InvalidInputError(f"{path}: {repeated} is in both lists; they do not belong to one split")
        split.update(dict.fromkeys(ids, name))
    if len(names) == 1:
        rest = VAL if TRAIN in names else TRAIN
        split.update({object_id: rest for object_id in object_ids if object_id not in split})
    return split


@dataclass(frozen=True, slots=True)
class UnmatchedCounts:
    """The numbers of ids that a split and a source do not share."""

    num_absent: int
    """Number of ids that the split lists and the source lacks."""
    num_unlisted: int
    """Number of objects of the source that the split does not list."""


def count_unmatched(split: Mapping[str, str], objects: Iterable[str]) -> UnmatchedCounts:
    """Count the ids that are in only one of the split and the source."""
    ids = set(objects)
    return UnmatchedCounts(num_absent=len(split.keys() - ids), num_unlisted=len(ids - split.keys()))


def _get_split_name(path: Path) -> str:
    name = path.name.lower()
    named = [split for split in (TRAIN, VAL) if split in name]
    if len(named) != 1:
        raise InvalidInputError(f"{path}: is it train or val? Call it train_images.npy or val_images.npy")
    return named[0]


def _read_ids(path: Path) -> list[str]:
    try:
        rows = read_npy(path, MAX_LIST_BYTES)
    except FileNotFoundError:
        raise InvalidInputError(f"{path} does not exist; give your copy of 3DIEBench's {path.name}") from None
    except (ValueError, IntegrityError, StoreError) as error:
        raise InvalidInputError(
            f"{path} is not an .npy file of texts ({error}); arrays of Python objects are not read"
        ) from error
    if rows.dtype.kind not in "US" or rows.ndim not in (1, 2):
        raise InvalidInputError(f"{path}: give an array of texts [N] or [N, 2], such as /02691156/1a04e3ea")
    ids = [row.strip("/") for row in join_rows(rows)]
    if malformed := next((object_id for object_id in ids if object_id.count("/") != 1), None):
        raise InvalidInputError(f"{path}: {malformed[:80]!r} is not of the form synset/model")
    return list(dict.fromkeys(ids))
