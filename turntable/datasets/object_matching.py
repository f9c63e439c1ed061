"""The objects that two data sets have in common, such as those of recipes that differ in one factor."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.dataset import Dataset

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class MatchedObjects:
    """The M objects that two data sets have in common, in the first's order, and the ids of the others."""

    ids: tuple[str, ...]
    """Ids of the objects, [M]."""
    first_splits: tuple[str, ...]
    """Name of each object's split in the first data set, [M]."""
    first_rows: IntArray
    """Row of each object in that split, [M]."""
    second_splits: tuple[str, ...]
    """Name of each object's split in the second data set, [M]."""
    second_rows: IntArray
    """Row of each object in that split, [M]."""
    only_first: tuple[str, ...]
    """Ids that only the first data set has, in its order."""
    only_second: tuple[str, ...]
    """Ids that only the second data set has, in its order."""

    def select_rows(self, split: str) -> tuple[IntArray, IntArray]:
        """Return the rows in both data sets of the objects that have the same split in both.

        Args:
            split: Name of the split.

        Returns:
            Rows in the first and in the second data set, as long as each other.
        """
        pairs = zip(self.first_splits, self.second_splits, strict=True)
        here = np.array([first == second == split for first, second in pairs], np.bool_)
        return self.first_rows[here], self.second_rows[here]


def match_objects(first: Dataset, second: Dataset) -> MatchedObjects:
    """Find the objects that two data sets have in common, by their ids.

    Two data sets of the same meshes with the same ``val_fraction``, ``split_rule`` and ``split_seed`` have
    all objects in common, in the same splits, except those that one of them left out.

    Args:
        first: A data set.
        second: Another, of the same source of meshes.
    """
    places, others = _locate_objects(first), _locate_objects(second)
    ids = tuple(name for name in places if name in others)
    return MatchedObjects(
        ids,
        tuple(places[name][0] for name in ids),
        np.array([places[name][1] for name in ids], np.int64),
        tuple(others[name][0] for name in ids),
        np.array([others[name][1] for name in ids], np.int64),
        tuple(name for name in places if name not in others),
        tuple(name for name in others if name not in places),
    )


def _locate_objects(dataset: Dataset) -> dict[str, tuple[str, int]]:
    """Return the split and the row of each object by its id."""
    places: dict[str, tuple[str, int]] = {}
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            places |= {object_id: (name, row) for row, object_id in enumerate(split.object_ids)}
    return places
