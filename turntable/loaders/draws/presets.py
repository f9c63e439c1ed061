"""The augmentations that have a name."""

from collections.abc import Mapping

from turntable.choices import check_choice
from turntable.loaders.draws.augmentation import Augmentation

AUGMENTATIONS: Mapping[str, Augmentation] = {
    "simclr": Augmentation.simclr(),
    "simclr-unmirrored": Augmentation.simclr(flip_probability=0.0),
    "crop": Augmentation.crop_only(),
    "color": Augmentation.color_only(),
    "affine": Augmentation.warp_only(),
}
"""The augmentations that ``turntable train --augment`` may name."""


def get_augmentation(name: str) -> Augmentation:
    """Return the augmentation that has a name in ``AUGMENTATIONS``.

    Raises:
        InvalidInputError: No augmentation has that name.
    """
    check_choice("augmentation", name, AUGMENTATIONS)
    return AUGMENTATIONS[name]
