"""Samples into the arrays of a batch: read, check, decode, label. What a loader's worker does; no torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset, Split
from turntable.datasets.files import decode_jpeg
from turntable.errors import IntegrityError
from turntable.loaders.augmentation import Augmentation
from turntable.loaders.fields import IMAGES, BatchField, BatchFields, LeadingAxes, SampledViews, StoredField
from turntable.loaders.sampling import IntArray, Selection
from turntable.processes import ArraySpec, Layout

Arrays = Mapping[str, NDArray[Any]]


class BatchPart(NamedTuple):  # thousands a second go to workers, and a tuple is pickled fastest
    """Samples, and which rows of a batch they become."""

    rows: slice
    objects: IntArray
    """[b] rows of the objects in their split."""
    views: IntArray
    """[b, k]."""
    epoch: int
    positions: IntArray
    """[b] of the samples in the epoch."""


@dataclass(frozen=True, slots=True)
class CorruptView:
    """A view that cannot be read; another took its place in the batch, with its own label."""

    object: int
    """Row of the object in its split."""
    view: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """All that decides what a batch of given samples holds. Picklable."""

    dataset: Dataset
    split: str
    views: int
    """k, of a sample."""
    image_size: int
    fields: BatchFields = field(default_factory=BatchFields)
    """Besides those that all batches have."""
    augmentation: Augmentation | None = None
    seed: int = 0
    """Of the augmentation's parameters."""
    tolerant: bool = False
    """Whether a view that cannot be read is replaced by another of its object, and reported."""
    allowed: Selection | None = None
    """From which it is replaced; None: from all views."""
    sequence_length: int = 0
    """Where samples are parts of sequences: a whole other one of the object takes the place."""

    @property
    def lead(self) -> LeadingAxes:
        """The axes of the arrays before the batch's own."""
        return LeadingAxes.of(self.fields, self.views)

    def layout(self, rows: int) -> Layout:
        """The arrays of a batch of B samples, by name.

        What each view has is [k, B, ...]: ``images``, ``view_index``, labels, outputs [k, B, channels, H, W],
        posed points [k, B, P, 6], parameters of the augmentation; what lies between a view and the next is
        [k - 1, B, ...]; what the object has is [B, ...]: ``category``, ``object_index``, its own points.
        """
        lead = self.lead
        return {
            name: ArraySpec((*lead(name), rows, *spec.shape), spec.dtype)
            for name, spec in self._specs().items()
        }

    def _specs(self) -> dict[str, ArraySpec]:
        """Shapes without those axes."""
        specs = picture_specs(self.image_size, self.fields.stored) | {"view_index": ArraySpec((), "int64")}
        specs |= field_specs(self.fields.computed)
        specs |= dict.fromkeys(("category", "object_index"), ArraySpec((), "int64"))
        if self.augmentation is not None:
            for name, array in self.parameters(0, np.zeros(1, dtype=np.int64)).items():
                specs[name] = ArraySpec(array.shape[2:], str(array.dtype))
        return specs

    def parameters(self, epoch: int, positions: IntArray) -> dict[str, NDArray[Any]]:
        """Of the augmentation of samples, [b, k, ...] by name."""
        assert self.augmentation is not None
        return self.augmentation.parameters(self.seed, epoch, positions, self.views)


def picture_specs(size: int, stored: Iterable[StoredField]) -> dict[str, ArraySpec]:
    """The arrays of one view's picture, of a side in pixels, and of what is stored beside it."""
    return {IMAGES: ArraySpec((size, size, 3), "uint8"), **field_specs(stored)}


def field_specs(fields: Iterable[BatchField]) -> dict[str, ArraySpec]:
    """The arrays of fields, without leading axes."""
    return {item.name: ArraySpec(item.shape, item.dtype) for item in fields}


