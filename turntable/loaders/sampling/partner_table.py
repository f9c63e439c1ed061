"""The related views of a selection, from which quads are drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.relations import (
    LabeledViews,
    RelationRule,
    compute_half_cosines,
    find_close_rotations,
)
from turntable.loaders.sampling.random_order import IntArray, WordArray, draw_below

NUM_TRIES = 8
"""Number of random candidates for a partner that are tried before all are listed."""
_MAX_CANDIDATES = 1 << 22
"""Number of candidates that are compared at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class _RotationGroups:
    """Views grouped by category and rotation, and for each group the groups close to it."""

    group_of: IntArray
    """[n] group of each view; -1 for views that take no part."""
    members: IntArray
    """Views of all groups, group by group."""
    member_starts: IntArray
    """[G] index of each group's first member."""
    neighbors: IntArray
    """Groups close to each group, group by group."""
    ends: IntArray
    """Number of members up to and including each entry of ``neighbors``."""
    sizes: IntArray
    """Number of members of each entry of ``neighbors``."""
    bases: IntArray
    """[G] number of members before each group's first neighbor."""
    totals: IntArray
    """[G] number of members of all neighbors of a group."""

    def get_candidates(self, views: IntArray, numbers: IntArray) -> IntArray:
        """Return the views that have some numbers [...] among the candidates of views [...]."""
        places = self.bases[self.group_of[views]] + numbers
        entries = np.searchsorted(self.ends, places, side="right")
        offsets = places - (self.ends[entries] - self.sizes[entries])
        return self.members[self.member_starts[self.neighbors[entries]] + offsets]


