"""Augmentation on the device: what the parameters of a batch say is done to its pictures, all at once."""

from collections.abc import Mapping

import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.loaders.augment.colours import (
    brightened,
    contrasted,
    hue_shifted,
    saturated,
    solarized,
    without_colour,
)
from turntable.loaders.augment.resampling import crop_and_flip, gaussian_blur
from turntable.loaders.augmentation import PARAMETER_NAMES, PARAMETERS

_COLOURS = {
    "brightness": brightened,
    "contrast": contrasted,
    "saturation": saturated,
    "hue_shift": hue_shifted,
    "grey": without_colour,
    "blur_sigma_px": gaussian_blur,
    "solarize": solarized,
}
"""In the order of ``PARAMETERS``, after crop and flip."""


def augment(
    images: Tensor,
    parameters: Mapping[str, Tensor],
    size: int | None = None,
    dtype: torch.dtype = torch.uint8,
) -> Tensor:
    """Do to each picture what its parameters say, in the order of ``PARAMETERS``.

    Crop and flip (at the same time), brightness, contrast, saturation, hue, grey, blur, solarize. Parts whose
    parameters are not given cost nothing. Everything is computed in float32, on the device of the images, and
    rounded once; whole float32 copies of the images are made on the way. No gradient flows.

    Args:
        images: uint8 [..., 3, H, W], in any memory format.
        parameters: by name, each [...] (``crop`` [..., 4]), on any device; ``parameters_in`` a batch.
        size: side of the result in pixels; None: as the images, which must be square then if there is a crop.
        dtype: of the result: uint8, or a float type for values that are not rounded, from 0 to 255 too.

    Returns:
        [..., 3, size, size], each picture in channels-last memory.

    Raises:
        InvalidInputError: images or parameters cannot be right.
    """
    _check(images, parameters, size)
    flat = images.reshape(-1, *images.shape[-3:])
    given = {
        name: values.reshape(len(flat), *shape).to(flat.device, torch.float32, non_blocking=True)
        for name, values, shape in ((row.name, parameters.get(row.name), row.shape) for row in PARAMETERS)
        if values is not None
    }
    # Under autocast the matrices of crops would be rounded to 8 bits.
    with torch.no_grad(), torch.autocast(flat.device.type, enabled=False):
        result = _placed(flat, given, size)
        for name, change in _COLOURS.items():
            if name in given:
                result = change(result.float(), given[name])
        result = _as_type(result, dtype).contiguous(memory_format=torch.channels_last)
    return result.reshape(*images.shape[:-3], *result.shape[-3:])


def parameters_in(batch: Mapping[str, Tensor], suffix: str = "") -> dict[str, Tensor]:
    """The parameters of an augmentation among the fields of a batch, for ``augment``.

    Args:
        batch: of a loader with an augmentation.
        suffix: "_1" and "_2" for the two views of pairs.

    Raises:
        InvalidInputError: there are none.
    """
    found = {name: batch[name + suffix] for name in PARAMETER_NAMES if name + suffix in batch}
    if not found:
        raise InvalidInputError(
            f"the batch has no parameters of an augmentation that end in {suffix!r}: give the loader an "
            "augmentation with parts that are on, and of pairs take '_1' or '_2'"
        )
    return found


def _placed(images: Tensor, given: Mapping[str, Tensor], size: int | None) -> Tensor:
    """Cropped, flipped and resized: untouched where nothing of it is asked for."""
    flip = given.get("flip")
    side = size or images.shape[-1]
    if "crop" in given:
        return crop_and_flip(images, given["crop"], flip, side)
    if images.shape[-2:] != (side, side) and size is not None:
        whole = torch.tensor([0.0, 0.0, 1.0, 1.0], device=images.device).expand(len(images), 4)
        return crop_and_flip(images, whole, flip, side)
    return images if flip is None else torch.where(flip[:, None, None, None] > 0.5, images.flip(-1), images)


def _as_type(images: Tensor, dtype: torch.dtype) -> Tensor:
    if dtype.is_floating_point or not images.dtype.is_floating_point:
        return images.to(dtype)
    return images.round().clamp(0.0, 255.0).to(dtype)


def _check(images: Tensor, parameters: Mapping[str, Tensor], size: int | None) -> None:
    if images.dtype != torch.uint8 or images.ndim < 3 or images.shape[-3] != 3:
        raise InvalidInputError(
            f"images {list(images.shape)} of {images.dtype}: augment takes uint8 [..., 3, H, W], as loaders "
            "give them; normalise afterwards"
        )
    height, width = images.shape[-2:]
    if size is None and "crop" in parameters and height != width:
        raise InvalidInputError(f"images of {height} x {width} pixels: say at which size crops are wanted")
    if size is not None and size < 1:
        raise InvalidInputError(f"size {size}: must be at least 1 pixel")
    shapes = {row.name: row.shape for row in PARAMETERS}
    for name, values in parameters.items():
        if name not in shapes:
            raise InvalidInputError(
                f"no parameter {name!r}; there are {', '.join(PARAMETER_NAMES)}; take those of a batch by "
                "parameters_in"
            )
        expected = (*images.shape[:-3], *shapes[name])
        if tuple(values.shape) != expected:
            raise InvalidInputError(
                f"{name} is {list(values.shape)}, of images {list(images.shape)} it must be {list(expected)}"
            )
