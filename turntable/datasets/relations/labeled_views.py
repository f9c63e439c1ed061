"""Views of a split as flat arrays with their labels, from which relations between views are computed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.labels import FloatArray, LabelArray, LabelSchema
from turntable.datasets.split import Split

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabeledViews:
    """n views of a split with their labels."""

    objects: IntArray
    """[n] rows of the objects in their split, ascending, for ``find``."""
    views: IntArray
    """[n] numbers of the views, ascending within each object, for ``find``."""
    categories: IntArray
    """[n] category indices of the objects."""
    labels: LabelArray
    """float32 [n, L] label columns."""
    schema: LabelSchema
    sequence_length: int = 0
    """Length of the data set's sequences in views; 0: it has no sequences."""

    def __len__(self) -> int:
        return len(self.objects)

    @cached_property
    def rotations(self) -> FloatArray:
        """Rotations from the object to the world, [n, 3, 3]."""
        return self.schema.compute_rotations(self.labels)

    @cached_property
    def quaternions(self) -> FloatArray:
        """Unit quaternions xyzw of the rotations, [n, 4]."""
        return self.schema.compute_quaternions(self.labels)

    def find(self, objects: IntArray, views: IntArray) -> IntArray:
        """Return the positions [...] of views among the n; -1 for a view that is not among them."""
        if not len(self):
            return np.full(np.shape(objects), -1, np.int64)
        width = int(self.views.max()) + 1
        keys = self.objects * width + self.views
        sought = np.where((views >= 0) & (views < width), objects * width + views, -1)
        places = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
        return np.where(keys[places] == sought, places, -1)


def read_labeled_views(
    split: Split, objects: IntArray | None = None, views: IntArray | None = None
) -> LabeledViews:
    """Read the labels of views from the indices of a split's shards.

    Args:
        split: The split.
        objects: [n] rows of the views' objects; None for all views of the split.
        views: [n] numbers of the views; None for all.
    """
    if objects is None or views is None:
        objects = np.repeat(np.arange(split.num_objects), split.num_views)
        views = np.tile(np.arange(split.num_views), split.num_objects)
    return LabeledViews(
        objects,
        views,
        split.get_category_indices(objects),
        split.get_labels(objects, views),
        split.manifest.schema,
        int((split.manifest.recipe.get("sequence") or {}).get("length", 0)),
    )
