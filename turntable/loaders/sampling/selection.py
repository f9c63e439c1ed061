"""What may be drawn from a split: some of its objects, some of their views, and where they lie."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from turntable.errors import InvalidInputError
from turntable.loaders.sampling.order import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """M objects, each with some of its views."""

    objects: IntArray
    """[M] rows of the objects in their split, ascending."""
    starts: IntArray
    """[M + 1] where each object's views begin in ``views``."""
    views: IntArray
    """Numbers of the views, object by object, ascending within each."""
    shards: IntArray
    """[M] numbers of the shards in which they lie."""
    sequence_length: int = 0
    """Of the data set's sequences, in views; 0 where it has none."""

    def __len__(self) -> int:
        return len(self.objects)

    @property
    def counts(self) -> IntArray:
        """[M] views of each object."""
        return np.diff(self.starts)

    def views_of(self, place: int) -> IntArray:
        """The views of the object at a place."""
        return self.views[self.starts[place] : self.starts[place + 1]]

    def with_at_least(self, views: int) -> "Selection":
        """Only objects that have so many views left.

        Raises:
            InvalidInputError: None has.
        """
        enough = self.counts >= views
        if not enough.any():
            most = int(self.counts.max()) if len(self) else 0
            raise InvalidInputError(
                f"samples need at least {views} views of each object; no object has more than {most} "
                "(in this data set, or by this filter)"
            )
        if enough.all():
            return self
        kept = np.repeat(enough, self.counts)
        starts = np.concatenate([[0], np.cumsum(self.counts[enough])])
        return replace(
            self,
            objects=self.objects[enough],
            starts=starts,
            views=self.views[kept],
            shards=self.shards[enough],
        )


def whole_split(shard_objects: Sequence[int], num_views: int, sequence_length: int = 0) -> Selection:
    """All views of all objects.

    Args:
        shard_objects: how many objects each shard of the split has, in order.
        num_views: of each object.
        sequence_length: of the data set's sequences, in views.
    """
    objects = sum(shard_objects)
    return Selection(
        np.arange(objects, dtype=np.int64),
        np.arange(objects + 1, dtype=np.int64) * num_views,
        np.tile(np.arange(num_views, dtype=np.int64), objects),
        _shards(shard_objects),
        sequence_length,
    )


def chosen_views(
    shard_objects: Sequence[int], rows: IntArray, views: IntArray, sequence_length: int = 0
) -> Selection:
    """Some views.

    Args:
        shard_objects: how many objects each shard of the split has, in order.
        rows: [n] of objects in the split, ascending.
        views: [n] their numbers, ascending within each object.
        sequence_length: of the data set's sequences, in views.
    """
    objects, starts = np.unique(rows, return_index=True)
    return Selection(
        objects.astype(np.int64),
        np.append(starts, len(rows)).astype(np.int64),
        views.astype(np.int64),
        _shards(shard_objects)[objects],
        sequence_length,
    )


def _shards(shard_objects: Sequence[int]) -> IntArray:
    return np.repeat(np.arange(len(shard_objects), dtype=np.int64), shard_objects)
