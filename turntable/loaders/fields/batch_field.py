"""Fields of batches, and the interface of the providers that give them.

Workers fill fields and do not need torch, so this module does not import it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Manifest, Recipe, Split
from turntable.datasets.labels import OUTPUTS, VIEW_ARRAYS, LabelArray, LabelSchema
from turntable.datasets.molecules import MoleculeFacts
from turntable.datasets.objects import ObjectPart
from turntable.errors import IntegrityError
from turntable.geometry import QuaternionSign
from turntable.loaders.clouds import CloudOptions, PointDraws
from turntable.loaders.fields.view_labels import ViewLabels
from turntable.loaders.graph_options import GraphOptions
from turntable.loaders.sampling import IntArray

_T = TypeVar("_T")
FieldScope = Literal["view", "step", "object", "sample"]
"""Owner of a field's value: each view of a sample, each step from one view to the next, the object, or the
sample as a whole. In samples of several objects each view has its own value of an object's field."""
SAMPLE_VIEWS = -1
"""Size, in the shape of a sample's field, of the axis of its k views."""


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
    part_categories: tuple[str, ...] = ()
    """Names of the parts' categories, in the order of their indices."""
    max_parts: int = 0
    """Largest number of parts of an object; 0: no object has parts."""
    max_joints: int = 0
    """Largest number of joints of an object."""
    has_pictures: bool = True
    """True if views have pictures."""
    arrays: tuple[str, ...] = ()
    """Names of the arrays that objects have besides points and the poses of parts."""
    array_sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    """Largest size of each named axis of these arrays and of the views' arrays."""
    clouds: CloudOptions = CloudOptions()
    """Settings of point clouds."""
    positions_noise: float = 0.0
    """Standard deviation of the noise of tracks, in their unit; 0: there are none with noise."""
    noise_seed: int = 0
    """Seed of that noise."""
    graphs: GraphOptions = GraphOptions()
    """Settings of graphs."""

    @property
    def num_batch_points(self) -> int:
        """Number of points in each object's cloud of a batch; 0: there are no clouds."""
        return min(self.num_points, self.clouds.num_points or self.num_points)

    @classmethod
    def from_manifest(
        cls,
        manifest: Manifest,
        image_size: int | None = None,
        clouds: CloudOptions = CloudOptions(),
        graphs: GraphOptions = GraphOptions(),
    ) -> Self:
        """Describe a stored data set.

        Args:
            manifest: Manifest of the data set.
            image_size: Side in pixels that images are resized to; None: as stored.
            clouds: Settings of point clouds.
            graphs: Settings of graphs.
        """
        return cls(
            manifest.schema,
            outputs=tuple(name for name in manifest.outputs if name != "rgb"),
            num_points=manifest.points,
            num_views=manifest.views,
            sequence_length=int((manifest.recipe.get("sequence") or {}).get("length", 0)),
            image_size_px=image_size or manifest.image_size_px,
            part_categories=manifest.part_categories,
            max_parts=manifest.max_parts,
            max_joints=manifest.max_joints,
            has_pictures=manifest.has_pictures,
            arrays=manifest.arrays,
            array_sizes=manifest.array_sizes,
            clouds=clouds,
            graphs=graphs,
        )

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> Self:
        """Describe views that are rendered on request.

        They can have any image (flow only in sequences), but no arrays: neither point clouds nor poses of
        parts nor scans.
        """
        absent = {"rgb", *VIEW_ARRAYS} if recipe.sequence else {"rgb", "flow", *VIEW_ARRAYS}
        return cls(
            recipe.schema,
            tuple(name for name in OUTPUTS if name not in absent),
            sequence_length=0 if recipe.sequence is None else recipe.sequence.length,
            image_size_px=recipe.image_size_px,
        )


