"""Selections of views: the objects and views of a split that samples are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from turntable.errors import InvalidInputError
from turntable.loaders.sampling.random_order import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ViewSelection:
    """Some objects of a split, M of them, each with some of its views."""

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

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def view_counts(self) -> IntArray:
        """Number of views of each object, [M]."""
        return np.diff(self.starts)

    def get_views(self, position: int) -> IntArray:
        """Return the numbers of the views of the object at a position, from 0 to M - 1."""
        return self.views[self.starts[position] : self.starts[position + 1]]

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
        if enough.all():
            return self
        kept = np.repeat(enough, self.view_counts)
        starts = np.concatenate([[0], np.cumsum(self.view_counts[enough])])
        return replace(
            self,
            objects=self.objects[enough],
            starts=starts,
            views=self.views[kept],
            shards=self.shards[enough],
        )


def select_all_views(
    objects_per_shard: Sequence[int], num_views: int, sequence_length: int = 0
) -> ViewSelection:
    """Return the selection of all views of all objects.

    Args:
        objects_per_shard: Number of objects in each shard of the split, in order.
        num_views: Number of views of each object.
        sequence_length: Length of the data set's sequences in views; 0: it has no sequences.
    """
    num_objects = sum(objects_per_shard)
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
