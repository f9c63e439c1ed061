"""Changes of colour of many pictures at once, each by its own amount: float32 [B, 3, H, W] from 0 to 255."""

import torch
from torch import Tensor

_GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601), as Pillow has them."""


def brightened(images: Tensor, factor: Tensor) -> Tensor:
    """Black mixed with the picture: f x, as Pillow's ``ImageEnhance.Brightness``. ``factor`` [B], >= 0."""
    return (images * _each(factor)).clamp(0.0, 255.0)


def contrasted(images: Tensor, factor: Tensor) -> Tensor:
    """The mean grey of the picture mixed with it: m + f (x - m), as Pillow's ``ImageEnhance.Contrast``.

    ``factor`` [B], >= 0. The mean is not rounded, as Pillow's is.
    """
    return _mixed(greyed(images).mean(dim=(-2, -1), keepdim=True), images, factor)


def saturated(images: Tensor, factor: Tensor) -> Tensor:
    """The pixel's grey g mixed with it: g + f (x - g), as Pillow's ``ImageEnhance.Color``. ``factor`` [B]."""
    return _mixed(greyed(images), images, factor)


def hue_shifted(images: Tensor, turns: Tensor) -> Tensor:
    """The hue of every pixel moved on the circle of HSV; saturation and value stay. ``turns`` [B]."""
    value, least = images.amax(dim=1), images.amin(dim=1)
    chroma = value - least
    sextants = _hue(images, value, chroma) + 6 * turns[:, None, None]
    # Each channel is the value, less a trapezoid of the distance of the hue from the channel's own.
    channels = [
        value - chroma * torch.minimum(place, 4.0 - place).clamp(0.0, 1.0)
        for place in ((offset + sextants) % 6.0 for offset in (5.0, 3.0, 1.0))
    ]
    return torch.stack(channels, dim=1)


def without_colour(images: Tensor, chosen: Tensor) -> Tensor:
    """Grey in all channels where ``chosen`` [B] is 1."""
    return torch.where(_each(chosen) > 0.5, greyed(images), images)


def solarized(images: Tensor, chosen: Tensor) -> Tensor:
    """255 - x for x >= 128 where ``chosen`` [B] is 1, as Pillow's ``ImageOps.solarize``."""
    return torch.where((_each(chosen) > 0.5) & (images >= 128.0), 255.0 - images, images)


def greyed(images: Tensor) -> Tensor:
    """[B, 1, H, W]: 0.299 red + 0.587 green + 0.114 blue."""
    red, green, blue = images.split(1, dim=1)
    return _GREY[0] * red + _GREY[1] * green + _GREY[2] * blue


def _hue(images: Tensor, value: Tensor, chroma: Tensor) -> Tensor:
    """[B, H, W] in sixths of a turn, from -1 to 5; 0 of what has no colour."""
    red, green, blue = images.unbind(dim=1)
    divisor = torch.where(chroma > 0, chroma, 1.0)
    by_blue = (red - green) / divisor + 4.0
    by_green = torch.where(value == green, (blue - red) / divisor + 2.0, by_blue)
    return torch.where(value == red, (green - blue) / divisor, by_green)


def _mixed(grey: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(grey, images, _each(factor)).clamp(0.0, 255.0)


def _each(values: Tensor) -> Tensor:
    """[B] as [B, 1, 1, 1]."""
    return values[:, None, None, None]
