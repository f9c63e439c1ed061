"""Records of a data set's objects, and the plan of the shards that hold them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from turntable.datasets.files import (
    MAX_CATEGORY_LENGTH,
    MAX_ID_LENGTH,
    MAX_SEED,
    PLAIN_NAME_PATTERN,
    JsonFields,
    make_object_key,
)
from turntable.datasets.molecules import MoleculeFacts
from turntable.datasets.objects.parts import MAX_PARTS, ObjectPart, check_parts
from turntable.datasets.objects.symmetry import MAX_RESIDUAL, ObjectSymmetry
from turntable.errors import InvalidInputError

SplitName = Literal["train", "val"]
TRAIN: SplitName = "train"
VAL: SplitName = "val"
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
MAX_AXIS_SIZE = 2**24
"""Largest size of an axis of an object's array."""
MIN_SHARDS = 8
"""Minimum number of shards of a data set that has at least as many objects, over all splits."""


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """One object of a data set."""

    id: str
    """The object's name in its source, such as "02691156/1a04e3eab45ca15dd86060f189eb133"."""
    category: str
    split: str
    """The split: "train" or "val"."""
    source: str
    """The source of the mesh, such as "zoo" or "shapenet"."""
    source_sha256: str
    """Hex digest of the mesh as it was read (of a procedural object: of its parameters); "" if no mesh was
    read, as in an imported data set."""
    licence: str = ""
    """License of this object, if its source states one; "" if the license of the whole source applies."""
    stream: tuple[int, int] | None = None
    """Position in a published stream of draws: (seed, index among the objects of that seed); None if there
    is none."""
    symmetry: ObjectSymmetry | None = None
    """Rotations that leave the object's surface as it is; None if they were not measured."""
    mirror_residual: float | None = None
    """Root mean square deviation of the surface from its mirror image where the two fit best, in diagonals;
    None if it was not measured."""
    eigen_gap: float | None = None
    """Smallest difference of two eigenvalues of the covariance of the surface's points, over the largest
    eigenvalue; None if it was not measured."""
    hidden_symmetry: ObjectSymmetry | None = None
    """Rotations that leave the surface as it is without its mark, which may be out of sight; None for an
    object without a mark."""
    parts: tuple[ObjectPart, ...] = ()
    """The rigid parts of an assembly, in the order of their indices; none for an object of one piece."""
    molecule: MoleculeFacts | None = None
    """Facts about a molecule; None for other objects."""
    array_sizes: Mapping[str, int] = field(default_factory=dict[str, int], hash=False)
    """Size of each named axis of the object's arrays besides points and poses of parts; of an axis of views'
    arrays the largest. Empty for an object without such arrays."""

    @property
    def key(self) -> str:
        """The name of its members in a shard."""
        return make_object_key(self.id)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as a table for JSON, with its key, without what is not known."""
        table: dict[str, Any] = {
            **{item.name: getattr(self, item.name) for item in fields(self)},
            "licence": self.licence or None,
            "stream": None if self.stream is None else list(self.stream),
            "symmetry": None if self.symmetry is None else self.symmetry.to_dict(),
            "hidden_symmetry": None if self.hidden_symmetry is None else self.hidden_symmetry.to_dict(),
            "parts": [part.to_dict() for part in self.parts] or None,
            "molecule": None if self.molecule is None else self.molecule.to_dict(),
            "array_sizes": dict(self.array_sizes) or None,
            "key": self.key,
        }
        return {name: value for name, value in table.items() if value is not None}

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "ObjectRecord":
        """Read what ``to_dict`` wrote, from untrusted JSON; other fields are ignored. Raises FieldError."""
        id_ = fields.get_text("id", MAX_ID_LENGTH)
        if not id_ or not id_.isprintable():
            fields.raise_error("id", "printable text, at least one character")
        return cls(
            id=id_,
            category=fields.get_text("category", MAX_CATEGORY_LENGTH),
            split=fields.get_text("split", pattern=PLAIN_NAME_PATTERN),
            source=fields.get_text("source", MAX_ID_LENGTH),
            source_sha256=fields.get_text("source_sha256", MAX_ID_LENGTH),
            licence=fields.get_text("licence", default=""),
            stream=_read_stream(fields) if fields.has("stream") else None,
            symmetry=_read_symmetry(fields, "symmetry"),
            mirror_residual=_read_number(fields, "mirror_residual", MAX_RESIDUAL),
            eigen_gap=_read_number(fields, "eigen_gap", 1),
            hidden_symmetry=_read_symmetry(fields, "hidden_symmetry"),
            parts=_read_parts(fields) if fields.has("parts") else (),
            molecule=_read_molecule(fields),
            array_sizes=read_sizes(fields),
        )


def read_sizes(fields: JsonFields) -> dict[str, int]:
    """Read the sizes of arrays' axes from the field ``array_sizes``; none if there is none.

    Raises FieldError.
    """
    if not fields.has("array_sizes"):
        return {}
    sizes = fields.get_fields("array_sizes")
    return {name: sizes.get_integer(name, 0, MAX_AXIS_SIZE) for name in sizes.list_names()}


def _read_stream(fields: JsonFields) -> tuple[int, int]:
    seed, index = fields.get_integers("stream", 2, 0, MAX_SEED)
    return seed, index


def _read_symmetry(fields: JsonFields, name: str) -> ObjectSymmetry | None:
    return ObjectSymmetry.from_fields(fields.get_fields(name)) if fields.has(name) else None


def _read_parts(fields: JsonFields) -> tuple[ObjectPart, ...]:
    parts = tuple(ObjectPart.from_fields(item) for item in fields.iter_fields("parts", MAX_PARTS))
    try:
        check_parts(parts, "parts")
    except InvalidInputError as error:
        fields.raise_error("parts", str(error))
    return parts


def _read_molecule(fields: JsonFields) -> MoleculeFacts | None:
    return MoleculeFacts.from_fields(fields.get_fields("molecule")) if fields.has("molecule") else None


def _read_number(fields: JsonFields, name: str, max_value: float) -> float | None:
    return fields.get_number(name, 0, max_value) if fields.has(name) else None


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """The objects that a shard is to hold, in order."""

    split: str
    name: str
    """The name without suffix: "shard-000000"."""
    objects: tuple[ObjectRecord, ...]

    @property
    def split_and_name(self) -> tuple[str, str]:
        """The split and the name."""
        return self.split, self.name


def compute_objects_per_shard(max_objects: int, num_objects: int) -> int:
    """Compute the number of objects of a shard.

    A small data set gets smaller shards than the recipe allows, so that several workers can share the work.

    Args:
        max_objects: Maximum number of objects in a shard, from the recipe.
        num_objects: Number of objects of the data set.
    """
    return max(1, min(max_objects, -(-num_objects // MIN_SHARDS)))


def plan_shards(
    objects: Iterable[ObjectRecord], objects_per_shard: int, shuffle_seed: int
) -> tuple[ShardPlan, ...]:
    """Shuffle the objects of each split once and divide them into shards; the last one has the rest.

    Args:
        objects: Objects in any order, on which the plan does not depend.
        objects_per_shard: Number of objects of a shard, at least 1.
        shuffle_seed: Seed of the shuffle, recorded in the manifest.

    Returns:
        The shards of "train", then those of "val". A split without objects has none.
    """
    shuffled = sorted(objects, key=lambda item: (compute_sort_key("shuffle", shuffle_seed, item.id), item.id))
    return tuple(
        ShardPlan(split, f"shard-{index:06d}", chunk)
        for split in SPLITS
        for index, chunk in enumerate(
            _cut_chunks([item for item in shuffled if item.split == split], objects_per_shard)
        )
    )


def compute_sort_key(purpose: str, seed: int, object_id: str) -> bytes:
    """Compute a pseudo-random sort key of an object, which does not depend on the other objects."""
    return hashlib.sha256(f"{purpose}\0{seed}\0{object_id}".encode()).digest()


def _cut_chunks(items: Sequence[ObjectRecord], size: int) -> list[tuple[ObjectRecord, ...]]:
    return [tuple(items[start : start + size]) for start in range(0, len(items), size)]
