"""Augmentation of images on any device, with the parameters that a loader has drawn into the batch."""

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch as _torch

from turntable.loaders.augment.batch_augmentation import augment_batch, list_parameter_fields
from turntable.loaders.augment.image_augmentation import augment, get_parameters
from turntable.loaders.augment.moved_outputs import list_unmovable_outputs

del _torch

__all__ = [
    "augment",
    "augment_batch",
    "get_parameters",
    "list_parameter_fields",
    "list_unmovable_outputs",
]
