"""The objects of a data set: what is known of each, which split it is in, and which shard takes it."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from turntable.datasets.keys import object_key

TRAIN, VAL = "train", "val"
SPLITS = (TRAIN, VAL)


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One object of a data set."""

    id: str
    """Its name in its source, such as "02691156/1a04e3eab45ca15dd86060f189eb133"."""
    category: str
    split: str
    """"train" or "val"."""
    source: str
    """Where the mesh comes from: "zoo", "shapenet" or "folder"."""
    source_sha256: str
    """Hex digest of the mesh as it was read (for a procedural object: of what determines it)."""

    @property
    def key(self) -> str:
        """Name of its members in a shard."""
        return object_key(self.id)

    def to_dict(self) -> dict[str, str]:
        """As a table of texts, the key included."""
        return {**asdict(self), "key": self.key}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "ObjectRecord":
        """Read what ``to_dict`` wrote; other keys are ignored. Raises KeyError where one is missing."""
        return cls(**{name: str(table[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """Which objects a shard is to hold, in order."""

    split: str
    name: str
    """Without suffix: "shard-000000"."""
    objects: tuple[ObjectRecord, ...]


def split_objects(categories: Mapping[str, str], val_fraction: float, split_seed: int) -> dict[str, str]:
    """Divide objects into train and val, each category in proportion.

    The split depends on the ids, not on their order. With a positive fraction, a category of two objects or
    more has at least one in each split; a lone object trains.

    Args:
        categories: object id to category.
        val_fraction: share held out, [0, 1).
        split_seed: another seed holds out others.

    Returns:
        object id to "train" or "val", in the order given.
    """
    members: defaultdict[str, list[str]] = defaultdict(list)
    for object_id, category in categories.items():
        members[category].append(object_id)
    held_out: set[str] = set()
    for ids in members.values():
        ids.sort(key=lambda object_id: (_lot("split", split_seed, object_id), object_id))
        held_out.update(ids[: _num_val(len(ids), val_fraction)])
    return {object_id: VAL if object_id in held_out else TRAIN for object_id in categories}


def plan_shards(
    objects: Iterable[ObjectRecord], objects_per_shard: int, shuffle_seed: int
) -> tuple[ShardPlan, ...]:
    """Shuffle the objects of each split once and cut them into shards; the last has the rest.

    Args:
        objects: in any order; the plan does not depend on it.
        objects_per_shard: at least 1.
        shuffle_seed: recorded in the manifest.

    Returns:
        The shards of "train", then those of "val"; a split without objects has none.
    """
    by_lot = sorted(objects, key=lambda item: (_lot("shuffle", shuffle_seed, item.id), item.id))
    return tuple(
        ShardPlan(split, f"shard-{index:06d}", chunk)
        for split in SPLITS
        for index, chunk in enumerate(
            _chunks([item for item in by_lot if item.split == split], objects_per_shard)
        )
    )


def _num_val(count: int, fraction: float) -> int:
    if count < 2 or fraction == 0:
        return 0
    return min(max(math.floor(fraction * count + 0.5), 1), count - 1)


def _lot(purpose: str, seed: int, object_id: str) -> bytes:
    """A pseudo-random rank of an object that others do not influence."""
    return hashlib.sha256(f"{purpose}\0{seed}\0{object_id}".encode()).digest()


def _chunks(items: Sequence[ObjectRecord], size: int) -> list[tuple[ObjectRecord, ...]]:
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]
