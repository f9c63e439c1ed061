"""Lists of edges between views, and the exact edges of a split by a rule."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.dataset import Dataset
from turntable.datasets.relations.close_rotations import find_close_rotations
from turntable.datasets.relations.labeled_views import IntArray, LabeledViews, read_labeled_views
from turntable.datasets.relations.relation_rule import RelationRule
from turntable.errors import InvalidInputError
from turntable.geometry import compute_geodesic_angle

INTRA, INTER, TRANSITIVE, MINED = "intra", "inter", "transitive", "mined"
EXACT_KINDS = (INTRA, INTER)
MAX_EDGES = 50_000_000


@dataclass(frozen=True, eq=False)
class EdgeList:
    """E edges between views of a split."""

    split: str
    """Name of the split."""
    fingerprint: str
    """Fingerprint of the data set."""
    kinds: NDArray[np.str_]
    """[E] kind of each edge: "intra", "inter", "transitive", "mined", or one of your own."""
    objects: IntArray
    """[E, 2] rows of the objects of both ends in the split."""
    views: IntArray
    """[E, 2] numbers of the views of both ends."""
    angle_rad: NDArray[np.float32]
    """[E] angles in radians between the rotations of both ends."""
    same_category: NDArray[np.bool_]
    """[E] True where both objects are of one category."""
    score: NDArray[np.float32]
    """[E] scores, such as the cosine of features of a mined edge; NaN for none."""

    def __len__(self) -> int:
        return len(self.kinds)

    def __getitem__(self, index: slice | IntArray | NDArray[np.bool_]) -> "EdgeList":
        return replace(
            self,
            kinds=self.kinds[index],
            objects=self.objects[index],
            views=self.views[index],
            angle_rad=self.angle_rad[index],
            same_category=self.same_category[index],
            score=self.score[index],
        )

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of the kinds and ends of all edges, in their order."""
        text = hashlib.sha256("\0".join(self.kinds.tolist()).encode())
        text.update(np.concatenate([self.objects, self.views], axis=1).astype("<i8").tobytes())
        return text.hexdigest()

    def select_kinds(self, kinds: Collection[str]) -> "EdgeList":
        """Return the edges of some kinds, in their order.

        Raises:
            InvalidInputError: There is no edge of one of these kinds.
        """
        present = set(self.kinds.tolist())
        if missing := [kind for kind in kinds if kind not in present]:
            raise InvalidInputError(
                f"no edges of the kind {', '.join(missing)}; the list has {', '.join(sorted(present))}"
            )
        return self[np.isin(self.kinds, list(kinds))]


def join_edges(*lists: EdgeList) -> EdgeList:
    """Return the edges of several lists of one split, one list after the other.

    Raises:
        InvalidInputError: There is no list, or they belong to different splits or data sets.
    """
    if not lists or len({(item.split, item.fingerprint) for item in lists}) > 1:
        raise InvalidInputError("lists of edges to join must be of one split of one data set")
    return replace(
        lists[0],
        kinds=np.concatenate([item.kinds for item in lists]),
        objects=np.concatenate([item.objects for item in lists]),
        views=np.concatenate([item.views for item in lists]),
        angle_rad=np.concatenate([item.angle_rad for item in lists]),
        same_category=np.concatenate([item.same_category for item in lists]),
        score=np.concatenate([item.score for item in lists]),
    )


def find_edges(
    dataset: Dataset, split: str, rule: RelationRule = RelationRule(), kinds: Collection[str] = EXACT_KINDS
) -> EdgeList:
    """List all edges of a split that a rule defines, each once: "intra" edges first, then "inter" edges.

    An edge runs from the earlier view to the later one, in the order of the split.

    Args:
        dataset: The data set.
        split: Name of the split.
        rule: Conditions on the labels.
        kinds: Kinds of edges to list.

    Raises:
        InvalidInputError: There is no such split or kind, the data lack what the rule asks for, or there are
            more than ``MAX_EDGES`` edges.
    """
    if unknown := [kind for kind in kinds if kind not in EXACT_KINDS]:
        raise InvalidInputError(f"kinds {', '.join(unknown)}: a rule defines {' and '.join(EXACT_KINDS)}")
    with dataset.open_split(split) as opened:
        table = read_labeled_views(opened)
    rule.check_data(table)
    fingerprint = dataset.manifest.fingerprint
    finders = {INTRA: _iter_intra_pairs, INTER: _iter_inter_pairs}
    found = [
        make_edges(split, fingerprint, table, kind, _collect(finders[kind](table, rule)))
        for kind in EXACT_KINDS
        if kind in kinds
    ]
    return join_edges(*found)


def make_edges(
    split: str,
    fingerprint: str,
    table: LabeledViews,
    kind: str,
    ends: IntArray,
    score: NDArray[np.float32] | None = None,
) -> EdgeList:
    """Return a list of edges of one kind, with their angles and categories from the labels.

    Args:
        split: Name of the split.
        fingerprint: Fingerprint of the data set.
        table: Views of the split.
        kind: Kind of the edges.
        ends: [E, 2] positions of both ends in the table.
        score: [E] scores; None for none.
    """
    first, second = ends.T
    categories = table.categories
    return EdgeList(
        split,
        fingerprint,
        np.full(len(ends), kind),
        table.objects[ends],
        table.views[ends],
        compute_geodesic_angle(table.rotations[first], table.rotations[second]).astype(np.float32),
        categories[first] == categories[second],
        np.full(len(ends), np.nan, np.float32) if score is None else score.astype(np.float32),
    )


def check_num_edges(count: int) -> None:
    """Check that a list is not too long. Raises InvalidInputError."""
    if count > MAX_EDGES:
        raise InvalidInputError(
            f"more than {MAX_EDGES:,} edges: use a narrower rule, or the sampler Quads, which lists none"
        )


def _collect(blocks: Iterator[IntArray]) -> IntArray:
    """Return all pairs [E, 2] of some blocks, sorted."""
    found, count = [np.empty((0, 2), np.int64)], 0
    for block in blocks:
        count += len(block)
        check_num_edges(count)
        found.append(block)
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _iter_intra_pairs(table: LabeledViews, rule: RelationRule) -> Iterator[IntArray]:
    """Yield the intra pairs of one object at a time, as positions [.., 2] in the table."""
    _, firsts, counts = np.unique(table.objects, return_index=True, return_counts=True)
    for begin, count in zip(firsts.tolist(), counts.tolist(), strict=True):
        rows, columns = np.triu_indices(count, 1)
        pairs = np.stack([rows, columns], axis=1) + begin
        yield pairs[rule.accept_intra(table, pairs[:, 0], pairs[:, 1])]


def _iter_inter_pairs(table: LabeledViews, rule: RelationRule) -> Iterator[IntArray]:
    """Yield the inter pairs of one category at a time, as positions [.., 2] in the table."""
    for category in np.unique(table.categories).tolist():
        members = np.flatnonzero(table.categories == category)
        starts, neighbors = find_close_rotations(table.quaternions[members], rule.min_inter_cosine)
        first, second = members[np.repeat(np.arange(len(members)), np.diff(starts))], members[neighbors]
        kept = (table.objects[first] < table.objects[second]) & rule.accept_bounds(table, first, second)
        yield np.stack([first[kept], second[kept]], axis=1)
