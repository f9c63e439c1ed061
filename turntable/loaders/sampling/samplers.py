"""Samples: an object and some of its views. A sampler says which come in an epoch, and in which order."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from turntable.errors import InvalidInputError
from turntable.loaders.sampling.order import IntArray, below, distinct, spread_pairs, visit_order, words
from turntable.loaders.sampling.selection import Selection

Naming = Literal["single", "pair", "several"]
"""How a batch names the views of its samples: ``view``; ``view_1`` and ``view_2``; ``views`` [B, k, ...]."""


def naming_of(views: int) -> Naming:
    """How samples of so many views are named where nothing else says it."""
    names: dict[int, Naming] = {1: "single", 2: "pair"}
    return names.get(views, "several")


@dataclass(frozen=True, eq=False)
class Samples:
    """S samples of k views."""

    objects: IntArray
    """[S] rows of the objects in their split."""
    views: IntArray
    """[S, k] numbers of their views."""

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, chosen: slice | IntArray) -> "Samples":
        return Samples(self.objects[chosen], self.views[chosen])

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of the list, by which two evaluations can tell that they used the same samples."""
        table = np.concatenate([self.objects[None], self.views.T]).astype("<i8")
        return hashlib.sha256(table.tobytes()).hexdigest()


class Sampler(Protocol):
    """Decides the samples of an epoch: a pure function of what may be drawn, the seed and the epoch."""

    @property
    def views(self) -> int:
        """k, of each sample."""
        ...

    @property
    def naming(self) -> Naming:
        """How a batch names them."""
        ...

    def count(self, selection: Selection) -> int:
        """Samples in an epoch, S."""
        ...

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """The samples of an epoch, in their order.

        Args:
            selection: what may be drawn; every object has at least k views.
            window: shards that are open at once; None: all of them.
            seed: of the run.
            epoch: counted from 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class Views:
    """Every view by itself, once an epoch."""

    shuffled: bool = True
    """Otherwise object by object, in the order in which they are stored."""

    @property
    def views(self) -> int:
        """One."""
        return 1

    @property
    def naming(self) -> Naming:
        """``view``."""
        return "single"

    def count(self, selection: Selection) -> int:
        """As many as there are views."""
        return len(selection.views)

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """All views."""
        owners = np.repeat(np.arange(len(selection), dtype=np.int64), selection.counts)
        if self.shuffled:
            order = visit_order(selection.shards[owners], window, 1, seed, epoch)
            return Samples(selection.objects[owners[order]], selection.views[order, None])
        return Samples(selection.objects[owners], selection.views[:, None])


@dataclass(frozen=True, slots=True)
class Singles:
    """One view of each object at random, all equally likely."""

    visits: int = 1
    """Times that an epoch goes through all objects."""

    def __post_init__(self) -> None:
        _check_counts(self.views, self.visits, 1)

    @property
    def views(self) -> int:
        """One."""
        return 1

    @property
    def naming(self) -> Naming:
        """``view``."""
        return "single"

    def count(self, selection: Selection) -> int:
        """Objects times visits."""
        return len(selection) * self.visits

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """A view of every object, as often as promised."""
        return _random_tuples(self, 1, selection, window, seed, epoch)


@dataclass(frozen=True, slots=True)
class Tuples:
    """k distinct views of one object at random, all ordered choices equally likely."""

    views: int
    """k, at least 1."""
    visits: int = 1
    """Times that an epoch goes through all objects."""
    tuples_per_visit: int = 1
    """Samples of an object at each visit: its shard is read once for all of them. They stand at least half a
    window apart."""

    def __post_init__(self) -> None:
        _check_counts(self.views, self.visits, self.tuples_per_visit)

    @property
    def naming(self) -> Naming:
        """``views``, whatever k is."""
        return "several"

    def count(self, selection: Selection) -> int:
        """Objects times visits times tuples a visit."""
        return len(selection) * self.visits * self.tuples_per_visit

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """Tuples of every object, as often as promised."""
        return _random_tuples(self, self.tuples_per_visit, selection, window, seed, epoch)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two distinct views of one object at random, all ordered pairs equally likely (as SIE draws them)."""

    visits: int = 1
    """Times that an epoch goes through all objects."""
    pairs_per_visit: int = 1
    """Pairs of an object at each visit: its shard is read once for all of them. They stand at least half a
    window apart, so that they do not share a batch."""

    def __post_init__(self) -> None:
        _check_counts(self.views, self.visits, self.pairs_per_visit)

    @property
    def views(self) -> int:
        """Two."""
        return 2

    @property
    def naming(self) -> Naming:
        """``view_1`` and ``view_2``."""
        return "pair"

    def count(self, selection: Selection) -> int:
        """Objects times visits times pairs a visit."""
        return len(selection) * self.visits * self.pairs_per_visit

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """Pairs of every object, as often as promised."""
        return _random_tuples(self, self.pairs_per_visit, selection, window, seed, epoch)


