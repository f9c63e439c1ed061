"""The fields of a batch: names, shapes, values, and the providers that fill them."""

from turntable.loaders.fields.batch_field import (
    BatchField,
    ComputedField,
    DataDescription,
    FieldProvider,
    SampleDraws,
    SampledViews,
    StoredField,
)
from turntable.loaders.fields.batch_layout import IMAGE_FIELDS, IMAGES, LeadingAxes, NamedArrays, name_arrays
from turntable.loaders.fields.labels import LabelField
from turntable.loaders.fields.providers import (
    PROVIDERS,
    BatchFields,
    batch_to_field_names,
    compute_labels,
    explain_missing_fields,
    resolve_fields,
    resolve_labels,
)

__all__ = [
    "IMAGES",
    "IMAGE_FIELDS",
    "PROVIDERS",
    "BatchField",
    "BatchFields",
    "ComputedField",
    "DataDescription",
    "FieldProvider",
    "LabelField",
    "LeadingAxes",
    "NamedArrays",
    "SampleDraws",
    "SampledViews",
    "StoredField",
    "batch_to_field_names",
    "compute_labels",
    "explain_missing_fields",
    "name_arrays",
    "resolve_fields",
    "resolve_labels",
]
