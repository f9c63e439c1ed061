"""The work of a loader's worker: reading, decoding and labeling samples into the arrays of a batch.

Workers do not need torch, so this module does not import it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset, Split
from turntable.datasets.files import decode_jpeg
from turntable.errors import IntegrityError
from turntable.loaders.clouds import PointDraws
from turntable.loaders.draws import SampleDraws
from turntable.loaders.engines.image_cuts import fill_crops, resize_image
from turntable.loaders.fields import (
    IMAGES,
    BatchField,
    BatchFields,
    LeadingAxes,
    SampledViews,
    StoredField,
    read_stored,
)
from turntable.loaders.sampling import IntArray, ViewSelection
from turntable.processes import ArraySpec, Layout

Arrays = Mapping[str, NDArray[Any]]


class BatchPart(NamedTuple):  # not a dataclass: thousands per second are pickled, and tuples are fastest
    """Samples, and the rows of a batch that they fill."""

    rows: slice
    objects: IntArray
    """[b] rows of the objects in their split; [b, k] if each view has an object of its own."""
    views: IntArray
    """[b, k] numbers of the views."""
    epoch: int
    positions: IntArray
    """[b] positions of the samples in the epoch."""

    @property
    def view_objects(self) -> IntArray:
        """Row of each view's object in the split, [b, k]."""
        return (
            self.objects if self.objects.ndim == 2 else self.objects[:, None].repeat(self.views.shape[1], 1)
        )