class SampledViews:
    """The views of B samples, from which fields are computed. Intermediate values are computed only once.

    Args:
        schema: Schema of the label columns.
        labels: float32 [B, k, L] label columns of the views.
        objects: [B] rows of the objects in their split, or [B, k] if each view has its own (then see
            ``split_views``); None: neither point clouds nor parts are available.
        split: Split that these are read from; None: neither point clouds nor parts are available.
        views: [B, k] numbers of the views; None: poses of parts are not available.
        draws: Random numbers of the samples; None: point clouds cannot be corrupted.
        stored: Fields [B, k, ...] that were read with the views, by name.
    """

    def __init__(
        self,
        schema: LabelSchema,
        labels: LabelArray,
        objects: IntArray | None = None,
        split: Split | None = None,
        views: IntArray | None = None,
        draws: PointDraws | None = None,
        stored: Mapping[str, NDArray[Any]] = MappingProxyType({}),
    ) -> None:
        self.labels = ViewLabels(schema, labels)
        """Labels of the views, each computed when it is first used."""
        self._schema, self._objects, self._split, self._views = schema, objects, split, views
        self._columns = labels
        self.draws = draws
        """Random numbers of the samples."""
        self.stored = stored
        """Fields [B, k, ...] that were read with the views, by name: those that a computed field needs."""
        self._computed: dict[str, Any] = {}

    def split_views(self) -> "SampledViews":
        """Return every view as a sample of its own, B * k samples of one view each."""
        assert self._objects is not None
        assert self._views is not None
        labels, views = self._columns.reshape(-1, 1, len(self._schema)), self._views.reshape(-1, 1)
        draws = None if self.draws is None else self.draws.split_views()
        stored = {name: values.reshape(-1, 1, *values.shape[2:]) for name, values in self.stored.items()}
        return SampledViews(self._schema, labels, self._objects.ravel(), self._split, views, draws, stored)

    def compute_once(self, name: str, compute: Callable[[], _T]) -> _T:
        """Return what a function computes, at the first call with this name; fields share it by its name."""
        if name not in self._computed:
            self._computed[name] = compute()
        return self._computed[name]

    @property
    def num_views(self) -> int:
        """Number of views k of a sample."""
        assert self._views is not None
        return self._views.shape[1]

    @cached_property
    def point_clouds(self) -> list[NDArray[np.float32]]:
        """Point cloud of each object as stored, float32 [P, 6].

        Raises:
            IntegrityError: A file is not as it was written.
        """
        return self._read_of_objects(Split.read_points)

    @cached_property
    def point_parts(self) -> list[NDArray[np.uint8] | None]:
        """Part [P] of each point of each object; None for an object of one piece."""
        return self.read_arrays("point_parts")

    @cached_property
    def parts(self) -> list[tuple[ObjectPart, ...]]:
        """Parts of each object; none for an object of one piece. Errors are those of ``point_clouds``."""
        return self._read_of_objects(Split.read_parts)

    @cached_property
    def categories(self) -> list[str]:
        """Category of each object."""
        assert self._split is not None
        assert self._objects is not None
        names = self._split.manifest.categories
        return [names[index] for index in self._split.get_category_indices(self._objects).tolist()]

    @cached_property
    def part_poses(self) -> list[NDArray[np.float32] | None]:
        """Poses [k, K, 4, 4] of the parts of each object in its views; None for an object of one piece."""
        return self._select_views(self._read_of_objects(Split.read_part_pose))

    @cached_property
    def joint_values(self) -> list[NDArray[np.float32] | None]:
        """Values [k, J] of the joints of each object in its views; None for an object without joints."""
        return self._select_views(self._read_of_objects(Split.read_joint_values))

    @cached_property
    def molecules(self) -> list[MoleculeFacts | None]:
        """Facts about each object that is a molecule; None for others."""
        return self._read_of_objects(Split.read_molecule)

    def read_arrays(self, name: str) -> list[NDArray[Any] | None]:
        """Read an array of each object by its name, each time anew; None for an object without it."""
        return self._read_of_objects(partial(Split.read_array, name=name))

    def require_view_arrays(self, name: str) -> list[NDArray[Any]]:
        """Return the values [k, ...] of an array of each object in its views; every object must have it.

        Raises:
            IntegrityError: An object has none, or a file is not as it was written.
        """
        found = self.compute_once(name, lambda: self._select_views(self.read_arrays(name)))
        if any(array is None for array in found):
            raise IntegrityError(f"an object has no {name}, and others have; fetch the data set again")
        return [array for array in found if array is not None]

    @property
    def category_names(self) -> tuple[str, ...]:
        """Names of the categories of the data set, in the order of their indices."""
        assert self._split is not None
        return self._split.manifest.categories

    def read_view_arrays(self, name: str) -> list[NDArray[Any] | None]:
        """Read an array of all views, and return its numbers [k, ...] in the views of each sample."""
        return self._select_views(self.read_arrays(name))

    def name_views(self) -> tuple[list[str], IntArray]:
        """Return the id of each object, and the numbers [B, k] of its views."""
        assert self._split is not None
        assert self._objects is not None
        assert self._views is not None
        return [self._split.get_object_id(row) for row in self._objects.tolist()], self._views

    def _read_of_objects(self, read: Callable[[Split, int], _T]) -> list[_T]:
        assert self._split is not None
        assert self._objects is not None
        found = {row: read(self._split, row) for row in dict.fromkeys(self._objects.tolist())}
        return [found[row] for row in self._objects.tolist()]

    def _select_views(self, arrays: list[NDArray[Any] | None]) -> list[NDArray[Any] | None]:
        assert self._views is not None
        return [
            None if array is None else array[views] for array, views in zip(arrays, self._views, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class BatchField:
    """A field of the batches of a data set. Picklable."""

    name: str
    per: FieldScope
    shape: tuple[int, ...]
    """Shape of one value, without the axes of the batch and of the views or steps; ``SAMPLE_VIEWS`` stands
    for the number of views of a sample."""
    dtype: str
    """Type as numpy names it: "float32"."""

    def get_shape(self, num_views: int) -> tuple[int, ...]:
        """Return the shape of one value in samples of k views."""
        return tuple(num_views if size == SAMPLE_VIEWS else size for size in self.shape)


@dataclass(frozen=True, slots=True)
class ComputedField(BatchField):
    """A field that is computed for many samples at once, after their images are read."""

    compute: Callable[[SampledViews], NDArray[Any]] = field(repr=False, compare=False)
    """Function that returns [B, k, *shape] for views, [B, k - 1, *shape] for steps, [B, *shape] for objects
    and samples."""
    min_views: int = field(default=1, kw_only=True)
    """Least number of views of a sample that has the field."""
    of_one_object: bool = field(default=False, kw_only=True)
    """True if all views of a sample must show one object."""
    needs: tuple["StoredField", ...] = field(default=(), repr=False, compare=False, kw_only=True)
    """Stored fields of the views from which it is computed (``SampledViews.stored``); they are read whether
    or not a batch has them."""


@dataclass(frozen=True, slots=True)
class StoredField(BatchField):
    """A field with a file for each view, read together with the image.

    A view counts as unreadable if this file is damaged, even if its image is not.
    """

    read: Callable[[Split, int, int, int], Any] = field(repr=False, compare=False)
    """Function of the split, the object's row, the view's number and the side in pixels; returns [*shape], or
    what ``take`` takes. It is called once for all fields of a view that have the same one."""
    take: Callable[[Any], NDArray[Any]] | None = field(default=None, repr=False, compare=False)
    """Function from what ``read`` returns to [*shape]; None: it is the value."""


def read_stored(
    fields: Iterable[StoredField], split: Split, row: int, view: int, image_size_px: int
) -> Iterable[tuple[str, NDArray[Any]]]:
    """Yield the names and values of the stored fields of one view.

    Raises:
        IntegrityError: A file is damaged, or lacks what a field needs.
    """
    found: dict[Callable[..., Any], Any] = {}
    for item in fields:
        if item.read not in found:
            found[item.read] = item.read(split, row, view, image_size_px)
        value = found[item.read]
        yield item.name, value if item.take is None else item.take(value)


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
