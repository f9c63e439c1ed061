"""Edges that follow from others: two objects that look alike, each seen differently (Wang et al., 2017)."""

import numpy as np

from turntable.datasets.dataset import Dataset
from turntable.datasets.relations.edges import (
    INTER,
    INTRA,
    TRANSITIVE,
    EdgeList,
    check_num_edges,
    make_edges,
)
from turntable.datasets.relations.labeled_views import IntArray, read_labeled_views


def find_transitive_edges(dataset: Dataset, edges: EdgeList, inter: str = INTER) -> EdgeList:
    """List the transitive edges of a list: pairs that its edges connect, but no single one of them.

    With an inter edge (A, B) and intra edges (A, A') and (B, B') they are (A', B), (A, B') and (A', B').
    Each is listed once, and none joins two views of one object.

    Args:
        dataset: Data set of the edges.
        edges: List with edges of the kind "intra" and of the kind ``inter``.
        inter: Kind of the edges between objects: "inter", or "mined".

    Raises:
        InvalidInputError: The list lacks one of the kinds, or there are too many transitive edges.
    """
    with dataset.open_split(edges.split) as opened:
        table = read_labeled_views(opened)
    chosen = [edges.select_kinds([kind]) for kind in (INTRA, inter)]
    intra, between = (table.find(item.objects, item.views) for item in chosen)
    starts, neighbors = _list_neighbors(intra, len(table))
    # Each end of an inter edge is replaced by itself, or by each of the views it has an intra edge with.
    pairs = _replace_ends(_replace_ends(between, 0, starts, neighbors), 1, starts, neighbors)
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    width = len(table)
    known = np.sort(between, axis=1) @ [width, 1]
    new = ~np.isin(pairs @ [width, 1], known)
    new &= table.objects[pairs[:, 0]] != table.objects[pairs[:, 1]]
    return make_edges(edges.split, edges.fingerprint, table, TRANSITIVE, pairs[new])


def _list_neighbors(pairs: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Return the index of each view's first neighbor, [count + 1], and the neighbors by edges either way."""
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    return np.concatenate([[0], np.cumsum(np.bincount(both[:, 0], minlength=count))]), both[:, 1]


def _replace_ends(pairs: IntArray, end: int, starts: IntArray, neighbors: IntArray) -> IntArray:
    """Return the pairs, and all pairs in which one end is replaced by each of its neighbors."""
    counts = np.diff(starts)[pairs[:, end]]
    check_num_edges(len(pairs) + int(counts.sum()))
    replaced = np.repeat(pairs, counts, axis=0)
    offsets = np.arange(len(replaced)) - np.repeat(np.cumsum(counts) - counts, counts)
    replaced[:, end] = neighbors[starts[replaced[:, end]] + offsets]
    return np.concatenate([pairs, replaced])
