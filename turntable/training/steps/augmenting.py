"""Augmentation in training: pictures are changed on its device, by the numbers that came with them."""

from collections.abc import Iterable, Iterator

from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation
from turntable.loaders.augment import augment, parameters_in
from turntable.loaders.augmentation import PARAMETER_NAMES
from turntable.models import Batch

_PICTURES = {"view": "", "views": "", "view_1": "_1", "view_2": "_2"}
"""Fields of pictures, and what the names of their parameters end with."""
_PIXELS = ("mask", "depth", "normals", "coordinates")
"""Fields that agree with pictures pixel by pixel."""
_OF_POSE = ("rotation", "quaternion", "pose", "position", "translation", "twist", "points")
"""Words in the names of fields that a mirrored picture contradicts."""


def parameter_fields(batch: Batch) -> list[str]:
    """Return the names of the parameters of an augmentation among the fields of a batch."""
    known = {f"{name}{suffix}" for name in PARAMETER_NAMES for suffix in set(_PICTURES.values())}
    return [name for name in batch if name in known]


def augmented(batch: Batch) -> dict[str, Tensor]:
    """Return a batch whose pictures, uint8 [..., 3, H, W], are changed as its parameters say."""
    return {
        name: augment(values, parameters_in(batch, _PICTURES[name])) if name in _PICTURES else values
        for name, values in batch.items()
    }


def check_augmentation(augmentation: Augmentation, reads: Iterable[str]) -> Iterator[str]:
    """Say where an augmentation contradicts what a method reads.

    Args:
        augmentation: Of the training.
        reads: The fields of the method.

    Yields:
        Warnings: the method may still be trained.

    Raises:
        InvalidInputError: The method reads fields whose pixels would no longer agree with the pictures, or no
            picture.
    """
    fields = list(reads)
    moved = augmentation.crop_scale is not None or augmentation.flip_probability > 0
    pixels = [name for name in fields if name.removesuffix("_1").removesuffix("_2") in _PIXELS]
    if not any(name in _PICTURES for name in fields):
        raise InvalidInputError("the augmentation changes pictures, and the method reads none; leave it out")
    if moved and pixels:
        raise InvalidInputError(
            f"the augmentation crops or mirrors pictures, but not {', '.join(pixels)}, which the method"
            " reads: their pixels would no longer agree; take one without crop and flip, such as color"
        )
    poses = [name for name in fields if any(word in name for word in _OF_POSE)]
    if augmentation.flip_probability > 0 and poses:
        yield (
            f"the augmentation mirrors pictures, which contradicts {', '.join(poses)}: take"
            " simclr-unmirrored, or flip_probability=0"
        )
    hues = [name for name in fields if "hue" in name]
    if augmentation.hue and hues:
        yield f"the augmentation shifts hues, which contradicts {', '.join(hues)}: take hue=0"
