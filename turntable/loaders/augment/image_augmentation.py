"""Augmentation of images by given parameters, for many images at once and on any device."""

from collections.abc import Mapping

import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.loaders.augment.color_operations import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    remove_color,
    solarize,
)
from turntable.loaders.augment.resampling import blur, crop_and_flip
from turntable.loaders.augment.warping import Color, shift_circularly, warp
from turntable.loaders.draws import PARAMETER_NAMES, PARAMETERS

_COLOR_OPERATIONS = {
    "brightness": adjust_brightness,
    "contrast": adjust_contrast,
    "saturation": adjust_saturation,
    "hue_shift": adjust_hue,
    "grey": remove_color,
    "blur_sigma_px": blur,
    "solarize": solarize,
}
"""Operations on color and sharpness by parameter, in the order of ``PARAMETERS``; crop, flip,
affine map and shift come before."""


def augment(
    images: Tensor,
    parameters: Mapping[str, Tensor],
    size: int | None = None,
    dtype: torch.dtype = torch.uint8,
    fill: Color | None = None,
) -> Tensor:
    """Augment each image by its parameters.

    The operations are applied in the order of ``PARAMETERS``: crop and flip (in one step), affine
    map, circular shift, brightness, contrast, saturation, hue, gray, blur, solarize. Operations without
    parameters are skipped. All is computed in float32 on the device of the images and rounded once at the
    end, which needs memory for float32 copies of the images. No gradients are computed.

    Args:
        images: uint8 [..., 3, H, W], in any memory format.
        parameters: Parameters by name, each [...] and the axes in ``PARAMETERS`` (``crop`` is [..., 4]), on
            any device; ``get_parameters`` returns those of a batch.
        size: Side of the result in pixels; None: as the images, which must be square if there is a crop.
        dtype: Type of the result: uint8, or a float type for values from 0 to 255 that are not rounded.
        fill: Color from 0 to 255 of what an affine map brings in from outside the image, such as
            ``Augmentation.affine_fill``; None: the image is reflected at its edges.

    Returns:
        [..., 3, size, size], each image in channels-last memory.

    Raises:
        InvalidInputError: Images or parameters have a wrong type, shape or name.
    """
    _check_arguments(images, parameters, size, fill)
    flat = images.reshape(-1, *images.shape[-3:])
    flat_parameters = {
        name: values.reshape(len(flat), *shape).to(flat.device, torch.float32, non_blocking=True)
        for name, values, shape in ((row.name, parameters.get(row.name), row.shape) for row in PARAMETERS)
        if values is not None
    }
    # Autocast would compute the crops' matrix products in bfloat16, with 8 significant bits.
    with torch.no_grad(), torch.autocast(flat.device.type, enabled=False):
        result = _crop_and_resize(flat, flat_parameters, size)
        if "affine" in flat_parameters:
            result = warp(result, flat_parameters["affine"], fill)
        if "shift_px" in flat_parameters:
            result = shift_circularly(result, flat_parameters["shift_px"])
        for name, operation in _COLOR_OPERATIONS.items():
            if name in flat_parameters:
                result = operation(result.float(), flat_parameters[name])
        result = _round_to_dtype(result, dtype).contiguous(memory_format=torch.channels_last)
    return result.reshape(*images.shape[:-3], *result.shape[-3:])


def get_parameters(batch: Mapping[str, Tensor], suffix: str = "", prefix: str = "") -> dict[str, Tensor]:
    """Return the parameters of an augmentation that a batch has, for ``augment``.

    Args:
        batch: Batch of a loader with an augmentation.
        suffix: Suffix of the parameters' names: "_1" or "_2" for the two views of pairs.
        prefix: Prefix of the parameters' names: "crops_0_" for the first crops.

    Raises:
        InvalidInputError: The batch has no such parameters.
    """
    parameters = {
        name: batch[f"{prefix}{name}{suffix}"]
        for name in PARAMETER_NAMES
        if f"{prefix}{name}{suffix}" in batch
    }
    if not parameters:
        raise InvalidInputError(
            f"the batch has no parameters of an augmentation that end in {suffix!r}"
            + f" and begin with {prefix!r}" * bool(prefix)
            + ": give the loader an augmentation that changes something, and use the suffix '_1' or '_2' for"
            " pairs"
        )
    return parameters


def _crop_and_resize(images: Tensor, parameters: Mapping[str, Tensor], size: int | None) -> Tensor:
    """Crop, flip and resize images; return them unchanged if there is nothing to do."""
    flip = parameters.get("flip")
    side = size or images.shape[-1]
    if "crop" in parameters:
        return crop_and_flip(images, parameters["crop"], flip, side)
    if images.shape[-2:] != (side, side) and size is not None:
        full_image = torch.tensor([0.0, 0.0, 1.0, 1.0], device=images.device, dtype=torch.float32)
        full_image = full_image.expand(len(images), 4)
        return crop_and_flip(images, full_image, flip, side)
    return images if flip is None else torch.where(flip[:, None, None, None] > 0.5, images.flip(-1), images)


def _round_to_dtype(images: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype.is_floating_point or not images.dtype.is_floating_point:
        return images.to(dtype)
    return images.round().clamp(0.0, 255.0).to(dtype)


def _check_arguments(
    images: Tensor, parameters: Mapping[str, Tensor], size: int | None, fill: Color | None
) -> None:
    if images.dtype != torch.uint8 or images.ndim < 3 or images.shape[-3] != 3:
        raise InvalidInputError(
            f"images {list(images.shape)} of {images.dtype}: augment needs uint8 [..., 3, H, W], as loaders "
            "give them; normalize afterwards"
        )
    height, width = images.shape[-2:]
    if size is None and "crop" in parameters and height != width:
        raise InvalidInputError(
            f"images of {height} x {width} pixels are not square: give the size of the crops"
        )
    if fill is not None and not (len(fill) == 3 and all(0 <= value <= 255 for value in fill)):
        raise InvalidInputError(f"fill {fill}: give three numbers from 0 to 255, or None to reflect images")
    if size is not None and size < 1:
        raise InvalidInputError(f"size {size}: must be at least 1 pixel")
    shapes = {row.name: row.shape for row in PARAMETERS}
    for name, values in parameters.items():
        if name not in shapes:
            raise InvalidInputError(
                f"no parameter {name!r}; the parameters are {', '.join(PARAMETER_NAMES)}; get_parameters "
                "returns those of a batch"
            )
        expected = (*images.shape[:-3], *shapes[name])
        if tuple(values.shape) != expected:
            raise InvalidInputError(
                f"{name} has the shape {list(values.shape)}; for images {list(images.shape)} it must be "
                f"{list(expected)}"
            )
