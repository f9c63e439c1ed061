"""The fields of a batch: names, shapes, values, and the providers that fill them."""

from turntable.loaders.fields.batch_field import (
    BatchField,
    ComputedField,
    DataDescription,
    FieldProvider,
    SampledViews,
    StoredField,
    read_stored,
)
from turntable.loaders.fields.batch_layout import (
    FRAMES,
    IMAGE_FIELDS,
    IMAGES,
    LeadingAxes,
    NamedArrays,
    format_crop_field,
    is_image_field,
    list_crop_fields,
    name_arrays,
)
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
from turntable.loaders.fields.tracks import NOISY_TRACKS
from turntable.loaders.fields.view_labels import ViewLabels

__all__ = [
    "FRAMES",
    "IMAGES",
    "IMAGE_FIELDS",
    "NOISY_TRACKS",
    "PROVIDERS",
    "BatchField",
    "BatchFields",
    "ComputedField",
    "DataDescription",
    "FieldProvider",
    "LabelField",
    "LeadingAxes",
    "NamedArrays",
    "SampledViews",
    "StoredField",
    "ViewLabels",
    "batch_to_field_names",
    "compute_labels",
    "explain_missing_fields",
    "format_crop_field",
    "is_image_field",
    "list_crop_fields",
    "name_arrays",
    "read_stored",
    "resolve_fields",
    "resolve_labels",
]
