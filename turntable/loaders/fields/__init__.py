"""The fields of a batch: their names, their shapes, their values, and what gives them."""

from turntable.loaders.fields.field import (
    BatchField,
    ComputedField,
    FieldProvider,
    FieldSource,
    SampledViews,
    StoredField,
)
from turntable.loaders.fields.labels import LabelField
from turntable.loaders.fields.naming import IMAGES, PICTURES, LeadingAxes, Named, named_batch
from turntable.loaders.fields.providers import (
    PROVIDERS,
    BatchFields,
    compute_labels,
    field_names,
    label_fields,
    missing_fields,
    resolve_fields,
)

__all__ = [
    "IMAGES",
    "PICTURES",
    "PROVIDERS",
    "BatchField",
    "BatchFields",
    "ComputedField",
    "FieldProvider",
    "FieldSource",
    "LabelField",
    "LeadingAxes",
    "Named",
    "SampledViews",
    "StoredField",
    "compute_labels",
    "field_names",
    "label_fields",
    "missing_fields",
    "named_batch",
    "resolve_fields",
]
