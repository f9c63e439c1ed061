"""A batch's arrays under the names that users know."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from turntable.loaders.filling import IMAGES
from turntable.loaders.samplers import Naming

Named = dict[str, NDArray[Any]]

Lead = Callable[[str], tuple[int, ...]]
"""The axes before a batch's, of an array by name: (k,), (k - 1,) or none."""


def named_batch(arrays: Mapping[str, NDArray[Any]], lead: Lead, naming: Naming, rows: int) -> Named:
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
