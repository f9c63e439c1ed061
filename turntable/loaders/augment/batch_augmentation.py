"""Augmentation of all images of a batch, and of its outputs, by the parameters in that batch."""

from collections.abc import Mapping

from torch import Tensor

from turntable.datasets.labels import OUTPUT_FIELDS
from turntable.loaders.augment.image_augmentation import augment, get_parameters
from turntable.loaders.augment.moved_outputs import move_output
from turntable.loaders.augment.warping import Color
from turntable.loaders.draws import PARAMETER_NAMES
from turntable.loaders.fields import IMAGE_FIELDS, list_crop_fields

_SUFFIXES = {name: name.removeprefix("views").removeprefix("view") for name in IMAGE_FIELDS}
"""Suffix of the parameters that belong to each field of images."""
_PARAMETERS = frozenset(f"{name}{suffix}" for name in PARAMETER_NAMES for suffix in _SUFFIXES.values())
_OUTPUTS = {
    f"{name}{suffix}": (name, suffix)
    for name in OUTPUT_FIELDS
    for suffix in dict.fromkeys(_SUFFIXES.values())
}
"""Name of the output and suffix of the view of each field of outputs."""


def list_parameter_fields(batch: Mapping[str, Tensor]) -> list[str]:
    """List the fields of a batch that are parameters of an augmentation."""
    of_crops = {f"{crops}_{name}" for crops in list_crop_fields(batch) for name in PARAMETER_NAMES}
    return [name for name in batch if name in _PARAMETERS or name in of_crops]


def augment_batch(batch: Mapping[str, Tensor], fill: Color | None = None) -> dict[str, Tensor]:
    """Return the batch with its images augmented by its parameters.

    Outputs (mask, depth, coordinates, parts, and normals if pictures are only cropped or shifted) are moved
    as the pictures are, and take the value of the nearest pixel. Crops have parameters of their own.

    Args:
        batch: Batch of a loader with an augmentation; its images are uint8 [..., 3, H, W].
        fill: Color from 0 to 255 of what an affine map brings in from outside an image, as for ``augment``.

    Raises:
        InvalidInputError: The batch has no parameters for one of its images, or an output whose values would
            be wrong for the moved picture.
    """
    crops = frozenset(list_crop_fields(batch))
    return {name: _augment_field(name, values, batch, crops, fill) for name, values in batch.items()}


def _augment_field(
    name: str, values: Tensor, batch: Mapping[str, Tensor], crops: frozenset[str], fill: Color | None
) -> Tensor:
    if name in _SUFFIXES:
        return augment(values, get_parameters(batch, _SUFFIXES[name]), fill=fill)
    if name in crops and any(f"{name}_{parameter}" in batch for parameter in PARAMETER_NAMES):
        return augment(values, get_parameters(batch, prefix=f"{name}_"), fill=fill)
    if name in _OUTPUTS:
        output, suffix = _OUTPUTS[name]
        return move_output(output, values, get_parameters(batch, suffix), has_fill=fill is not None)
    return values
