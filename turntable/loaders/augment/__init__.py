"""Augmentation of images on any device, with the parameters that a loader has drawn into the batch."""

from turntable.loaders.augment.batch_augmentation import augment_batch, list_parameter_fields
from turntable.loaders.augment.image_augmentation import augment, get_parameters

__all__ = [
    "augment",
    "augment_batch",
    "get_parameters",
    "list_parameter_fields",
]
