"""Samplers. A sample is an object and some of its views; a sampler draws the samples of an epoch in order."""

import hashlib
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import check_flag, check_integer, check_integers, check_type
from turntable.loaders.sampling.random_order import (
    IntArray,
    draw_below,
    draw_distinct,
    draw_spread_pairs,
    draw_visit_order,
    draw_words,
)
from turntable.loaders.sampling.view_selection import ViewSelection

ViewNaming = Literal["single", "pair", "several"]
"""Naming of images in a batch: ``view``, or ``view_1`` and ``view_2``, or ``views`` [B, k, ...]."""


def get_naming(num_views: int) -> ViewNaming:
    """Return the usual naming for samples of k views."""
    names: dict[int, ViewNaming] = {1: "single", 2: "pair"}
    return names.get(num_views, "several")


@dataclass(frozen=True, eq=False)
class Samples:
    """S samples of k views, of one object or of several.

    Raises:
        InvalidInputError: A value is no array of whole numbers, or their lengths differ.
    """

    objects: IntArray
    """[S] rows of the objects in their split; [S, k] if each view has an object of its own."""
    views: IntArray
    """[S, k] numbers of the views."""

    def __post_init__(self) -> None:
        object_axes = 2 if np.ndim(self.objects) == 2 else 1
        for name, num_axes in (("objects", object_axes), ("views", 2)):
            array = check_integers(f"Samples.{name}", getattr(self, name), num_axes)
            object.__setattr__(self, name, array)
        if self.objects.shape != self.views.shape[:object_axes]:
            raise InvalidInputError(
                f"Samples: {len(self.objects)} objects, but views of {len(self.views)}; give one row each"
                if object_axes == 1
                else f"Samples: objects {self.objects.shape}, views {self.views.shape}; give one object for "
                "each view"
            )

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, index: slice | IntArray) -> "Samples":
        return Samples(self.objects[index], self.views[index])

    @property
    def have_several_objects(self) -> bool:
        """True if each view has an object of its own."""
        return self.objects.ndim == 2

    @property
    def view_objects(self) -> IntArray:
        """Row of each view's object in the split, [S, k]."""
        if self.have_several_objects:
            return self.objects
        return np.broadcast_to(self.objects[:, None], self.views.shape)

    @cached_property
    def digest(self) -> str:
        """Hex sha256 of the samples; two evaluations with equal digests used the same samples."""
        objects = self.objects.T if self.have_several_objects else self.objects[None]
        table = np.concatenate([objects, self.views.T]).astype("<i8")
        return hashlib.sha256(table.tobytes()).hexdigest()


class Sampler(Protocol):
    """The interface of samplers. The samples are a pure function of the selection, the seed and the epoch.

    The ``repr`` of a sampler is hashed into the states of loaders. So names of samplers and their fields must
    not change.
    """

    @property
    def views(self) -> int:
        """Number of views k of a sample."""
        ...

    @property
    def naming(self) -> ViewNaming:
        """Naming of the views in a batch."""
        ...

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of samples S in an epoch."""
        ...

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw the samples of an epoch, in order.

        Args:
            selection: Views to draw from; every object has at least k views.
            window: Number of shards that samples are drawn from at a time; None: all shards at once.
            seed: Seed of the order and of the choice of views.
            epoch: Number of the epoch, from 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class Views:
    """Every view by itself, once per epoch."""

    shuffled: bool = True
    """True for a random order, False for the order in which views are stored, object by object."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shuffled", check_flag("Views.shuffled", self.shuffled))

    @property
    def views(self) -> int:
        """Number of views of a sample: 1."""
        return 1

    @property
    def naming(self) -> ViewNaming:
        """Naming of the image: ``view``."""
        return "single"

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of views."""
        return len(selection.views)

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw every view once."""
        owners = np.repeat(np.arange(len(selection), dtype=np.int64), selection.view_counts)
        if self.shuffled:
            order = draw_visit_order(selection.shards[owners], window, 1, seed, epoch)
            return Samples(selection.objects[owners[order]], selection.views[order, None])
        return Samples(selection.objects[owners], selection.views[:, None])


@dataclass(frozen=True, slots=True)
class Singles:
    """One random view of each object, all views equally likely."""

    visits: int = 1
    """Number of times that an epoch goes through all objects."""

    def __post_init__(self) -> None:
        _check_counts(self)

    @property
    def views(self) -> int:
        """Number of views of a sample: 1."""
        return 1

    @property
    def naming(self) -> ViewNaming:
        """Naming of the image: ``view``."""
        return "single"

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of objects times visits."""
        return len(selection) * self.visits

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw one view of every object at each visit."""
        return _draw_tuples(self, 1, selection, window, seed, epoch)


