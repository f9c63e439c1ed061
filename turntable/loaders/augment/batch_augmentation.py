"""Augmentation of all images of a batch by the parameters in that batch."""

from collections.abc import Mapping

from torch import Tensor

from turntable.loaders.augment.image_augmentation import augment, get_parameters
from turntable.loaders.augmentation import PARAMETER_NAMES
from turntable.loaders.fields import IMAGE_FIELDS

_SUFFIXES = {name: name.removeprefix("views").removeprefix("view") for name in IMAGE_FIELDS}
"""Suffix of the parameters that belong to each field of images."""
_PARAMETERS = frozenset(f"{name}{suffix}" for name in PARAMETER_NAMES for suffix in _SUFFIXES.values())


def list_parameter_fields(batch: Mapping[str, Tensor]) -> list[str]:
    """List the fields of a batch that are parameters of an augmentation."""
    return [name for name in batch if name in _PARAMETERS]


def augment_batch(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the batch with its images augmented by its parameters.

    Args:
        batch: Batch of a loader with an augmentation; its images are uint8 [..., 3, H, W].

    Raises:
        InvalidInputError: The batch has no parameters for one of its images.
    """
    return {
        name: augment(values, get_parameters(batch, _SUFFIXES[name])) if name in _SUFFIXES else values
        for name, values in batch.items()
    }
