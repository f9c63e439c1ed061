"""Selections of views: the objects and views of a split that samples are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_integer, check_integers
from turntable.loaders.sampling.partner_table import PartnerTable
from turntable.loaders.sampling.random_order import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ViewSelection:
    """Some objects of a split, M of them, each with some of its views.

    Raises:
        InvalidInputError: A value is no array of whole numbers, or their lengths do not fit.
    """

    objects: IntArray
    """[M] rows of the objects in their split, ascending."""
    starts: IntArray
    """[M + 1] index in ``views`` of each object's first view, and the length of ``views`` at the end."""
    views: IntArray
    """Numbers of the views, object by object, ascending within each object."""
    shards: IntArray
    """[M] number of each object's shard."""
    sequence_length: int = 0
    """Length of the data set's sequences in views; 0: it has no sequences."""
    partners: PartnerTable | None = None
    """Related views, for samplers that draw them; None before ``prepare``."""

    def __post_init__(self) -> None:
        for name in ("objects", "starts", "views", "shards"):
            array = check_integers(f"ViewSelection.{name}", getattr(self, name), 1)
            object.__setattr__(self, name, array)
        lengths = len(self.objects), len(self.starts) - 1, len(self.shards)
        if len(set(lengths)) > 1 or self.starts[-1] != len(self.views):
            raise InvalidInputError(
                f"ViewSelection of {lengths[0]} objects: starts of {lengths[1]} that end at "
                f"{self.starts[-1:]}, {len(self.views)} views, shards of {lengths[2]}: lengths do not fit"
            )

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def view_counts(self) -> IntArray:
        """Number of views of each object, [M]."""
        return np.diff(self.starts)

    def get_views(self, position: int) -> IntArray:
        """Return the numbers of the views of the object at a position, from 0 to M - 1."""
        return self.views[self.starts[position] : self.starts[position + 1]]

    def contains(self, objects: IntArray, views: IntArray) -> bool:
        """Return True if all views are in the selection.

        Args:
            objects: [...] rows of the objects in their split.
            views: [...] numbers of the views.
        """
        owners = np.repeat(self.objects, self.view_counts)
        limit = max(int(array.max(initial=0)) for array in (self.views, views)) + 1
        if (views < 0).any():
            return False
        # One number for each view of each object.
        return bool(np.isin(objects * limit + views, owners * limit + self.views).all())

    def with_min_views(self, min_views: int) -> "ViewSelection":
        """Return the selection without objects that have fewer views than this.

        Raises:
            InvalidInputError: No object has enough views.
        """
        enough = self.view_counts >= min_views
        if not enough.any():
            largest = int(self.view_counts.max()) if len(self) else 0
            raise InvalidInputError(
                f"samples need at least {min_views} views of each object; no object has more than {largest} "
                "(in this data set, or with this filter)"
            )
        return self.take(enough)

    def take(self, chosen: NDArray[np.bool_]) -> "ViewSelection":
        """Return the selection of some of the objects, all if all are chosen.

        Args:
            chosen: [M] True for the objects to keep.
        """
        if chosen.all():
            return self
        kept = np.repeat(chosen, self.view_counts)
        starts = np.concatenate([[0], np.cumsum(self.view_counts[chosen])])
        return replace(
            self,
            objects=self.objects[chosen],
            starts=starts,
            views=self.views[kept],
            shards=self.shards[chosen],
        )


def select_all_views(
    objects_per_shard: Sequence[int], num_views: int, sequence_length: int = 0
) -> ViewSelection:
    """Return the selection of all views of all objects.

    Args:
        objects_per_shard: Number of objects in each shard of the split, in order.
        num_views: Number of views of each object.
        sequence_length: Length of the data set's sequences in views; 0: it has no sequences.

    Raises:
        InvalidInputError: An argument is wrong.
    """
    counts = check_integers("objects_per_shard", objects_per_shard, 1)
    num_objects, num_views = int(counts.sum()), check_integer("num_views", num_views, 0)
    sequence_length = check_integer("sequence_length", sequence_length, 0)
    return ViewSelection(
        np.arange(num_objects, dtype=np.int64),
        np.arange(num_objects + 1, dtype=np.int64) * num_views,
        np.tile(np.arange(num_views, dtype=np.int64), num_objects),
        _compute_shard_numbers(objects_per_shard),
        sequence_length,
    )


def select_views(
    objects_per_shard: Sequence[int], rows: IntArray, views: IntArray, sequence_length: int = 0
) -> ViewSelection:
    """Return the selection of some views.

    Args:
        objects_per_shard: Number of objects in each shard of the split, in order.
        rows: [n] row of each view's object in the split, ascending.
        views: [n] numbers of the views, ascending within each object.
        sequence_length: Length of the data set's sequences in views; 0: it has no sequences.
    """
    objects, starts = np.unique(rows, return_index=True)
    return ViewSelection(
        objects.astype(np.int64),
        np.append(starts, len(rows)).astype(np.int64),
        views.astype(np.int64),
        _compute_shard_numbers(objects_per_shard)[objects],
        sequence_length,
    )


def _compute_shard_numbers(objects_per_shard: Sequence[int]) -> IntArray:
    return np.repeat(np.arange(len(objects_per_shard), dtype=np.int64), objects_per_shard)