class PartnerTable:
    """Views of a selection with the intra and inter pairs that a rule defines. Pairs are found when drawn.

    Args:
        table: The views of the selection, n of them.
        rule: Conditions on the labels.

    Raises:
        InvalidInputError: The data lack what the rule asks for, or too many rotations are close.
    """

    def __init__(self, table: LabeledViews, rule: RelationRule) -> None:
        rule.check_data(table)
        self._table, self._rule = table, rule
        objects, starts, counts = np.unique(table.objects, return_index=True, return_counts=True)
        self.objects: IntArray = objects
        """[M] rows of the objects in their split."""
        self._starts, self._counts = starts.astype(np.int64), counts.astype(np.int64)
        self._place_of = np.repeat(np.arange(len(objects)), counts)
        every = np.arange(len(table))
        movable = self._count_intra(every) > 0
        self._groups = _group_rotations(table, rule, movable)
        first = self.draw_inter(every[movable], np.zeros((int(movable.sum()), NUM_TRIES + 1), np.uint64))
        self._first_views = every[movable][first >= 0]
        """Views from which a quad can start: they have an intra and an inter pair."""
        self.first_counts: IntArray = np.bincount(
            self._place_of[self._first_views], minlength=len(objects)
        ).astype(np.int64)
        """[M] number of views of each object from which a quad can start."""
        self._first_starts = np.cumsum(self.first_counts) - self.first_counts

    def get_views(self, positions: IntArray) -> tuple[IntArray, IntArray]:
        """Return the objects' rows and the numbers of views at positions [...]."""
        return self._table.objects[positions], self._table.views[positions]

    def draw_first(self, places: IntArray, words: WordArray) -> IntArray:
        """Draw a view from which a quad can start, [S], of the objects at places [S]; all equally likely."""
        numbers = draw_below(words, self.first_counts[places])
        return self._first_views[self._first_starts[places] + numbers]

    def draw_intra(self, positions: IntArray, words: WordArray) -> IntArray:
        """Draw the other view of an intra pair of each view [S]; all are equally likely, one must exist."""
        drawn = np.empty_like(positions)
        for rows in self._iter_rows(positions):
            allowed = self._find_intra(positions[rows])
            ranks = draw_below(words[rows], allowed.sum(axis=1))
            columns = np.argmax(allowed.cumsum(axis=1) > ranks[:, None], axis=1)
            drawn[rows] = self._starts[self._place_of[positions[rows]]] + columns
        return drawn

    def draw_inter(self, positions: IntArray, words: WordArray) -> IntArray:
        """Draw the other view of an inter pair of each view, [S]; all are equally likely.

        Args:
            positions: [S] views that have intra pairs.
            words: [S, NUM_TRIES + 1] random words.

        Returns:
            [S] views that have intra pairs too; -1 where a view has no inter pair.
        """
        drawn, totals = np.full(len(positions), -1, np.int64), self._count_candidates(positions)
        for number in range(NUM_TRIES):
            open_rows = np.flatnonzero((drawn < 0) & (totals > 1))
            views = positions[open_rows]
            tried = self._groups.get_candidates(
                views, draw_below(words[open_rows, number], totals[open_rows])
            )
            drawn[open_rows] = np.where(self._are_inter(views, tried), tried, -1)
        # The tries give each of the right candidates with equal probability, and so does a list of all.
        left = np.flatnonzero((drawn < 0) & (totals > 1))
        for rows in _split_by_size(left, totals[left]):
            drawn[rows] = self._draw_from_all(positions[rows], totals[rows], words[rows, NUM_TRIES])
        return drawn

    def _draw_from_all(self, positions: IntArray, totals: IntArray, words: WordArray) -> IntArray:
        """Draw one of all inter pairs of each view; -1 where there is none."""
        owners = np.repeat(np.arange(len(positions)), totals)
        numbers = np.arange(len(owners)) - np.repeat(np.cumsum(totals) - totals, totals)
        candidates = self._groups.get_candidates(positions[owners], numbers)
        right = self._are_inter(positions[owners], candidates)
        owners, candidates = owners[right], candidates[right]
        counts = np.bincount(owners, minlength=len(positions))
        drawn = np.full(len(positions), -1, np.int64)
        some = counts > 0
        firsts = np.cumsum(counts) - counts
        drawn[some] = candidates[firsts[some] + draw_below(words[some], counts[some])]
        return drawn

    def _are_inter(self, views: IntArray, others: IntArray) -> NDArray[np.bool_]:
        """Return which views of close groups are of different objects and within the bounds."""
        different = self._place_of[views] != self._place_of[others]
        return different & self._rule.accept_bounds(self._table, views, others)

    def _count_candidates(self, positions: IntArray) -> IntArray:
        return self._groups.totals[self._groups.group_of[positions]]

    def _count_intra(self, positions: IntArray) -> IntArray:
        """Count the intra pairs of each view [S]."""
        counts = np.empty(len(positions), np.int64)
        for rows in self._iter_rows(positions):
            counts[rows] = self._find_intra(positions[rows]).sum(axis=1)
        return counts

    def _find_intra(self, positions: IntArray) -> NDArray[np.bool_]:
        """Return which views of its object form an intra pair with each view, [S, largest number]."""
        places = self._place_of[positions]
        width = int(self._counts[places].max(initial=0))
        columns = np.arange(width)
        real = columns < self._counts[places, None]
        others = np.where(real, self._starts[places, None] + columns, positions[:, None])
        table, length = self._table, self._table.sequence_length
        if not self._rule.consecutive:
            cosines = compute_half_cosines(table.quaternions[positions, None], table.quaternions[others])
            return real & (others != positions[:, None]) & self._rule.accept_intra_cosines(cosines)
        views, other_views = table.views[positions, None], table.views[others]
        later = other_views == views + self._rule.consecutive
        return real & later & (other_views // length == views // length)

    def _iter_rows(self, positions: IntArray) -> list[slice]:
        """Divide views into slices whose objects together have a limited number of views."""
        step = max(1, _MAX_CANDIDATES // max(1, int(self._counts.max(initial=1))))
        return [slice(begin, begin + step) for begin in range(0, len(positions), step)]


def _split_by_size(rows: IntArray, sizes: IntArray) -> list[IntArray]:
    """Divide rows into runs whose sizes sum to a limited number."""
    runs = np.cumsum(sizes) // _MAX_CANDIDATES
    return np.split(rows, np.flatnonzero(np.diff(runs)) + 1) if len(rows) else []


def _group_rotations(table: LabeledViews, rule: RelationRule, movable: NDArray[np.bool_]) -> _RotationGroups:
    """Group the views that have intra pairs, and find the groups of each category that are close.

    Objects that share a pose bank have few distinct rotations, so groups keep the number of pairs small.
    """
    views = np.flatnonzero(movable)
    keys = np.column_stack([table.categories[views], table.quaternions[views]])
    order = np.lexsort(keys.T[::-1])
    changes = (keys[order][1:] != keys[order][:-1]).any(axis=1)
    numbers = np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)[: len(views)]
    members = views[order]
    group_of = np.full(len(table), -1, np.int64)
    group_of[members] = numbers
    counts = np.bincount(numbers)
    member_starts = np.cumsum(counts) - counts
    starts, neighbors = _find_close_groups(table, rule, members[member_starts])
    sizes = counts[neighbors]
    ends = np.cumsum(sizes)
    befores = np.concatenate([[0], ends])[starts]
    return _RotationGroups(
        group_of, members, member_starts, neighbors, ends, sizes, befores[:-1], np.diff(befores)
    )


def _find_close_groups(
    table: LabeledViews, rule: RelationRule, firsts: IntArray
) -> tuple[IntArray, IntArray]:
    """Find for each group, given by its first view and sorted by category, the close groups of its category.

    Returns:
        [G + 1] index of each group's first neighbor, and the neighbors.
    """
    categories, begins = np.unique(table.categories[firsts], return_index=True)
    starts, neighbors = [np.zeros(1, np.int64)], [np.empty(0, np.int64)]
    for begin, end in zip(begins, [*begins[1:], len(firsts)], strict=True) if len(categories) else ():
        found = find_close_rotations(table.quaternions[firsts[begin:end]], rule.min_inter_cosine)
        starts.append(found[0][1:] + starts[-1][-1])
        neighbors.append(found[1] + begin)
    return np.concatenate(starts), np.concatenate(neighbors)
