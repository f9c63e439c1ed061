"""Whole batches augmented: every picture by the numbers that came with it."""

from collections.abc import Mapping

from torch import Tensor

from turntable.loaders.augment.images import augment, parameters_in
from turntable.loaders.augmentation import PARAMETER_NAMES

_PICTURES = {"view": "", "views": "", "view_1": "_1", "view_2": "_2"}
"""Fields of pictures, and what the names of their parameters end with."""


def parameter_fields(batch: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the parameters of an augmentation among the fields of a batch."""
    known = {f"{name}{suffix}" for name in PARAMETER_NAMES for suffix in set(_PICTURES.values())}
    return [name for name in batch if name in known]


def augment_batch(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a batch whose pictures, uint8 [..., 3, H, W], are changed as its parameters say.

    Raises:
        InvalidInputError: It has no parameters for one of its pictures.
    """
    return {
        name: augment(values, parameters_in(batch, _PICTURES[name])) if name in _PICTURES else values
        for name, values in batch.items()
    }
