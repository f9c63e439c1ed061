"""A batch's arrays under the names that users know."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from turntable.loaders.fields.field import BatchField, Per
from turntable.loaders.sampling import Naming

IMAGES = "images"
"""uint8 [k, B, H, W, 3]: all first views, then all second ones."""

PICTURES = ("view", "view_1", "view_2", "views")
"""Names of pictures in the batches of users, whatever a sample is."""

Named = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class LeadingAxes:
    """The axes that a batch's arrays have before the batch's own."""

    views: int
    """k, of a sample."""
    per: Mapping[str, Per]
    """Names of fields that are not of views, with what they are of: steps or objects."""

    @classmethod
    def of(cls, fields: Iterable[BatchField], views: int) -> Self:
        """Describe batches with such fields besides those that all have."""
        of_objects = dict[str, Per](category="object", object_index="object")
        of_objects.update({item.name: item.per for item in fields if item.per != "view"})
        return cls(views, of_objects)

    def __call__(self, name: str) -> tuple[int, ...]:
        """(k,) of what each view has, (k - 1,) of steps, () of what the object has."""
        per = self.per.get(name, "view")
        return () if per == "object" else (self.views - (per == "step"),)


def named_batch(arrays: Mapping[str, NDArray[Any]], lead: LeadingAxes, naming: Naming, rows: int) -> Named:
    """The first rows of a batch's arrays, without a copy.

    With naming "single" what a view has is [B, ...], its image ``view``. With "pair" it is [B, ...] twice, by
    the suffixes _1 and _2 (``view_1``, ``factors_2``), and what lies between the two is [B, ...] without a
    suffix. With "several" it is [B, k, ...], the images ``views``, and what lies between is [B, k - 1, ...].
    Images are uint8 [..., H, W, 3].
    """
    return {
        name: array
        for key, array in arrays.items()
        for name, array in _renamed(key, array, lead(key), naming, rows)
    }


def _renamed(
    key: str, array: NDArray[Any], lead: tuple[int, ...], naming: Naming, rows: int
) -> Iterator[tuple[str, NDArray[Any]]]:
    if not lead:
        yield key, array[:rows]
        return
    name = "view" if key == IMAGES else key
    array = array[:, :rows]
    if naming == "several":
        yield ("views" if key == IMAGES else key), array.swapaxes(0, 1)
    elif naming == "pair" and lead == (2,):
        yield f"{name}_1", array[0]
        yield f"{name}_2", array[1]
    else:
        yield name, array[0]
