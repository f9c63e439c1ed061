"""Which objects are held out: by our rule, or by the published split."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets.files import MOST_LIST_BYTES, read_npy
from turntable.datasets.objects.records import TRAIN, VAL, lot
from turntable.errors import IntegrityError, InvalidInputError, StoreError


def split_objects(
    categories: Mapping[str, str], val_fraction: float, split_seed: int, twins: Iterable[Sequence[str]] = ()
) -> dict[str, str]:
    """Divide objects into train and val, each category in proportion; twins stay on one side.

    The split depends on the ids, not on their order. With a positive fraction, a category of two objects or
    more has at least one in each split, as far as its twins allow; a lone object trains.

    Args:
        categories: object id to category.
        val_fraction: share held out, [0, 1).
        split_seed: another seed holds out others.
        twins: groups of ids that are the same mesh; ids that are not among the objects do not matter.

    Returns:
        object id to "train" or "val", in the order given.
    """
    members: defaultdict[str, list[str]] = defaultdict(list)
    for object_id, category in categories.items():
        members[category].append(object_id)
    groups = [tuple(sorted(set(group).intersection(categories))) for group in twins]
    unit_of = {object_id: group for group in groups for object_id in group}
    side: dict[str, str] = {}
    for _, ids in sorted(members.items()):
        units = {unit_of.get(object_id, (object_id,)) for object_id in ids}
        room = _num_val(len(ids), val_fraction) - sum(side.get(object_id) == VAL for object_id in ids)
        inside = Counter(unit_of.get(object_id, (object_id,)) for object_id in ids)
        # A unit's first id draws its lot, so that larger units are not held out more often.
        for unit in sorted(units, key=lambda unit: (lot("split", split_seed, unit[0]), unit[0])):
            if unit[0] in side:
                continue
            held_out = inside[unit] <= room
            room -= inside[unit] if held_out else 0
            side.update(dict.fromkeys(unit, VAL if held_out else TRAIN))
    return {object_id: side[object_id] for object_id in categories}


def read_split(paths: Sequence[Path], known: Iterable[str] = ()) -> dict[str, str]:
    """The published split of 3DIEBench, from copies of its lists of objects.

    Args:
        paths: ``val_images.npy``, ``train_images.npy`` or both: arrays of texts [N] "/synset/model", or of
            rows [N, 2] of synset and model. A name with "val" or "train" in it says which a list is.
        known: ids of all objects there are. With one list alone, those it does not name are the other split.

    Returns:
        object id to "train" or "val".

    Raises:
        InvalidInputError: A list cannot be read, or an object is in both.
    """
    split: dict[str, str] = {}
    given: set[str] = set()
    for path in map(Path, paths):
        name = _split_named(path)
        if name in given:
            raise InvalidInputError(f"{path}: two lists of {name}; give val_images.npy and train_images.npy")
        given.add(name)
        ids = _read_ids(path)
        if twice := next((object_id for object_id in ids if object_id in split), None):
            raise InvalidInputError(f"{path}: {twice} is in both lists; they are not of one split")
        split.update(dict.fromkeys(ids, name))
    if len(given) == 1:
        rest = VAL if TRAIN in given else TRAIN
        split.update({object_id: rest for object_id in known if object_id not in split})
    return split


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Where a split and a source do not fit."""

    absent: int
    """Ids that the split lists and the source lacks."""
    unlisted: int
    """Objects of the source that the split does not list."""


def unmatched(split: Mapping[str, str], objects: Iterable[str]) -> Unmatched:
    """How many ids are in one of the two alone."""
    there = set(objects)
    return Unmatched(absent=len(split.keys() - there), unlisted=len(there - split.keys()))


def _split_named(path: Path) -> str:
    name = path.name.lower()
    named = [split for split in (TRAIN, VAL) if split in name]
    if len(named) != 1:
        raise InvalidInputError(f"{path}: is it train or val? Call it train_images.npy or val_images.npy")
    return named[0]


def _read_ids(path: Path) -> list[str]:
    try:
        rows = read_npy(path, MOST_LIST_BYTES)
    except FileNotFoundError:
        raise InvalidInputError(f"{path} does not exist; give your copy of 3DIEBench's {path.name}") from None
    except (ValueError, IntegrityError, StoreError) as error:
        raise InvalidInputError(
            f"{path} is no .npy file of texts ({error}); arrays of Python objects are not read"
        ) from error
    if rows.dtype.kind not in "US" or rows.ndim not in (1, 2):
        raise InvalidInputError(
            f"{path}: an array of texts [N] or [N, 2] is needed, such as /02691156/1a04e3ea"
        )
    texts = rows.astype(str)
    ids = (
        ["/".join(row).strip("/") for row in texts]
        if texts.ndim == 2
        else [str(row).strip("/") for row in texts]
    )
    if strange := next((object_id for object_id in ids if object_id.count("/") != 1), None):
        raise InvalidInputError(f"{path}: {strange[:80]!r} is no synset/model")
    return list(dict.fromkeys(ids))


def _num_val(count: int, fraction: float) -> int:
    if count < 2 or fraction == 0:
        return 0
    return min(max(math.floor(fraction * count + 0.5), 1), count - 1)
