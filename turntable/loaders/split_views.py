"""The views of a split that a loader takes: those of a selection, of a condition and of a subset."""

from collections.abc import Iterator

import numpy as np

from turntable.datasets import Dataset, MatchingViews, Selection
from turntable.errors import InvalidInputError
from turntable.loaders.sampling import ViewSelection, select_all_views, select_views


def select_split_views(
    dataset: Dataset, split: str, selection: Selection, where: str | None, sequence_length: int
) -> ViewSelection:
    """Select the views of a split that meet a condition and belong to a selection and the data set's subset.

    Args:
        dataset: The data set.
        split: Name of the split.
        selection: Part of the split.
        where: Condition on the labels; None for none.
        sequence_length: Length of the data set's sequences in views; 0: it has no sequences.

    Raises:
        InvalidInputError: There is no such split, view or environment, or no view is left.
    """
    manifest = dataset.manifest
    if split not in manifest.splits:
        raise InvalidInputError(
            f"{dataset.path_or_url} has no split {split!r}; it has {', '.join(manifest.splits)}"
        )
    counts = [shard.objects for shard in manifest.select_shards(split)]
    found = list(_iter_choices(dataset, split, sum(counts), selection, where))
    if not found:
        return select_all_views(counts, manifest.views, sequence_length)
    matching = found[0]
    for other in found[1:]:
        matching = _intersect(matching, other, manifest.views)
    if not len(matching):
        conditions = [str(selection), repr(where) if where else "", "the subset" if manifest.subset else ""]
        raise InvalidInputError(
            f"no view of {split} meets all of: {'; '.join(filter(None, conditions))} ({dataset.path_or_url})"
        )
    return select_views(counts, matching.rows, matching.views, sequence_length)


def _iter_choices(
    dataset: Dataset, split: str, num_objects: int, selection: Selection, where: str | None
) -> Iterator[MatchingViews]:
    """Yield the views of each choice that is made: by the subset, the selection and the condition."""
    subset, num_views = dataset.manifest.subset, dataset.manifest.views
    if subset is not None:
        yield subset.decode_views(split, num_objects, num_views)
    if not selection.is_whole:
        with dataset.open_split(split) as opened:
            rows, views = selection.list_objects(opened), selection.list_views(num_views)
        yield MatchingViews(np.repeat(rows, len(views)), np.tile(views, len(rows)))
    if where is not None:
        from turntable.datasets.query import select_matching_views

        yield select_matching_views(dataset, split, where)


def _intersect(first: MatchingViews, second: MatchingViews, num_views: int) -> MatchingViews:
    # One number for each (row, view), so that one intersection of sets compares both.
    both = np.intersect1d(first.rows * num_views + first.views, second.rows * num_views + second.views)
    return MatchingViews(*np.divmod(both, num_views))
