"""Augmentation of images, with the parameters that were drawn as labels."""

from turntable.loaders.augment.images import augment, parameters_in

__all__ = [
    "augment",
    "parameters_in",
]
