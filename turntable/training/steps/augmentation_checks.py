"""Checks of an augmentation against the fields that a method reads."""

from collections.abc import Iterable

from turntable.datasets.labels import OUTPUT_FIELDS
from turntable.errors import InvalidInputError
from turntable.loaders import Augmentation
from turntable.loaders.augment import list_unmovable_outputs
from turntable.loaders.fields import IMAGE_FIELDS, batch_to_field_names
from turntable.models import PAIR

_POSE_WORDS = ("rotation", "quaternion", "pose", "position", "translation", "twist", "points")
"""Words in the names of fields that are wrong for a mirrored image."""


def check_augmentation(augmentation: Augmentation, reads: Iterable[str]) -> list[str]:
    """Check an augmentation against the fields that a method reads.

    Args:
        augmentation: Augmentation of the training.
        reads: Names of the fields that the method reads.

    Returns:
        Warnings about labels that the augmentation makes wrong; the method may still be trained.

    Raises:
        InvalidInputError: The method reads no image, or outputs whose values would be wrong for
            the moved images.
    """
    fields = list(reads)
    outputs = OUTPUT_FIELDS.keys() & batch_to_field_names(fields, PAIR.num_views)
    moving = augmentation.moving_parameters
    if not set(fields) & set(IMAGE_FIELDS):
        raise InvalidInputError(
            "the augmentation changes images, but the method reads none; leave --augment (augmentation) out"
        )
    if wrong := sorted(list_unmovable_outputs(list(outputs), moving)):
        raise InvalidInputError(
            f"the augmentation moves the pixels of images ({', '.join(moving)}), and {', '.join(wrong)},"
            " which the method reads, would be wrong for them; give one of colors only, such as --augment"
            " color"
        )
    warnings: list[str] = []
    poses = [name for name in fields if any(word in name for word in _POSE_WORDS)]
    if augmentation.flip_probability > 0 and poses:
        warnings.append(
            f"the augmentation mirrors images, which contradicts {', '.join(poses)}: give --augment"
            " simclr-unmirrored, or --augment flip_probability=0 (in Python Augmentation(flip_probability=0))"
        )
    if augmentation.has_affine and poses:
        warnings.append(
            f"the augmentation warps images, which contradicts {', '.join(poses)}: leave the affine map out,"
            " or let the method read the field affine too"
        )
    hues = [name for name in fields if "hue" in name]
    if augmentation.hue and hues:
        warnings.append(
            f"the augmentation shifts hues, which contradicts {', '.join(hues)}: give --augment"
            " hue=0 (in Python Augmentation(hue=0))"
        )
    return warnings
