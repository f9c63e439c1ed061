"""Operations on the color of images float32 [B, 3, H, W] from 0 to 255, with one parameter per image."""

import torch
from torch import Tensor

_GRAY_WEIGHTS = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray (ITU-R BT.601), the same as in Pillow."""


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Scale all channels: f x, like Pillow's ``ImageEnhance.Brightness``.

    Args:
        images: float32 [B, 3, H, W], 0 to 255.
        factor: [B] factors f, at least 0.
    """
    return (images * _expand_per_image(factor)).clamp(0.0, 255.0)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from the image's mean gray m: m + f (x - m).

    This is Pillow's ``ImageEnhance.Contrast``, except that Pillow rounds the mean to an integer.

    Args:
        images: float32 [B, 3, H, W], 0 to 255.
        factor: [B] factors f, at least 0.
    """
    return _blend(rgb_to_gray(images).mean(dim=(-2, -1), keepdim=True), images, factor)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Scale the distance from the pixel's gray g: g + f (x - g), like Pillow's ``ImageEnhance.Color``.

    Args:
        images: float32 [B, 3, H, W], 0 to 255.
        factor: [B] factors f, at least 0.
    """
    return _blend(rgb_to_gray(images), images, factor)


def adjust_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Shift the hue of every pixel on the circle of HSV. Saturation and value do not change.

    Args:
        images: float32 [B, 3, H, W], 0 to 255.
        turns: [B] shifts in turns.
    """
    value, minimum = images.amax(dim=1), images.amin(dim=1)
    chroma = value - minimum
    sextants = _compute_hue(images, value, chroma) + 6 * turns[:, None, None]
    # HSV to RGB in closed form, without branches for the six sectors: each channel is the value minus the
    # chroma times a trapezoid, which depends on the distance between the hue and that channel's hue.
    channels = [
        value - chroma * torch.minimum(distance, 4.0 - distance).clamp(0.0, 1.0)
        for distance in ((offset + sextants) % 6.0 for offset in (5.0, 3.0, 1.0))
    ]
    return torch.stack(channels, dim=1)


def remove_color(images: Tensor, mask: Tensor) -> Tensor:
    """Convert the images to gray in all channels where ``mask`` [B] is 1; others stay unchanged."""
    return torch.where(_expand_per_image(mask) > 0.5, rgb_to_gray(images), images)


def solarize(images: Tensor, mask: Tensor) -> Tensor:
    """Replace values x >= 128 by 255 - x where ``mask`` [B] is 1, like Pillow's ``ImageOps.solarize``."""
    return torch.where((_expand_per_image(mask) > 0.5) & (images >= 128.0), 255.0 - images, images)


def rgb_to_gray(images: Tensor) -> Tensor:
    """Return gray images [B, 1, H, W]: 0.299 red + 0.587 green + 0.114 blue."""
    red, green, blue = images.split(1, dim=1)
    return _GRAY_WEIGHTS[0] * red + _GRAY_WEIGHTS[1] * green + _GRAY_WEIGHTS[2] * blue


def _compute_hue(images: Tensor, value: Tensor, chroma: Tensor) -> Tensor:
    """Compute the hue [B, H, W] in sixths of a turn, from -1 to 5; 0 for gray pixels."""
    red, green, blue = images.unbind(dim=1)
    divisor = torch.where(chroma > 0, chroma, 1.0)
    if_blue_is_largest = (red - green) / divisor + 4.0
    if_red_is_not = torch.where(value == green, (blue - red) / divisor + 2.0, if_blue_is_largest)
    return torch.where(value == red, (green - blue) / divisor, if_red_is_not)


def _blend(gray: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(gray, images, _expand_per_image(factor)).clamp(0.0, 255.0)


def _expand_per_image(values: Tensor) -> Tensor:
    """Expand values [B] to the shape [B, 1, 1, 1]."""
    return values[:, None, None, None]
