"""Edges mined from features by nearest neighbors, and their purity, measured against the labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.datasets.dataset import Dataset
from turntable.datasets.relations.edges import MINED, EdgeList, make_edges
from turntable.datasets.relations.labeled_views import IntArray, LabeledViews, read_labeled_views
from turntable.datasets.relations.relation_rule import RelationRule
from turntable.datasets.vector_files import ViewVectors
from turntable.errors import InvalidInputError

_BLOCK = 512
"""Number of views whose features are compared with all others at a time."""


@dataclass(frozen=True, slots=True)
class EdgePurity:
    """The quality of edges between objects, by the labels. Shares are from 0 to 1."""

    num_edges: int
    purity: float
    """Share of the edges that are inter pairs by the rule."""
    same_category: float
    """Share of the edges between objects of one category."""
    close_pose: float
    """Share of the edges whose rotations differ by at most the rule's ``inter_deg``."""
    median_angle_deg: float
    """Median angle between the rotations of both ends, in degrees."""
    chance_same_category: float
    """Share of same categories among all pairs of views of different objects, for comparison."""


def mine_edges(
    dataset: Dataset,
    split: str,
    features: ViewVectors | ArrayLike,
    *,
    num_neighbors: int = 1,
    mutual: bool = True,
    min_score: float = -1.0,
) -> EdgeList:
    """List edges of the kind "mined": views of different objects whose features are nearest by their cosine.

    No label is used. Each edge is listed once, from the earlier view to the later one; its score is the
    cosine.

    Args:
        dataset: The data set.
        split: Name of the split.
        features: [N, V, D] finite vectors of all views of the split, or those that ``read_vectors`` gives for
            ``turntable evaluate --vectors``.
        num_neighbors: Number of nearest neighbors of each view, among the views of other objects.
        mutual: True to take only edges by which both views are among the other's nearest neighbors.
        min_score: Least cosine of an edge.

    Raises:
        InvalidInputError: The features are not those of the split, or no edge is left.
    """
    if type(num_neighbors) is not int or num_neighbors < 1:
        raise InvalidInputError(f"num_neighbors {num_neighbors!r}: must be a whole number from 1")
    with dataset.open_split(split) as opened:
        table = read_labeled_views(opened)
        shape = (opened.num_objects, opened.num_views)
    vectors = _normalize(_read_features(dataset, split, features, shape))
    neighbors, scores = _find_nearest(vectors, table.objects, num_neighbors)
    ends, score = _list_pairs(neighbors, scores, mutual=mutual)
    kept = score >= min_score
    if not kept.any():
        raise InvalidInputError(
            f"no edge has a score of {min_score:g} or more (the best of {len(score)}: "
            f"{float(score.max(initial=-1.0)):.3f}); lower min_score, or take more neighbors"
        )
    return make_edges(split, dataset.manifest.fingerprint, table, MINED, ends[kept], score[kept])


def measure_purity(edges: EdgeList, dataset: Dataset, rule: RelationRule = RelationRule()) -> EdgePurity:
    """Measure how many of some edges are exact inter pairs.

    Args:
        edges: Edges, such as those of ``mine_edges``.
        dataset: Data set that they belong to.
        rule: Conditions that an inter pair meets.

    Raises:
        InvalidInputError: There is no edge, or they belong to another data set.
    """
    if not len(edges) or edges.fingerprint != dataset.manifest.fingerprint:
        raise InvalidInputError(
            f"purity of {len(edges)} edges of the data set {edges.fingerprint[:12]} by the labels of "
            f"{dataset.path_or_url} ({dataset.manifest.fingerprint[:12]}): give edges of this data set"
        )
    with dataset.open_split(edges.split) as opened:
        table = read_labeled_views(opened)
    first, second = table.find(edges.objects, edges.views).T
    angles = np.degrees(edges.angle_rad.astype(np.float64))
    return EdgePurity(
        len(edges),
        float(rule.accept_inter(table, first, second).mean()),
        float(edges.same_category.mean()),
        float((angles <= rule.inter_deg + 1e-6).mean()),
        float(np.median(angles)),
        _compute_chance(table),
    )


def _read_features(
    dataset: Dataset, split: str, features: ViewVectors | ArrayLike, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the features of all views, [N * V, D], after a check that they belong to the split."""
    if isinstance(features, ViewVectors):
        if (features.fingerprint, features.split) != (dataset.manifest.fingerprint, split):
            raise InvalidInputError(
                f"the vectors belong to {features.split} of the data set {features.fingerprint[:12]}, not to "
                f"{split} of {dataset.path_or_url} ({dataset.manifest.fingerprint[:12]})"
            )
        features = features.values
    values = np.asarray(features, np.float32)
    if values.shape[:2] != shape or values.ndim != 3 or not np.isfinite(values).all():
        raise InvalidInputError(
            f"features of the shape {values.shape}: give finite numbers [{shape[0]}, {shape[1]}, D], one "
            f"vector for each view of each object of {split}"
        )
    return values.reshape(shape[0] * shape[1], -1)


def _normalize(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vectors divided by their lengths; vectors of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _find_nearest(
    vectors: NDArray[np.float32], objects: IntArray, count: int
) -> tuple[IntArray, NDArray[np.float32]]:
    """Return the nearest vectors of other objects, [n, count], the best first, and their cosines.

    Fewer are found where fewer other objects' views exist; then indices are -1.
    """
    neighbors = np.full((len(vectors), count), -1, np.int64)
    scores = np.full((len(vectors), count), -np.inf, np.float32)
    for begin in range(0, len(vectors), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        cosines = vectors[rows] @ vectors.T
        cosines[objects[rows, None] == objects[None]] = -np.inf
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
        best = np.take_along_axis(cosines, order, axis=1)
        neighbors[rows, : order.shape[1]] = np.where(np.isfinite(best), order, -1)
        scores[rows, : order.shape[1]] = best
    return neighbors, scores


def _list_pairs(
    neighbors: IntArray, scores: NDArray[np.float32], *, mutual: bool
) -> tuple[IntArray, NDArray[np.float32]]:
    """Return the pairs of neighbors [E, 2], each once and sorted, and their scores."""
    count = len(neighbors)
    first = np.repeat(np.arange(count), neighbors.shape[1])
    second, score = neighbors.ravel(), scores.ravel()
    real = second >= 0
    first, second, score = first[real], second[real], score[real]
    keys = np.minimum(first, second) * count + np.maximum(first, second)
    distinct, index, times = np.unique(keys, return_index=True, return_counts=True)
    kept = times == 2 if mutual else times > 0
    pairs = np.stack(np.divmod(distinct[kept], count), axis=1)
    return pairs, score[index[kept]]


def _compute_chance(table: LabeledViews) -> float:
    """Return the share of same categories among pairs of views of different objects."""
    own = np.bincount(table.objects).astype(np.float64)
    alike = np.bincount(table.categories).astype(np.float64)
    others = len(table) ** 2 - (own**2).sum()
    return float(((alike**2).sum() - (own**2).sum()) / others) if others else 0.0
