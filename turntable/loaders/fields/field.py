"""A field of batches: its name and shape, how it is filled, what gives it. No torch: workers fill fields."""

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

Per = Literal["view", "step", "object"]
"""Whether each view of a sample has it, each step from one view to the next, or the object."""


@dataclass(frozen=True, slots=True)
class FieldSource:
    """A description of data, stored or rendered when they are wanted, by which fields are resolved."""

    schema: LabelSchema
    """The label columns."""
    outputs: tuple[str, ...] = ()
    """Names of outputs that a view has besides its picture."""
    points: int = 0
    """Points of each object's cloud; 0: there are none."""
    views: int = 0
    """Views of each object; 0: without end."""
    sequence_length: int = 0
    """The length of the sequences, in views; 0: there are none."""
    image_size_px: int = 0
    """Side of the pictures of a batch."""

    @classmethod
    def of_manifest(cls, manifest: Manifest, image_size: int | None = None) -> Self:
        """Describe a stored data set.

        Args:
            manifest: Its own.
            image_size: Side in pixels that pictures are resized to; None: as stored.
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
    def of_recipe(cls, recipe: Recipe) -> Self:
        """Describe views that are rendered when they are wanted: with any output, and without clouds."""
        return cls(
            recipe.schema,
            tuple(name for name in OUTPUTS if name != "rgb"),
            sequence_length=0 if recipe.sequence is None else recipe.sequence.length,
            image_size_px=recipe.image_size_px,
        )


class SampledViews:
    """Some views of each of B objects, of which fields are computed; what fields share is computed once.

    Args:
        schema: Of the label columns.
        labels: float32 [B, k, L].
        objects: [B] rows of the objects in their split.
        split: What can be read of them besides; None: nothing can.
    """

    def __init__(
        self,
        schema: LabelSchema,
        labels: LabelArray,
        objects: IntArray | None = None,
        split: Split | None = None,
    ) -> None:
        self.labels = ViewLabels(schema, labels)
        """Every label of the views, computed when it is first asked for."""
        self._objects, self._split = objects, split

    @cached_property
    def clouds(self) -> NDArray[np.float32]:
        """[B, P, 6] the objects' point clouds as stored.

        Raises:
            IntegrityError: A file is not as it was written.
        """
        assert self._split is not None
        assert self._objects is not None
        return np.stack([self._split.points(row) for row in self._objects.tolist()])


@dataclass(frozen=True, slots=True)
class BatchField:
    """One field of the batches of a data set. Picklable."""

    name: str
    per: Per
    shape: tuple[int, ...]
    """Without the batch and the views or steps before it."""
    dtype: str
    """As numpy names it: "float32"."""


@dataclass(frozen=True, slots=True)
class ComputedField(BatchField):
    """One that is computed for many samples at once, when all their views are known."""

    compute: Callable[[SampledViews], NDArray[Any]] = field(repr=False, compare=False)
    """Gives [B, k, *shape] of views, [B, k - 1, *shape] of steps, [B, *shape] of objects."""


@dataclass(frozen=True, slots=True)
class StoredField(BatchField):
    """One that has a file for each view, read beside the picture: if either is damaged, so is the view."""

    read: Callable[[Split, int, int, int], NDArray[Any]] = field(repr=False, compare=False)
    """Given the split, the object's row, the view's number and the side in pixels; [*shape]."""


class FieldProvider(ABC):
    """A giver of fields of one kind, without state; ``turntable.loaders.fields.providers`` lists them all."""

    @abstractmethod
    def fields(self, source: FieldSource, sign: QuaternionSign) -> Iterable[BatchField]:
        """Give every field of this kind that such data have.

        Args:
            source: What the data hold.
            sign: Of quaternions.
        """

    @abstractmethod
    def lacking(self, source: FieldSource) -> Collection[str]:
        """Name fields of this kind that these data lack and others have."""

    @abstractmethod
    def explain(self, names: Sequence[str], source: FieldSource) -> str:
        """Say why the data lack fields of ``lacking``, and what to do."""

    @abstractmethod
    def listing(self, source: FieldSource) -> str:
        """Name in a few words what there is of this kind; "" where there is nothing."""
