"""A subset of a data set's views, as a value that its manifest can carry.

The chosen views themselves are stored, one bit for each, and not only the condition that chose them. So
whoever streams the subset needs neither the table of labels nor an engine that evaluates conditions.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.files import MAX_IMAGES, MAX_OBJECTS, JsonFields
from turntable.errors import IntegrityError

_MAX_PACKED_LENGTH = MAX_IMAGES // 4
"""Maximum number of characters of a split's choice: one bit for each view, in base64, uncompressed."""


@dataclass(frozen=True, slots=True, eq=False)
class MatchingViews:
    """The views that a condition chose, as pairs of an object and a view."""

    rows: NDArray[np.int64]
    """Rows of the objects in their split, [n], ascending."""
    views: NDArray[np.int64]
    """Numbers of the views, [n], ascending within each object."""

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Subset:
    """The views of a data set that belong to a subset of it."""

    where: str
    """The condition that chose them."""
    of: str
    """Fingerprint of the whole data set."""
    objects: int
    """Number of objects with at least one chosen view."""
    images: int
    """Number of chosen views."""
    views: Mapping[str, str]
    """The chosen views by split: one bit for each view of each object, in order, compressed by zlib, in
    base64."""

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "Subset":
        """Read a subset from untrusted JSON. Raises FieldError."""
        packed = fields.get_fields("views")
        subset = cls(
            where=fields.get_text("where"),
            of=fields.get_digest("of"),
            objects=fields.get_integer("objects", 0, MAX_OBJECTS),
            images=fields.get_integer("images", 0, MAX_IMAGES),
            views={split: packed.get_text(split, _MAX_PACKED_LENGTH) for split in packed.list_names()},
        )
        fields.check_all_read()
        return subset

    @property
    def fingerprint(self) -> str:
        """Hex sha256 of the whole data set's fingerprint and of the chosen views."""
        parts = [self.of, *(f"{split}\0{packed}" for split, packed in sorted(self.views.items()))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def decode_views(self, split: str, num_objects: int, num_views: int) -> MatchingViews:
        """Decode the chosen views of a split.

        Args:
            split: Name of the split.
            num_objects: Number of objects of the split in the whole data set.
            num_views: Number of views of each object.

        Raises:
            IntegrityError: The manifest's bits are damaged, or not one for each of these views.
        """
        packed = self.views.get(split)
        if packed is None:
            return MatchingViews(np.empty(0, np.int64), np.empty(0, np.int64))
        num_bits, num_bytes = num_objects * num_views, (num_objects * num_views + 7) // 8
        try:
            # Limited to one byte more than expected: a few bytes of zlib's stream can expand to gigabytes.
            stream = zlib.decompressobj()
            bits = stream.decompress(base64.b64decode(packed, validate=True), num_bytes + 1)
        except (binascii.Error, zlib.error) as error:
            raise IntegrityError(
                f"the manifest's subset of {split} cannot be read ({error}); {_REMEDY}"
            ) from None
        flags = np.unpackbits(np.frombuffer(bits, np.uint8))
        if len(bits) != num_bytes or flags[num_bits:].any():
            raise IntegrityError(
                f"the manifest's subset of {split} is not one of {num_bits} views; {_REMEDY}"
            )
        rows, views = np.divmod(np.flatnonzero(flags[:num_bits]), num_views)
        return MatchingViews(rows, views)


_REMEDY = "make the subset again"


def make_subset(
    where: str,
    fingerprint: str,
    matching_views: Mapping[str, MatchingViews],
    num_objects: Mapping[str, int],
    num_views: int,
) -> Subset:
    """Return the subset that holds the matching views.

    Args:
        where: The condition that chose the views.
        fingerprint: Fingerprint of the whole data set.
        matching_views: The matching views by split.
        num_objects: Number of objects of each split.
        num_views: Number of views of each object.
    """
    return Subset(
        where,
        fingerprint,
        sum(len(np.unique(matching.rows)) for matching in matching_views.values()),
        sum(map(len, matching_views.values())),
        {
            split: _pack_views(matching, num_objects[split], num_views)
            for split, matching in matching_views.items()
        },
    )


def _pack_views(matching: MatchingViews, num_objects: int, num_views: int) -> str:
    flags = np.zeros(num_objects * num_views, np.bool_)
    flags[matching.rows * num_views + matching.views] = True
    return base64.b64encode(zlib.compress(np.packbits(flags).tobytes(), 9)).decode("ascii")
