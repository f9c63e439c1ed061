"""The label fields of a batch: their names, their shapes and their values."""

from turntable.loaders.fields.labels import LabelField, compute_labels, default_labels, label_fields
from turntable.loaders.fields.naming import IMAGES, LeadingAxes, Named, named_batch

__all__ = [
    "IMAGES",
    "LabelField",
    "LeadingAxes",
    "Named",
    "compute_labels",
    "default_labels",
    "label_fields",
    "named_batch",
]
