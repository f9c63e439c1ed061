"""Some views of a data set, as a value that its manifest can carry: what a query chose.

The choice itself travels, a bit a view, not only the condition: whoever streams the subset needs neither the
table of labels nor an engine that reads it.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import MOST_IMAGES, MOST_OBJECTS, Fields
from turntable.errors import IntegrityError

_LONGEST = MOST_IMAGES // 4
"""Characters of a split's choice: a bit a view, in base64, not compressed at all."""


@dataclass(frozen=True, slots=True, eq=False)
class MatchingViews:
    """The views that a condition chose, by object and number."""

    rows: NDArray[np.int64]
    """[n] of objects in their split, ascending."""
    views: NDArray[np.int64]
    """[n] their numbers, ascending within each object."""

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Subset:
    """Which views of a data set belong to a part of it."""

    where: str
    """The condition that chose them."""
    of: str
    """Fingerprint of the whole data set."""
    objects: int
    """That have at least one of the views."""
    images: int
    views: Mapping[str, str]
    """By split: a bit for each view of each object, first object first, as zlib's stream in base64."""

    @classmethod
    def from_fields(cls, fields: Fields) -> "Subset":
        """Read a choice from JSON, whoever wrote it. Raises FieldError."""
        packed = fields.table("views")
        subset = cls(
            where=fields.text("where"),
            of=fields.digest("of"),
            objects=fields.integer("objects", 0, MOST_OBJECTS),
            images=fields.integer("images", 0, MOST_IMAGES),
            views={split: packed.text(split, _LONGEST) for split in packed.names()},
        )
        fields.finish()
        return subset

    @property
    def fingerprint(self) -> str:
        """Of the whole and of what is chosen, hex sha256."""
        told = "\0".join([self.of, *(f"{split}\0{packed}" for split, packed in sorted(self.views.items()))])
        return hashlib.sha256(told.encode()).hexdigest()

    def chosen(self, split: str, objects: int, views: int) -> MatchingViews:
        """The views of a split.

        Args:
            split: Its name.
            objects: That the split has in the whole data set.
            views: Of each object.

        Raises:
            IntegrityError: What the manifest carries is not a choice among so many views.
        """
        packed = self.views.get(split)
        if packed is None:
            return MatchingViews(np.empty(0, np.int64), np.empty(0, np.int64))
        count, room = objects * views, (objects * views + 7) // 8
        try:
            stream = zlib.decompressobj()
            bits = stream.decompress(base64.b64decode(packed, validate=True), room + 1)
        except (binascii.Error, zlib.error) as error:
            raise IntegrityError(
                f"the manifest's subset of {split} cannot be read ({error}); {_AGAIN}"
            ) from None
        flags = np.unpackbits(np.frombuffer(bits, np.uint8))
        if len(bits) != room or flags[count:].any():
            raise IntegrityError(f"the manifest's subset of {split} is not one of {count} views; {_AGAIN}")
        rows, numbers = np.divmod(np.flatnonzero(flags[:count]), views)
        return MatchingViews(rows, numbers)


_AGAIN = "ask for it again"


def make_subset(
    where: str, of: str, found: Mapping[str, MatchingViews], sizes: Mapping[str, int], views: int
) -> Subset:
    """The subset that holds what was found.

    Args:
        where: The condition that found it.
        of: Fingerprint of the data set.
        found: By split.
        sizes: How many objects each split has.
        views: Of each object.
    """
    return Subset(
        where,
        of,
        sum(len(np.unique(matching.rows)) for matching in found.values()),
        sum(map(len, found.values())),
        {split: _packed(matching, sizes[split], views) for split, matching in found.items()},
    )


def _packed(matching: MatchingViews, objects: int, views: int) -> str:
    flags = np.zeros(objects * views, np.bool_)
    flags[matching.rows * views + matching.views] = True
    return base64.b64encode(zlib.compress(np.packbits(flags).tobytes(), 9)).decode("ascii")