class ViewFiller:
    """Fills batches from a data set's shards, which it opens when they are first needed."""

    def __init__(self, filling: Filling) -> None:
        self._filling = filling
        self._split = filling.dataset.split(filling.split)
        self._lead = filling.lead
        self._schema = filling.dataset.schema  # it remembers where columns are
        self._buffer: NDArray[np.uint8] | None = None

    @property
    def split(self) -> Split:
        """The split that is read."""
        return self._split

    def fill(self, arrays: Arrays, part: BatchPart) -> tuple[CorruptView, ...]:
        """Fill the part's rows.

        Returns:
            The views that could not be read, and were replaced.

        Raises:
            IntegrityError: a view cannot be read and the filling is not tolerant, or no other can.
        """
        views, corrupt = part.views, ()
        failures = self._pictures(arrays, part.rows, part.objects, views)
        if failures:
            views, corrupt = self._replaced(arrays, part, failures)
        self._complete(arrays, part, views)
        return corrupt

    def _pictures(
        self, arrays: Arrays, rows: slice, objects: IntArray, views: IntArray
    ) -> list[tuple[int, int, IntegrityError]]:
        """Read and decode; which sample's which view failed, and why."""
        count, k = views.shape
        files = self._split.read_jpegs(np.repeat(objects, k), views.ravel())
        failures: list[tuple[int, int, IntegrityError]] = []
        for sample in range(count):
            for at in range(k):
                try:
                    self._picture(arrays, (at, rows.start + sample), files[sample * k + at])
                    if self._filling.fields.stored:
                        self._beside(
                            arrays, (at, rows.start + sample), int(objects[sample]), int(views[sample, at])
                        )
                except IntegrityError as error:
                    failures.append((sample, at, error))
        return failures

    def _picture(self, arrays: Arrays, place: tuple[int, int], file: bytes | IntegrityError) -> None:
        if isinstance(file, IntegrityError):
            raise file
        out = arrays[IMAGES][place]
        stored = self._filling.dataset.manifest.image_size_px
        if stored == self._filling.image_size:
            decode_jpeg(file, out)
            return
        if self._buffer is None:
            self._buffer = np.empty((stored, stored, 3), dtype=np.uint8)
        out[:] = resized(decode_jpeg(file, self._buffer), self._filling.image_size)

    def _beside(self, arrays: Arrays, place: tuple[int, int], row: int, view: int) -> None:
        """Read what is stored of a view beside its picture."""
        for item in self._filling.fields.stored:
            arrays[item.name][place] = item.read(self._split, row, view, self._filling.image_size)

    def _replaced(
        self, arrays: Arrays, part: BatchPart, failures: Sequence[tuple[int, int, IntegrityError]]
    ) -> tuple[IntArray, tuple[CorruptView, ...]]:
        """The views that the part's samples have when those that cannot be read are replaced."""
        views, corrupt = part.views.copy(), list[CorruptView]()
        for sample in dict.fromkeys(sample for sample, _, _ in failures):
            row, at = int(part.objects[sample]), part.rows.start + sample
            found = [(place, error) for number, place, error in failures if number == sample]
            bad: set[int] = set()
            while found:
                for place, error in found:
                    view = int(views[sample, place])
                    bad.add(view)
                    corrupt.append(CorruptView(row, view, self._named(row, view, error)))
                if not self._filling.tolerant:
                    raise IntegrityError(corrupt[0].reason)
                others = self._others(row, views[sample], bad)
                if others is None:
                    first = next(view.reason for view in corrupt if view.object == row)
                    raise IntegrityError(f"too few of an object's views can be read for a sample: {first}")
                views[sample] = others
                again = self._pictures(arrays, slice(at, at + 1), part.objects[sample, None], others[None])
                found = [(place, error) for _, place, error in again]
        return views, tuple(corrupt)

    def _others(self, row: int, views: IntArray, bad: set[int]) -> IntArray | None:
        """A sample's views without bad ones, by a rule that knows it alone; None: too few are left."""
        allowed = self._allowed(row)
        if self._filling.sequence_length:
            return self._other_sequence(allowed, views, bad)
        moved = views.copy()
        for at, view in enumerate(views.tolist()):
            if view in bad:
                place = int(np.searchsorted(allowed, view))
                used = bad | set(moved.tolist())
                free = (int(other) for other in np.roll(allowed, -place) if int(other) not in used)
                moved[at] = next(free, -1)
        return None if (moved < 0).any() else moved

    def _other_sequence(self, allowed: IntArray, views: IntArray, bad: set[int]) -> IntArray | None:
        length, last = self._filling.sequence_length, int(allowed[-1])
        for shift in range(length, last + 1, length):
            moved = (views + shift) % (last + 1 + -(last + 1) % length)
            if np.isin(moved, allowed).all() and not bad & set(moved.tolist()):
                return moved
        return None

    def _allowed(self, row: int) -> IntArray:
        selection = self._filling.allowed
        if selection is None:
            return np.arange(self._split.num_views)
        return selection.views_of(int(np.searchsorted(selection.objects, row)))

    def _complete(self, arrays: Arrays, part: BatchPart, views: IntArray) -> None:
        """Fill what is not read beside the pictures, once it is known which views they are."""
        count, k = views.shape
        flat = self._split.labels_at(np.repeat(part.objects, k), views.ravel())
        sampled = SampledViews(self._schema, flat.reshape(count, k, -1), part.objects, self._split)
        computed = self._filling.fields.compute(sampled)
        computed["view_index"] = views
        if self._filling.augmentation is not None:
            computed |= self._filling.parameters(part.epoch, part.positions)
        for name, values in computed.items():
            if self._lead(name):
                arrays[name][:, part.rows] = values.swapaxes(0, 1)
            else:
                arrays[name][part.rows] = values
        arrays["category"][part.rows] = self._split.categories_at(part.objects)
        arrays["object_index"][part.rows] = part.objects

    def _named(self, row: int, view: int, error: IntegrityError) -> str:
        dataset, split = self._filling.dataset, self._filling.split
        return f"{dataset.place}: {split} object {self._split.id_of(row)}, view {view}: {error}"


def resized(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """An image [S, S, 3] at another size, bilinear and antialiased."""
    from PIL import Image

    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))
