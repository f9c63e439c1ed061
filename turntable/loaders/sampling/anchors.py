"""Anchors: fixed views that describe others by their similarity (Moschella et al., 2023).

Anchors are samples of one view. ``write_pairs`` and ``read_pairs`` keep them in a file with the fingerprint
of the data set and a digest, and the sampler ``Fixed`` yields them in order.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from turntable.choices import check_choice
from turntable.datasets import Dataset, Split, match_objects
from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_integer
from turntable.loaders.sampling.random_order import IntArray, draw_below, draw_permutation, draw_words
from turntable.loaders.sampling.samplers import Samples

AnchorRule = Literal["uniform", "category", "object"]
"""Choice of anchors. "uniform": views of any objects. "category": equally many of each category, up to one.
"object": views of as many different objects as possible."""


def draw_anchors(split: Split, count: int, by: AnchorRule = "category", seed: int = 0) -> Samples:
    """Draw distinct views of a split at random as anchors.

    Args:
        split: The split.
        count: Number of anchors.
        by: The choice. "uniform": any views, all choices equally likely. "category": the categories in turn,
            and the objects of each in turn, so that all have equally many, up to one. "object": the objects
            in turn, in random order.
        seed: Seed of the draw. A larger number of anchors begins with those of a smaller one.

    Returns:
        [count] samples of one view.

    Raises:
        InvalidInputError: The split has fewer views, or an argument is wrong.
    """
    check_choice("by", by, get_args(AnchorRule))
    count = _check_count(count, split)
    objects = np.repeat(np.arange(split.num_objects), split.num_views)
    order = draw_permutation(len(objects), seed, 0, "anchors")
    if by != "uniform":
        order = order[_arrange_in_turn(objects[order])]
    if by == "category":
        order = order[_arrange_in_turn(split.category_indices[objects[order]])]
    chosen = order[:count]
    return Samples(objects[chosen], (chosen % split.num_views)[:, None])


def pick_spread_anchors(split: Split, features: ArrayLike, count: int, seed: int = 0) -> Samples:
    """Pick anchors that are spread over a space of features: each is the view farthest from those before it.

    The first one is drawn at random. Distances are Euclidean; features of poses spread anchors over poses.

    Args:
        split: The split.
        features: [N, V, D] finite vectors of all views, such as embeddings, or quaternions with one sign.
        count: Number of anchors.
        seed: Seed of the first one.

    Returns:
        [count] samples of one view. A larger number begins with those of a smaller one.

    Raises:
        InvalidInputError: The features are not those of the split, or have too few distinct vectors.
    """
    count = _check_count(count, split)
    values = np.asarray(features, np.float64)
    if values.ndim != 3 or values.shape[:2] != (split.num_objects, split.num_views):
        raise InvalidInputError(
            f"features of the shape {values.shape}: give [{split.num_objects}, {split.num_views}, D], one "
            f"vector for each view of each object of {split.name}"
        )
    if not np.isfinite(values).all():
        raise InvalidInputError("the features contain NaN or infinity")
    vectors = values.reshape(-1, values.shape[2])
    picked = [int(draw_below(draw_words("anchors", seed, 0, 1), len(vectors))[0])]
    distances = np.full(len(vectors), np.inf)
    while len(picked) < count:
        distances = np.minimum(distances, ((vectors - vectors[picked[-1]]) ** 2).sum(axis=1))
        farthest = int(np.argmax(distances))
        if distances[farthest] == 0:
            raise InvalidInputError(
                f"{count} anchors: the features have only {len(picked)} distinct vectors; take fewer anchors"
            )
        picked.append(farthest)
    rows, views = np.divmod(np.array(picked), split.num_views)
    return Samples(rows, views[:, None])


def match_anchors(anchors: Samples, dataset: Dataset, split: str, other: Dataset) -> Samples:
    """Return the anchors of another data set that show the same objects in the same views.

    Data sets that are rendered from the same meshes with one recipe, but for outputs, quality or size, have
    the same labels, so their anchors are exactly parallel.

    Args:
        anchors: Anchors of the first data set, or any samples of it.
        dataset: The first data set.
        split: Split of the anchors, in both data sets.
        other: The other data set.

    Returns:
        [count] samples of the same views in ``other``, in the same order.

    Raises:
        InvalidInputError: The other data set lacks an object or a view, or shows it with other labels.
    """
    first_rows, second_rows = match_objects(dataset, other).select_rows(split)
    row_by_row = dict(zip(first_rows.tolist(), second_rows.tolist(), strict=True))
    objects = anchors.objects
    missing = [row for row in np.unique(objects).tolist() if row not in row_by_row]
    if missing or int(anchors.views.max(initial=0)) >= other.manifest.views:
        raise InvalidInputError(
            f"{other.path_or_url} lacks {len(missing)} objects of the anchors in {split}, or some of their "
            f"views (it has {other.manifest.views} views of each object); take anchors that both have"
        )
    matched = np.array([row_by_row[row] for row in objects.ravel().tolist()]).reshape(objects.shape)
    samples = Samples(matched, anchors.views)
    _check_same_labels(anchors, samples, dataset, split, other)
    return samples


def _check_same_labels(
    anchors: Samples, samples: Samples, dataset: Dataset, split: str, other: Dataset
) -> None:
    """Check that samples of two data sets have the same values of all factors that both have.

    Raises:
        InvalidInputError: A factor differs.
    """
    common = [name for name in dataset.schema.names if name in other.schema]
    labels = [
        _read_columns(item, split, chosen, common) for item, chosen in ((dataset, anchors), (other, samples))
    ]
    differ = [name for column, name in enumerate(common) if (labels[0] != labels[1])[..., column].any()]
    if differ:
        raise InvalidInputError(
            f"the views of {other.path_or_url} differ from those of {dataset.path_or_url} in "
            f"{', '.join(differ)}: render both with the same recipe and seed; outputs, quality and image "
            "size may differ"
        )


def _read_columns(dataset: Dataset, split: str, samples: Samples, names: list[str]) -> np.ndarray:
    """Return some label columns of samples, [S * k, number of names]."""
    with dataset.open_split(split) as opened:
        labels = opened.get_labels(samples.view_objects.ravel(), samples.views.ravel())
    return labels[:, dataset.schema.get_columns(names)]


def _arrange_in_turn(groups: IntArray) -> IntArray:
    """Return the order in which items are dealt from their groups in turn.

    The groups come in the order of their first items, and the items of a group keep theirs.

    Args:
        groups: [n] group of each item.
    """
    _, firsts, inverse = np.unique(groups, return_index=True, return_inverse=True)
    by_group = np.argsort(inverse, kind="stable")
    counts = np.bincount(inverse)
    turns = np.empty(len(groups), np.int64)
    turns[by_group] = np.arange(len(groups)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.lexsort((firsts[inverse], turns))


def _check_count(count: int, split: Split) -> int:
    number, most = check_integer("count", count, 1), split.num_objects * split.num_views
    if number > most:
        raise InvalidInputError(f"{number} anchors: {split.name} has only {most} views; take fewer")
    return number
