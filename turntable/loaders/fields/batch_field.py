"""Fields of batches, and the interface of the providers that give them.

Workers fill fields and do not need torch, so this module does not import it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Manifest, Recipe, Split
from turntable.datasets.labels import OUTPUTS, LabelArray, LabelSchema
from turntable.geometry import QuaternionSign
from turntable.loaders.fields.view_labels import ViewLabels
from turntable.loaders.sampling import IntArray

FieldScope = Literal["view", "step", "object"]
"""Owner of a field's value: each view of a sample, each step from one view to the next, or the object."""


@dataclass(frozen=True, slots=True)
class DataDescription:
    """A description of the fields that data can have. The data are stored or rendered on request."""

    schema: LabelSchema
    """The label columns."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs that a view has besides its image."""
    num_points: int = 0
    """Number of points in each object's cloud; 0: there are no clouds."""
    num_views: int = 0
    """Number of views of each object; 0: no limit."""
    sequence_length: int = 0
    """Length of the sequences in views; 0: there are no sequences."""
    image_size_px: int = 0
    """Side of the images of a batch in pixels."""

    @classmethod
    def from_manifest(cls, manifest: Manifest, image_size: int | None = None) -> Self:
        """Describe a stored data set.

        Args:
            manifest: Manifest of the data set.
            image_size: Side in pixels that images are resized to; None: as stored.
        """
        return cls(
            manifest.schema,
            tuple(name for name in manifest.outputs if name != "rgb"),
            manifest.points,
            manifest.views,
            int((manifest.recipe.get("sequence") or {}).get("length", 0)),
            image_size or manifest.image_size_px,
        )

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Self:
        """Describe views that are rendered on request: they can have any output, but no point clouds."""
        return cls(
            recipe.schema,
            tuple(name for name in OUTPUTS if name != "rgb"),
            sequence_length=0 if recipe.sequence is None else recipe.sequence.length,
            image_size_px=recipe.image_size_px,
        )


class SampledViews:
    """The views of B samples, from which fields are computed. Intermediate values are computed only once.

    Args:
        schema: Schema of the label columns.
        labels: float32 [B, k, L] label columns of the views.
        objects: [B] rows of the objects in their split; None: point clouds are not available.
        split: Split that point clouds are read from; None: point clouds are not available.
    """

    def __init__(
        self,
        schema: LabelSchema,
        labels: LabelArray,
        objects: IntArray | None = None,
        split: Split | None = None,
    ) -> None:
        self.labels = ViewLabels(schema, labels)
        """Labels of the views, each computed when it is first used."""
        self._objects, self._split = objects, split

    @cached_property
    def point_clouds(self) -> NDArray[np.float32]:
        """Point clouds of the objects as stored, float32 [B, P, 6].

        Raises:
            IntegrityError: A file is not as it was written.
        """
        assert self._split is not None
        assert self._objects is not None
        return np.stack([self._split.read_points(row) for row in self._objects.tolist()])


@dataclass(frozen=True, slots=True)
class BatchField:
    """A field of the batches of a data set. Picklable."""

    name: str
    per: FieldScope
    shape: tuple[int, ...]
    """Shape of one value, without the axes of the batch and of the views or steps."""
    dtype: str
    """Type as numpy names it: "float32"."""


@dataclass(frozen=True, slots=True)
class ComputedField(BatchField):
    """A field that is computed for many samples at once, after their images are read."""

    compute: Callable[[SampledViews], NDArray[Any]] = field(repr=False, compare=False)
    """Function that returns [B, k, *shape] for views, [B, k - 1, *shape] for steps, [B, *shape] for
    objects."""


@dataclass(frozen=True, slots=True)
class StoredField(BatchField):
    """A field with a file for each view, read together with the image.

    A view counts as unreadable if this file is damaged, even if its image is not.
    """

    read: Callable[[Split, int, int, int], NDArray[Any]] = field(repr=False, compare=False)
    """Function of the split, the object's row, the view's number and the side in pixels; returns [*shape]."""


class FieldProvider(ABC):
    """A provider of the fields of one kind, such as labels. It has no state.

    ``turntable.loaders.fields.providers`` lists all providers.
    """

    @abstractmethod
    def iter_fields(self, data: DataDescription, sign: QuaternionSign) -> Iterable[BatchField]:
        """Iterate over the fields of this kind that the data have.

        Args:
            data: Description of the data.
            sign: Sign of quaternions.
        """

    @abstractmethod
    def list_missing(self, data: DataDescription) -> Collection[str]:
        """List the fields of this kind that other data have and these do not."""

    @abstractmethod
    def explain_missing(self, names: Sequence[str], data: DataDescription) -> str:
        """Return a message: why the data lack these fields of ``list_missing``, and what to do."""

    @abstractmethod
    def format_available(self, data: DataDescription) -> str:
        """Return a short list of the available fields of this kind as text; "" if there are none."""
