"""Crops, flips and blurs of many pictures at once: each is a matrix for the rows and one for the columns."""

import torch
from torch import Tensor


def crop_and_flip(images: Tensor, crop: Tensor, flip: Tensor | None, size: int) -> Tensor:
    """A part of each picture at another size, bilinear and antialiased, as Pillow's ``resize(box=...)``.

    Where the result has fewer pixels than the part, each is a mean over all that fall on it, weighed by a
    triangle as wide as two of its own pixels.

    Args:
        images: [B, 3, H, W] of any type.
        crop: [B, 4] top, left, height and width as shares of the sides.
        flip: [B] 1 where left and right are exchanged in the result; None: nowhere.
        size: side of the result in pixels.

    Returns:
        float32 [B, 3, size, size].
    """
    height, width = images.shape[-2:]
    top, left, tall, wide = crop.unbind(-1)
    down = _triangles(top * height, tall * height, height, size)
    across = _triangles(left * width, wide * width, width, size)
    if flip is not None:
        across = torch.where(flip[:, None, None] > 0.5, across.flip(1), across)
    return _applied(images, down, across)


def gaussian_blur(images: Tensor, sigma_px: Tensor) -> Tensor:
    """Each picture blurred by its own Gaussian, whole and not cut off; beyond the edges nothing has weight.

    Args:
        images: float32 [B, 3, H, W].
        sigma_px: [B]; 0: unchanged.

    Returns:
        [B, 3, H, W].
    """
    height, width = images.shape[-2:]
    return _applied(images, _gaussians(sigma_px, height), _gaussians(sigma_px, width))


def _applied(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Rows mixed by [B, S, H], then columns by [B, S, W]."""
    pixels = images.to(torch.float32, memory_format=torch.contiguous_format)
    return down[:, None] @ pixels @ across[:, None].transpose(-1, -2)


def _triangles(start: Tensor, length: Tensor, count: int, size: int) -> Tensor:
    """Weights [B, size, count] of the pixels along a side that is resampled.

    Args:
        start: [B] of the part, in pixels.
        length: [B] of the part, in pixels.
        count: of pixels along the side.
        size: of the result.
    """
    scale = (length / size)[:, None]
    centres = start[:, None] + (torch.arange(size, device=start.device) + 0.5) * scale
    pixels = torch.arange(count, device=start.device) + 0.5
    distance = (pixels - centres[..., None]).abs() / scale.clamp(min=1.0)[..., None]
    return _normalised((1.0 - distance).clamp(min=0.0))


def _gaussians(sigma: Tensor, count: int) -> Tensor:
    """Weights [B, count, count]."""
    pixels = torch.arange(count, device=sigma.device, dtype=sigma.dtype)
    # So narrow a Gaussian is the pixel itself, to the bit.
    steps = (pixels - pixels[:, None]) / sigma.clamp(min=1e-3)[:, None, None]
    weights = torch.exp(-0.5 * steps**2)
    # What is as small as this changes no bit, but products with it are slow on a CPU.
    return _normalised(torch.where(weights > 1e-12, weights, 0.0))


def _normalised(weights: Tensor) -> Tensor:
    return weights / weights.sum(dim=-1, keepdim=True)