@dataclass(frozen=True, slots=True)
class Sequences:
    """Views that follow one another in a true sequence, of data sets with such (recipe ``sequences``)."""

    views: int
    """k: the whole sequence, or as many of its views in a row, from a random start."""
    visits: int = 1

    def __post_init__(self) -> None:
        _check_counts(self.views, self.visits, 1)

    @property
    def naming(self) -> Naming:
        """``views``, whatever k is."""
        return "several"

    def count(self, selection: Selection) -> int:
        """As many as there are whole sequences, times visits."""
        return len(self._sequences(selection)[0]) * self.visits

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """Every sequence once a visit; those of which a filter left out a view do not come."""
        places, firsts = self._sequences(selection)
        visits = range(epoch * self.visits, (epoch + 1) * self.visits)
        order = np.concatenate(
            [visit_order(selection.shards[places], window, 1, seed, visit) for visit in visits]
        )
        starts = np.full(len(order), selection.sequence_length - self.views + 1)
        skipped = below(words("views", seed, epoch, len(order)), starts)
        views = (firsts[order] + skipped)[:, None] + np.arange(self.views)
        return Samples(selection.objects[places[order]], views)

    def _sequences(self, selection: Selection) -> tuple[IntArray, IntArray]:
        """Places of objects, and first views, of all sequences that are whole.

        Raises:
            InvalidInputError: the data set has no sequences, or shorter ones.
        """
        length = selection.sequence_length
        if length == 0:
            raise InvalidInputError(
                "this data set has no sequences; render one with the recipe 'sequences', or take Tuples: "
                "views of an object in any order"
            )
        if self.views > length:
            raise InvalidInputError(
                f"{self.views} views of a sequence: the sequences of this data set have {length}"
            )
        owners = np.repeat(np.arange(len(selection), dtype=np.int64), selection.counts)
        firsts = selection.views - selection.views % length
        key = owners * (int(selection.views.max(initial=0)) + 1) + firsts
        _, at, found = np.unique(key, return_index=True, return_counts=True)
        whole = at[found == length]
        return owners[whole], firsts[whole]


@dataclass(frozen=True, slots=True)
class Fresh:
    """Views that no epoch has shown before, for those that are rendered when they are wanted."""

    views: int = 2
    """k, in a row: of a recipe with sequences, the beginning of one that has not been shown."""
    visits: int = 1
    samples_per_visit: int = 1

    def __post_init__(self) -> None:
        _check_counts(self.views, self.visits, self.samples_per_visit)

    @property
    def naming(self) -> Naming:
        """By the number of views."""
        return naming_of(self.views)

    def count(self, selection: Selection) -> int:
        """Objects times visits times samples a visit."""
        return len(selection) * self.visits * self.samples_per_visit

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """Each object as often as promised; every time with the next views."""
        each = self.visits * self.samples_per_visit
        order = np.concatenate(
            [
                visit_order(
                    selection.shards, window, self.samples_per_visit, seed, epoch * self.visits + visit
                )
                for visit in range(self.visits)
            ]
        )
        # How often each has come before within the epoch.
        by_object = np.argsort(order, kind="stable")
        earlier = np.empty(len(order), dtype=np.int64)
        earlier[by_object] = np.tile(np.arange(each), len(selection))
        firsts = (epoch * each + earlier) * max(self.views, selection.sequence_length)
        return Samples(selection.objects[order], firsts[:, None] + np.arange(self.views))


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """A given list in its order, the same in every epoch: of ``validation_pairs``, or of a stored file."""

    list: Samples

    @property
    def views(self) -> int:
        """k, of the list's samples."""
        return self.list.views.shape[1]

    @property
    def naming(self) -> Naming:
        """By the number of views."""
        return naming_of(self.views)

    def __repr__(self) -> str:
        return f"Fixed({len(self.list)} samples of {self.views} views, sha256 {self.list.digest})"

    def count(self, selection: Selection) -> int:
        """Length of the list."""
        del selection
        return len(self.list)

    def samples(self, selection: Selection, window: int | None, seed: int, epoch: int) -> Samples:
        """The list; all else is ignored.

        Raises:
            InvalidInputError: It has samples that may not be drawn.
        """
        del window, seed, epoch
        if not np.isin(self.list.objects, selection.objects).all():
            raise InvalidInputError(
                "a fixed list has objects that this split has not, or that the filter leaves out; give the "
                "split that it was made for, and no filter"
            )
        return self.list


def random_pairs(selection: Selection, visits: int, seed: int, epoch: int) -> Samples:
    """The pairs of an epoch of ``Pairs(visits)``, over the whole split."""
    return Pairs(visits).samples(selection, None, seed, epoch)


def validation_pairs(selection: Selection, pairs_per_object: int, seed: int) -> Samples:
    """A fixed list of pairs, object by object, no pair of one object twice.

    Args:
        selection: every object has at least 2 views.
        pairs_per_object: at most views * (views - 1), all ordered pairs.
        seed: of the list.

    Raises:
        InvalidInputError: there are not so many pairs.
    """
    first, second = spread_pairs(selection.counts, pairs_per_object, seed)
    places = np.repeat(np.arange(len(selection)), pairs_per_object)
    local = np.stack([first, second], axis=1)
    return Samples(selection.objects[places], selection.views[selection.starts[places, None] + local])


def _random_tuples(
    sampler: Sampler, per_visit: int, selection: Selection, window: int | None, seed: int, epoch: int
) -> Samples:
    visits = sampler.count(selection) // (len(selection) * per_visit)
    order = np.concatenate(
        [
            visit_order(selection.shards, window, per_visit, seed, epoch * visits + visit)
            for visit in range(visits)
        ]
    )
    random = words("views", seed, epoch, sampler.views * len(order)).reshape(len(order), sampler.views)
    local = distinct(selection.counts[order], sampler.views, random)
    return Samples(selection.objects[order], selection.views[selection.starts[order, None] + local])


def _check_counts(views: int, visits: int, per_visit: int) -> None:
    if min(views, visits, per_visit) < 1:
        raise InvalidInputError(
            f"{views} views, {visits} visits, {per_visit} samples a visit: each must be at least 1"
        )
