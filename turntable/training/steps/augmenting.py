"""Augmentations that contradict what a method reads: refused, or warned of."""

from collections.abc import Iterable

from turntable.datasets.labels import OUTPUTS
from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation
from turntable.loaders.fields import PICTURES, field_names
from turntable.models import PAIR

_OF_POSE = ("rotation", "quaternion", "pose", "position", "translation", "twist", "points")
"""Words in the names of fields that a mirrored picture contradicts."""


def check_augmentation(augmentation: Augmentation, reads: Iterable[str]) -> list[str]:
    """Say where an augmentation contradicts what a method reads.

    Args:
        augmentation: Of the training.
        reads: The fields of the method.

    Returns:
        Warnings: the method may still be trained.

    Raises:
        InvalidInputError: The method reads fields whose pixels would no longer agree with the pictures, or no
            picture.
    """
    fields = list(reads)
    moved = augmentation.crop_scale is not None or augmentation.flip_probability > 0
    pixels = [name for name in fields if set(field_names([name], PAIR.views)) & set(OUTPUTS)]
    if not set(fields) & set(PICTURES):
        raise InvalidInputError("the augmentation changes pictures, and the method reads none; leave it out")
    if moved and pixels:
        raise InvalidInputError(
            f"the augmentation crops or mirrors pictures, but not {', '.join(pixels)}, which the method"
            " reads: their pixels would no longer agree; take one without crop and flip, such as color"
        )
    warnings: list[str] = []
    poses = [name for name in fields if any(word in name for word in _OF_POSE)]
    if augmentation.flip_probability > 0 and poses:
        warnings.append(
            f"the augmentation mirrors pictures, which contradicts {', '.join(poses)}: take"
            " simclr-unmirrored, or flip_probability=0"
        )
    hues = [name for name in fields if "hue" in name]
    if augmentation.hue and hues:
        warnings.append(f"the augmentation shifts hues, which contradicts {', '.join(hues)}: take hue=0")
    return warnings