@dataclass(frozen=True, slots=True)
class Tuples:
    """k distinct random views of one object, all ordered choices equally likely."""

    views: int
    """Number of views k of a sample, at least 1."""
    visits: int = 1
    """Number of times that an epoch goes through all objects."""
    tuples_per_visit: int = 1
    """Number of samples of an object at each visit. Its shard is read once for all of them. They are at least
    half a window apart."""

    def __post_init__(self) -> None:
        _check_counts(self)

    @property
    def naming(self) -> ViewNaming:
        """Naming of the images: ``views``, for any k."""
        return "several"

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of objects times visits times tuples per visit."""
        return len(selection) * self.visits * self.tuples_per_visit

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw ``tuples_per_visit`` tuples of every object at each visit."""
        return _draw_tuples(self, self.tuples_per_visit, selection, window, seed, epoch)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two distinct random views of one object, all ordered pairs equally likely (as in SIE)."""

    visits: int = 1
    """Number of times that an epoch goes through all objects."""
    pairs_per_visit: int = 1
    """Number of pairs of an object at each visit. Its shard is read once for all of them. They are at least
    half a window apart, so that they are not in the same batch."""

    def __post_init__(self) -> None:
        _check_counts(self)

    @property
    def views(self) -> int:
        """Number of views of a sample: 2."""
        return 2

    @property
    def naming(self) -> ViewNaming:
        """Naming of the images: ``view_1`` and ``view_2``."""
        return "pair"

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of objects times visits times pairs per visit."""
        return len(selection) * self.visits * self.pairs_per_visit

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw ``pairs_per_visit`` pairs of every object at each visit."""
        return _draw_tuples(self, self.pairs_per_visit, selection, window, seed, epoch)


@dataclass(frozen=True, slots=True)
class Sequences:
    """k consecutive views of a sequence, for data sets that have sequences (recipe ``sequences``)."""

    views: int
    """Number of views k of a sample: the whole sequence, or a part of it from a random start."""
    visits: int = 1
    """Number of times that an epoch goes through all sequences."""

    def __post_init__(self) -> None:
        _check_counts(self)

    @property
    def naming(self) -> ViewNaming:
        """Naming of the images: ``views``, for any k."""
        return "several"

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of complete sequences times visits."""
        return len(self._find_sequences(selection)[0]) * self.visits

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw every complete sequence once at each visit. Sequences that a filter has cut are left out."""
        places, firsts = self._find_sequences(selection)
        visits = range(epoch * self.visits, (epoch + 1) * self.visits)
        order = np.concatenate(
            [draw_visit_order(selection.shards[places], window, 1, seed, visit) for visit in visits]
        )
        num_starts = np.full(len(order), selection.sequence_length - self.views + 1)
        starts = draw_below(draw_words("views", seed, epoch, len(order)), num_starts)
        views = (firsts[order] + starts)[:, None] + np.arange(self.views)
        return Samples(selection.objects[places[order]], views)

    def _find_sequences(self, selection: ViewSelection) -> tuple[IntArray, IntArray]:
        """Find the complete sequences: indices of their objects in the selection, and their first views.

        Raises:
            InvalidInputError: The data set has no sequences, or they are too short.
        """
        length = selection.sequence_length
        if length == 0:
            raise InvalidInputError(
                "this data set has no sequences; render one with the recipe 'sequences', or use Tuples for "
                "views of an object in any order"
            )
        if self.views > length:
            raise InvalidInputError(
                f"Sequences({self.views}): the sequences of this data set have only {length} views; use fewer"
            )
        owners = np.repeat(np.arange(len(selection), dtype=np.int64), selection.view_counts)
        firsts = selection.views - selection.views % length
        # One number for each sequence of each object. A sequence is complete if its number comes once per
        # view.
        sequence_ids = owners * (int(selection.views.max(initial=0)) + 1) + firsts
        _, first_index, num_views = np.unique(sequence_ids, return_index=True, return_counts=True)
        complete = first_index[num_views == length]
        return owners[complete], firsts[complete]


@dataclass(frozen=True, slots=True)
class Fresh:
    """k consecutive views that no sample before had, for views that are rendered on request."""

    views: int = 2
    """Number of views k of a sample. With sequences, a sample is the beginning of a new sequence."""
    visits: int = 1
    """Number of times that an epoch goes through all objects."""
    samples_per_visit: int = 1
    """Number of samples of an object at each visit."""

    def __post_init__(self) -> None:
        _check_counts(self)

    @property
    def naming(self) -> ViewNaming:
        """Naming of the images: the usual one for k views."""
        return get_naming(self.views)

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of objects times visits times samples per visit."""
        return len(selection) * self.visits * self.samples_per_visit

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Draw ``samples_per_visit`` samples of every object at each visit, each with its next views."""
        samples_per_object = self.visits * self.samples_per_visit
        order = np.concatenate(
            [
                draw_visit_order(
                    selection.shards, window, self.samples_per_visit, seed, epoch * self.visits + visit
                )
                for visit in range(self.visits)
            ]
        )
        # Number of samples that the object of each sample had before in this epoch. A stable sort by object
        # keeps the samples of one object in their order, and so they are numbered 0, 1, 2 ...
        by_object = np.argsort(order, kind="stable")
        num_earlier = np.empty(len(order), dtype=np.int64)
        num_earlier[by_object] = np.tile(np.arange(samples_per_object), len(selection))
        firsts = (epoch * samples_per_object + num_earlier) * max(self.views, selection.sequence_length)
        return Samples(selection.objects[order], firsts[:, None] + np.arange(self.views))


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """The same samples in the same order in every epoch, such as those of ``draw_validation_pairs``."""

    fixed_samples: Samples

    def __post_init__(self) -> None:
        hint = "give Samples, such as those of draw_validation_pairs, read_pairs or draw_anchors"
        check_type("Fixed.fixed_samples", self.fixed_samples, Samples, hint)

    @property
    def views(self) -> int:
        """Number of views k of a sample."""
        return self.fixed_samples.views.shape[1]

    @property
    def naming(self) -> ViewNaming:
        """Naming of the images: the usual one for k views."""
        return get_naming(self.views)

    def __repr__(self) -> str:
        # States of loaders have a hash of this text: it must not change.
        samples = self.fixed_samples
        return f"Fixed({len(samples)} samples of {self.views} views, sha256 {samples.digest})"

    def count_samples(self, selection: ViewSelection) -> int:
        """Return the number of samples."""
        del selection
        return len(self.fixed_samples)

    def draw_samples(self, selection: ViewSelection, window: int | None, seed: int, epoch: int) -> Samples:
        """Return the fixed samples. Window, seed and epoch are ignored.

        Raises:
            InvalidInputError: An object or a view of the samples is not in the selection.
        """
        del window, seed, epoch
        if not selection.contains(self.fixed_samples.view_objects, self.fixed_samples.views):
            raise InvalidInputError(
                "fixed samples have objects or views that this split does not have, or that the filter "
                "leaves out; use the split that the samples were made for, and no filter"
            )
        return self.fixed_samples


def draw_random_pairs(selection: ViewSelection, visits: int, seed: int, epoch: int) -> Samples:
    """Draw the samples of an epoch of ``Pairs(visits)``, with one window over the whole split."""
    return Pairs(visits).draw_samples(selection, None, seed, epoch)


def draw_validation_pairs(selection: ViewSelection, pairs_per_object: int, seed: int) -> Samples:
    """Draw a fixed list of pairs, object by object. No pair of an object comes twice.

    Args:
        selection: Views to draw from; every object has at least 2 views.
        pairs_per_object: Number of pairs of each object, at most views * (views - 1): all ordered pairs.
        seed: Seed of the list.

    Raises:
        InvalidInputError: An object has fewer pairs than that, or an argument is wrong.
    """
    hint = "give a ViewSelection, such as that of select_all_views"
    check_type("selection", selection, ViewSelection, hint)
    pairs_per_object = check_integer("pairs_per_object", pairs_per_object)
    first, second = draw_spread_pairs(selection.view_counts, pairs_per_object, check_integer("seed", seed))
    places = np.repeat(np.arange(len(selection)), pairs_per_object)
    offsets = np.stack([first, second], axis=1)
    return Samples(selection.objects[places], selection.views[selection.starts[places, None] + offsets])


def _draw_tuples(
    sampler: Sampler,
    samples_per_visit: int,
    selection: ViewSelection,
    window: int | None,
    seed: int,
    epoch: int,
) -> Samples:
    """Draw the samples of a sampler whose views are distinct and in random order."""
    num_visits = sampler.count_samples(selection) // (len(selection) * samples_per_visit)
    order = np.concatenate(
        [
            draw_visit_order(selection.shards, window, samples_per_visit, seed, epoch * num_visits + visit)
            for visit in range(num_visits)
        ]
    )
    random = draw_words("views", seed, epoch, sampler.views * len(order)).reshape(len(order), sampler.views)
    offsets = draw_distinct(selection.view_counts[order], sampler.views, random)
    return Samples(selection.objects[order], selection.views[selection.starts[order, None] + offsets])


def _check_counts(sampler: "Singles | Tuples | Pairs | Sequences | Fresh") -> None:
    """Check that all fields of a sampler are whole numbers from 1, and make plain ones of numpy's.

    Raises:
        InvalidInputError: A field is something else.
    """
    for item in fields(sampler):
        count = check_integer(f"{type(sampler).__name__}.{item.name}", getattr(sampler, item.name), 1)
        object.__setattr__(sampler, item.name, count)