@dataclass(frozen=True, slots=True)
class CorruptView:
    """A view that cannot be read. Another view took its place in the batch, with the labels of that view."""

    object: int
    """Row of the object in its split."""
    view: int
    """Number of the view."""
    reason: str
    """Message that says where and why reading failed."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchSpec:
    """A description of the content of batches: all that decides it, except the samples. Picklable."""

    dataset: Dataset
    split: str
    num_views: int
    """Number of views k of a sample."""
    image_size: int
    """Side of the images in pixels."""
    fields: BatchFields = field(default_factory=BatchFields)
    """Fields besides those that all batches have."""
    draws: SampleDraws = field(default_factory=SampleDraws)
    """Fields that are drawn for each sample, such as the parameters of an augmentation."""
    replace_corrupt: bool = False
    """True if an unreadable view is replaced by another view of its object, and reported."""
    allowed_views: ViewSelection | None = None
    """Views that may replace another; None: all views."""
    sequence_length: int = 0
    """Length of sequences, if samples are parts of them: a sample with an unreadable view is replaced by the
    same part of another sequence of the object. 0: samples are no parts of sequences."""
    several_objects: bool = False
    """True if each view of a sample has an object of its own."""
    wants_pictures: bool = True
    """True if batches have the pictures of views that have some."""

    @property
    def has_pictures(self) -> bool:
        """True if batches have pictures."""
        return self.wants_pictures and self.dataset.manifest.has_pictures

    @property
    def leading_axes(self) -> LeadingAxes:
        """Axes of the arrays that come before the axis of the batch."""
        fields = (*self.fields, *self._drawn_fields)
        return LeadingAxes.from_fields(fields, self.num_views, several_objects=self.several_objects)

    @property
    def _drawn_fields(self) -> tuple[BatchField, ...]:
        return self.draws.list_fields(self.num_views)

    def make_layout(self, num_rows: int) -> Layout:
        """Return the arrays of a batch of B samples, by name.

        - Values of views are [k, B, ...]: ``images``, ``view_index``, labels, outputs [k, B, channels, H, W],
          posed points [k, B, P, 6], and parameters of the augmentation.
        - Values of steps from one view to the next are [k - 1, B, ...].
        - Values of objects are [B, ...]: ``category``, ``object_index``, and the object's points; in samples
          of several objects they are values of views.
        - Values of whole samples are [B, ...]: images of crops [B, n, S, S, 3] and what is drawn for them,
          tracks [B, N, k, 3].

        The view axis comes first, so that all first views of a batch are contiguous in memory.

        Args:
            num_rows: Number of samples B.
        """
        leading_axes = self.leading_axes
        return {
            name: ArraySpec((*leading_axes(name), num_rows, *spec.shape), spec.dtype)
            for name, spec in self._make_array_specs().items()
        }

    def _make_array_specs(self) -> dict[str, ArraySpec]:
        """Return the arrays by name, without the axes of views and batch."""
        specs = make_image_specs(self.image_size, self.fields.stored) if self.has_pictures else {}
        specs |= make_field_specs(self.fields.stored) | {"view_index": ArraySpec((), "int64")}
        specs |= make_field_specs(self.fields.computed, self.num_views)
        specs |= dict.fromkeys(("category", "object_index"), ArraySpec((), "int64"))
        return specs | make_field_specs(self._drawn_fields)


def make_image_specs(size: int, stored: Iterable[StoredField]) -> dict[str, ArraySpec]:
    """Return the arrays of one view's image and stored outputs, by name.

    Args:
        size: Side of the image in pixels.
        stored: Fields that are stored for each view.
    """
    return {IMAGES: ArraySpec((size, size, 3), "uint8"), **make_field_specs(stored)}


def make_field_specs(fields: Iterable[BatchField], num_views: int = 1) -> dict[str, ArraySpec]:
    """Return the arrays of fields by name, without the leading axes of views and batch.

    Args:
        fields: Fields.
        num_views: Number of views k of a sample, which fields of samples have an axis of.
    """
    return {item.name: ArraySpec(item.get_shape(num_views), item.dtype) for item in fields}


class ViewFiller:
    """A filler of batches that reads the shards of a data set. A shard is opened when it is first needed.

    Args:
        spec: Description of the batches.
    """

    def __init__(self, spec: BatchSpec) -> None:
        self._spec = spec
        self._split = spec.dataset.open_split(spec.split)
        self._leading_axes = spec.leading_axes
        # The property makes a new schema at each call, and a schema caches the places of its columns.
        self._schema = spec.dataset.schema
        self._buffer: NDArray[np.uint8] | None = None
        """Memory for an image at its stored size, used before it is resized."""
        self._read_fields = (*spec.fields.stored, *spec.fields.needed)

    @property
    def split(self) -> Split:
        """The split that is read."""
        return self._split

    def fill(self, arrays: Arrays, part: BatchPart) -> tuple[CorruptView, ...]:
        """Fill the rows of a part.

        Args:
            arrays: Arrays of the batch, see ``BatchSpec.make_layout``.
            part: Samples and their rows.

        Returns:
            The views that could not be read, and were replaced.

        Raises:
            IntegrityError: A view cannot be read, and it must not or cannot be replaced.
        """
        views, corrupt = part.views, ()
        arrays = {**arrays, **self._make_needed_arrays(arrays)}
        # Boxes of crops must be there before the pixels that they are cut from.
        drawn = self._spec.draws.draw(part.epoch, part.positions, views.shape[1])
        self._fill_values(arrays, part.rows, drawn)
        failures = self._read_images(arrays, part.rows, part.view_objects, views)
        if failures:
            views, corrupt = self._replace_views(arrays, part, failures)
        self._fill_fields(arrays, part, views)
        return corrupt

    def _make_needed_arrays(self, arrays: Arrays) -> Arrays:
        """Return arrays like those of the batch for the stored fields that it does not have."""
        num_rows = arrays["view_index"].shape[1]
        return {
            item.name: np.empty((self._spec.num_views, num_rows, *item.shape), item.dtype)
            for item in self._spec.fields.needed
        }

    def _read_images(
        self, arrays: Arrays, rows: slice, objects: IntArray, views: IntArray
    ) -> list[tuple[int, int, IntegrityError]]:
        """Read and decode the images and stored outputs of samples.

        Args:
            arrays: Arrays of the batch.
            rows: Rows of the samples in the batch.
            objects: [b, k] row of each view's object in the split.
            views: [b, k] numbers of the views.

        Returns:
            For each failure the sample, the place of the view in the sample, and the error.
        """
        num_samples, num_views = views.shape
        files: list[bytes | IntegrityError] = []
        if self._spec.has_pictures:
            files = self._split.read_jpegs(objects.ravel(), views.ravel())
        failures: list[tuple[int, int, IntegrityError]] = []
        if not (files or self._read_fields):
            return failures
        for sample in range(num_samples):
            for place in range(num_views):
                index = (place, rows.start + sample)
                try:
                    if files:
                        self._decode_image(arrays, index, files[sample * num_views + place])
                    if self._read_fields:
                        row, view = int(objects[sample, place]), int(views[sample, place])
                        self._read_outputs(arrays, index, row, view)
                except IntegrityError as error:
                    failures.append((sample, place, error))
        return failures

    def _decode_image(self, arrays: Arrays, index: tuple[int, int], file: bytes | IntegrityError) -> None:
        """Decode a JPEG into the arrays, resized if necessary. Raise the error of a file that has one."""
        if isinstance(file, IntegrityError):
            raise file
        out = arrays[IMAGES][index]
        stored = self._spec.dataset.manifest.image_size_px
        if stored == self._spec.image_size:
            image = decode_jpeg(file, out)
        else:
            if self._buffer is None:
                self._buffer = np.empty((stored, stored, 3), dtype=np.uint8)
            image = decode_jpeg(file, self._buffer)
            out[:] = resize_image(image, self._spec.image_size)
        fill_crops(arrays, self._spec.draws.crops, index, image)

    def _read_outputs(self, arrays: Arrays, index: tuple[int, int], row: int, view: int) -> None:
        """Read the outputs of a view, such as its depth, into the arrays."""
        for name, value in read_stored(self._read_fields, self._split, row, view, self._spec.image_size):
            arrays[name][index] = value

    def _replace_views(
        self, arrays: Arrays, part: BatchPart, failures: Sequence[tuple[int, int, IntegrityError]]
    ) -> tuple[IntArray, tuple[CorruptView, ...]]:
        """Replace unreadable views and read the replacements, until all views of the part are readable.

        Returns:
            The views [b, k] of the part's samples after replacement, and the unreadable views.
        """
        views, corrupt = part.views.copy(), list[CorruptView]()
        for sample in dict.fromkeys(sample for sample, _, _ in failures):
            owners, batch_row = part.view_objects[sample], part.rows.start + sample
            unreadable = [(place, error) for number, place, error in failures if number == sample]
            bad: set[tuple[int, int]] = set()
            while unreadable:
                for place, error in unreadable:
                    row, view = int(owners[place]), int(views[sample, place])
                    bad.add((row, view))
                    corrupt.append(CorruptView(row, view, self._format_failure(row, view, error)))
                if not self._spec.replace_corrupt:
                    raise IntegrityError(corrupt[0].reason)
                views[sample] = self._replace_in_sample(owners, views[sample], bad, corrupt)
                rows = slice(batch_row, batch_row + 1)
                again = self._read_images(arrays, rows, owners[None], views[sample, None])
                unreadable = [(place, error) for _, place, error in again]
        return views, tuple(corrupt)

    def _replace_in_sample(
        self, owners: IntArray, views: IntArray, bad: set[tuple[int, int]], corrupt: Sequence[CorruptView]
    ) -> IntArray:
        """Return a sample's views [k] with others of the same objects in place of bad ones.

        Raises:
            IntegrityError: An object has too few readable views.
        """
        replaced = views.copy()
        for row in np.unique(owners).tolist():
            here, bad_views = owners == row, {view for owner, view in bad if owner == row}
            found = self._find_replacements(row, views[here], bad_views)
            if found is None:
                first = next(view.reason for view in corrupt if view.object == row)
                raise IntegrityError(f"too few of an object's views are readable for a sample: {first}")
            replaced[here] = found
        return replaced

    def _find_replacements(self, row: int, views: IntArray, bad: set[int]) -> IntArray | None:
        """Return a sample's views of an object with others in place of bad ones; None if too few are left.

        The rule depends on this sample alone and uses no random numbers. So all engines, and any number of
        workers, replace a view by the same one: the next allowed view that the sample does not have.
        """
        allowed = self._list_allowed_views(row)
        if self._spec.sequence_length:
            return self._find_other_sequence(allowed, views, bad)
        replaced = views.copy()
        for place, view in enumerate(views.tolist()):
            if view in bad:
                next_allowed = int(np.searchsorted(allowed, view))
                used = bad | set(replaced.tolist())
                free = (int(other) for other in np.roll(allowed, -next_allowed) if int(other) not in used)
                replaced[place] = next(free, -1)
        return None if (replaced < 0).any() else replaced

    def _find_other_sequence(self, allowed: IntArray, views: IntArray, bad: set[int]) -> IntArray | None:
        """Return the same part [k] of the next sequence that has no bad view; None if there is none."""
        length, last = self._spec.sequence_length, int(allowed[-1])
        for shift in range(length, last + 1, length):
            # After the last sequence comes the first: numbers wrap at a multiple of the length.
            shifted = (views + shift) % (last + 1 + -(last + 1) % length)
            if np.isin(shifted, allowed).all() and not bad & set(shifted.tolist()):
                return shifted
        return None

    def _list_allowed_views(self, row: int) -> IntArray:
        selection = self._spec.allowed_views
        if selection is None:
            return np.arange(self._split.num_views)
        return selection.get_views(int(np.searchsorted(selection.objects, row)))

    def _fill_fields(self, arrays: Arrays, part: BatchPart, views: IntArray) -> None:
        """Fill the fields that are computed. Replaced views must be final, since labels are theirs."""
        objects, num_views = part.objects, views.shape[1]
        labels = self._split.get_labels(part.view_objects.ravel(), views.ravel()).reshape(*views.shape, -1)
        sampled = SampledViews(
            self._schema,
            labels,
            objects,
            self._split,
            views,
            PointDraws(self._spec.draws.seed, part.epoch, part.positions, num_views),
            {item.name: arrays[item.name][:, part.rows].swapaxes(0, 1) for item in self._read_fields},
        )
        fields = self._spec.fields
        computed = fields.compute(sampled) if objects.ndim == 1 else fields.compute_by_view(sampled)
        computed["view_index"], computed["object_index"] = views, objects
        categories = self._split.get_category_indices(objects.ravel())
        computed["category"] = categories.reshape(objects.shape)
        self._fill_values(arrays, part.rows, computed)

    def _fill_values(self, arrays: Arrays, rows: slice, values_by_name: Arrays) -> None:
        """Fill rows with values of views or steps [b, k, ...], and of objects [b, ...]."""
        for name, values in values_by_name.items():
            if self._leading_axes(name):
                arrays[name][:, rows] = values.swapaxes(0, 1)
            else:
                arrays[name][rows] = values

    def _format_failure(self, row: int, view: int, error: IntegrityError) -> str:
        dataset, split = self._spec.dataset, self._spec.split
        return f"{dataset.path_or_url}: {split} object {self._split.get_object_id(row)}, view {view}: {error}"
