"""Whole batches augmented: every picture by the numbers that came with it."""

from collections.abc import Mapping

from torch import Tensor

from turntable.loaders.augment.images import augment, parameters_in
from turntable.loaders.augmentation import PARAMETER_NAMES
from turntable.loaders.fields import PICTURES

_SUFFIXES = {name: name.removeprefix("views").removeprefix("view") for name in PICTURES}
"""The ends of the names of pictures' parameters."""
_PARAMETERS = frozenset(f"{name}{suffix}" for name in PARAMETER_NAMES for suffix in _SUFFIXES.values())


def parameter_fields(batch: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the parameters of an augmentation among the fields of a batch."""
    return [name for name in batch if name in _PARAMETERS]


def augment_batch(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a batch whose pictures, uint8 [..., 3, H, W], are changed as its parameters say.

    Raises:
        InvalidInputError: It has no parameters for one of its pictures.
    """
    return {
        name: augment(values, parameters_in(batch, _SUFFIXES[name])) if name in _SUFFIXES else values
        for name, values in batch.items()
    }
