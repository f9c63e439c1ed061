"""The objects of a data set: what is known of each, which split it is in, and which shard takes it."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from turntable.datasets.files import LONGEST_CATEGORY, LONGEST_ID, MOST_SEED, PLAIN_NAME, Fields, object_key

SplitName = Literal["train", "val"]
TRAIN: SplitName = "train"
VAL: SplitName = "val"
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
FEWEST_SHARDS = 8
"""So many has a data set of at least as many objects, its splits taken together."""


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One object of a data set."""

    id: str
    """Its name in its source, such as "02691156/1a04e3eab45ca15dd86060f189eb133"."""
    category: str
    split: str
    """"train" or "val"."""
    source: str
    """Where the mesh comes from: the name of a source of meshes, such as "zoo" or "shapenet"."""
    source_sha256: str
    """Hex digest of the mesh as it was read (for a procedural object: of what determines it); "" where no
    mesh was seen, as in a data set that was imported."""
    licence: str = ""
    """Of this object, where its source tells; else that of all its meshes holds."""
    stream: tuple[int, int] | None = None
    """Its place in published draws: (seed, index among the objects of that seed); else None."""

    @property
    def key(self) -> str:
        """Name of its members in a shard."""
        return object_key(self.id)

    def to_dict(self) -> dict[str, Any]:
        """As a table for JSON, the key included; what is not known (licence, stream) is left out."""
        table: dict[str, Any] = {**asdict(self), "key": self.key}
        stream = {} if self.stream is None else {"stream": list(self.stream)}
        unknown = {"stream"} if self.licence else {"stream", "licence"}
        return {name: value for name, value in table.items() if name not in unknown} | stream

    @classmethod
    def from_fields(cls, fields: Fields) -> "ObjectRecord":
        """Read what ``to_dict`` wrote, whoever wrote it; other fields are ignored. Raises FieldError."""
        longest, id_ = LONGEST_ID, fields.text("id", LONGEST_ID)
        if not id_ or not id_.isprintable():
            fields.refuse("id", "printable text, at least one character")
        return cls(
            id=id_,
            category=fields.text("category", LONGEST_CATEGORY),
            split=fields.text("split", pattern=PLAIN_NAME),
            source=fields.text("source", longest),
            source_sha256=fields.text("source_sha256", longest),
            licence=fields.text("licence", default=""),
            stream=_read_stream(fields) if fields.has("stream") else None,
        )


def _read_stream(fields: Fields) -> tuple[int, int]:
    seed, index = fields.integers("stream", 2, 0, MOST_SEED)
    return seed, index


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """Which objects a shard is to hold, in order."""

    split: str
    name: str
    """Without suffix: "shard-000000"."""
    objects: tuple[ObjectRecord, ...]

    @property
    def place(self) -> tuple[str, str]:
        """Split and name."""
        return self.split, self.name


def objects_a_shard(most: int, objects: int) -> int:
    """How many objects a shard takes: fewer than it may in a small data set, which workers are to share.

    Args:
        most: of the recipe.
        objects: of the data set.
    """
    return max(1, min(most, -(-objects // FEWEST_SHARDS)))


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
    by_lot = sorted(objects, key=lambda item: (lot("shuffle", shuffle_seed, item.id), item.id))
    return tuple(
        ShardPlan(split, f"shard-{index:06d}", chunk)
        for split in SPLITS
        for index, chunk in enumerate(
            _chunks([item for item in by_lot if item.split == split], objects_per_shard)
        )
    )


def lot(purpose: str, seed: int, object_id: str) -> bytes:
    """A pseudo-random rank of an object that others do not influence."""
    return hashlib.sha256(f"{purpose}\0{seed}\0{object_id}".encode()).digest()


def _chunks(items: Sequence[ObjectRecord], size: int) -> list[tuple[ObjectRecord, ...]]:
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]
