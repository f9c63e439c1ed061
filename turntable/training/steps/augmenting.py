"""Augmentations that contradict what a method reads: refused, or warned of."""

from collections.abc import Iterable, Iterator

from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation

_PICTURES = ("view", "views", "view_1", "view_2")
_PIXELS = ("mask", "depth", "normals", "coordinates")
"""Fields that agree with pictures pixel by pixel."""
_OF_POSE = ("rotation", "quaternion", "pose", "position", "translation", "twist", "points")
"""Words in the names of fields that a mirrored picture contradicts."""


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
