"""The axes of a batch's arrays, and the names that users know them by."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from turntable.loaders.fields.batch_field import BatchField, FieldScope
from turntable.loaders.sampling import ViewNaming

IMAGES = "images"
"""Name of the images in the arrays of engines: uint8 [k, B, H, W, 3], all first views, then all second
ones."""

IMAGE_FIELDS = ("view", "view_1", "view_2", "views")
"""Names that images can have in the batches of users."""

NamedArrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class LeadingAxes:
    """The axes that arrays of engines have before the axis of the batch."""

    num_views: int
    """Number of views k of a sample."""
    scopes: Mapping[str, FieldScope]
    """Scope of each field that belongs to steps, objects or samples; all other fields belong to views."""

    @classmethod
    def from_fields(cls, fields: Iterable[BatchField], num_views: int) -> Self:
        """Return the axes of batches that have some fields besides those of all batches."""
        scopes = dict[str, FieldScope](category="object", object_index="object")
        scopes.update({item.name: item.per for item in fields if item.per != "view"})
        return cls(num_views, scopes)

    def __call__(self, name: str) -> tuple[int, ...]:
        """Return (k,) for a field of views, (k - 1,) for one of steps, () for one of objects or samples."""
        per = self.scopes.get(name, "view")
        return () if per in ("object", "sample") else (self.num_views - (per == "step"),)


def name_arrays(
    arrays: Mapping[str, NDArray[Any]], leading_axes: LeadingAxes, naming: ViewNaming, num_rows: int
) -> NamedArrays:
    """Return the first rows of a batch's arrays under the names that users know, without a copy.

    Images are uint8 [..., H, W, 3]. Fields of objects and samples are [B, ...]. Fields of views and steps
    depend on the naming:

    - "single": fields of views are [B, ...], and the image is ``view``.
    - "pair": fields of views are [B, ...] twice, with the suffixes _1 and _2 (``view_1``, ``factors_2``).
      Fields of the step between them are [B, ...] without a suffix.
    - "several": fields of views are [B, k, ...], the images are ``views``, and fields of steps are
      [B, k - 1, ...].

    Args:
        arrays: Arrays of an engine by name.
        leading_axes: Axes of the arrays before the axis of the batch.
        naming: Naming of views, see above.
        num_rows: Number of rows B to return.
    """
    return {
        name: array
        for key, array in arrays.items()
        for name, array in _iter_named_arrays(key, array, leading_axes(key), naming, num_rows)
    }


def _iter_named_arrays(
    key: str, array: NDArray[Any], leading_axes: tuple[int, ...], naming: ViewNaming, num_rows: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays that one array of an engine becomes, with their names."""
    if not leading_axes:
        yield key, array[:num_rows]
        return
    name = "view" if key == IMAGES else key
    array = array[:, :num_rows]
    if naming == "several":
        yield ("views" if key == IMAGES else key), array.swapaxes(0, 1)
    elif naming == "pair" and leading_axes == (2,):
        yield f"{name}_1", array[0]
        yield f"{name}_2", array[1]
    else:
        yield name, array[0]
