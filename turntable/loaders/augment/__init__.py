"""Augmentation of images, with the parameters that were drawn as labels."""

from turntable.loaders.augment.batches import augment_batch, parameter_fields
from turntable.loaders.augment.images import augment, parameters_in

__all__ = [
    "augment",
    "augment_batch",
    "parameter_fields",
    "parameters_in",
]
