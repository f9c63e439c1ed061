"""Crop, flip and blur for many images at once.

Each of these is a linear map of rows followed by one of columns. So each image has two small matrices, and a
batch of matrix products applies them to all images.
"""

import torch
from torch import Tensor


def crop_and_flip(images: Tensor, crop: Tensor, flip: Tensor | None, size: int) -> Tensor:
    """Crop, resize and flip images, bilinear and antialiased, like Pillow's ``resize(box=...)``.

    When the result has fewer pixels than the crop, each pixel is a weighted mean of all pixels near it. The
    weights are a triangle that is two pixels of the result wide.

    Args:
        images: [B, 3, H, W] of any type.
        crop: [B, 4] top, left, height and width as shares of the sides.
        flip: [B] 1 to exchange left and right in the result, else 0; None: no flip.
        size: Side of the result in pixels.

    Returns:
        float32 [B, 3, size, size].
    """
    height, width = images.shape[-2:]
    top, left, crop_height, crop_width = crop.unbind(-1)
    row_weights = _compute_triangle_weights(top * height, crop_height * height, height, size)
    column_weights = _compute_triangle_weights(left * width, crop_width * width, width, size)
    if flip is not None:
        # Exchanging the rows of this matrix flips the result, at no cost for the images.
        column_weights = torch.where(flip[:, None, None] > 0.5, column_weights.flip(1), column_weights)
    return _apply_weights(images, row_weights, column_weights)


def blur(images: Tensor, sigma_px: Tensor) -> Tensor:
    """Blur each image with a Gaussian.

    The kernel is not cut off, and pixels beyond the edges of the image have no weight.

    Args:
        images: float32 [B, 3, H, W].
        sigma_px: [B] standard deviations in pixels; 0: unchanged.

    Returns:
        float32 [B, 3, H, W].
    """
    height, width = images.shape[-2:]
    return _apply_weights(
        images, _compute_gaussian_weights(sigma_px, height), _compute_gaussian_weights(sigma_px, width)
    )


def _apply_weights(images: Tensor, row_weights: Tensor, column_weights: Tensor) -> Tensor:
    """Mix the rows of images by weights [B, S, H], then the columns by weights [B, S, W]."""
    pixels = images.to(torch.float32, memory_format=torch.contiguous_format)
    return row_weights[:, None] @ pixels @ column_weights[:, None].transpose(-1, -2)


def _compute_triangle_weights(start: Tensor, length: Tensor, num_pixels: int, size: int) -> Tensor:
    """Compute the weights [B, size, num_pixels] that resample one side of an image.

    Args:
        start: [B] start of the crop in pixels.
        length: [B] length of the crop in pixels.
        num_pixels: Number of pixels along the side.
        size: Number of pixels in the result.
    """
    scale = (length / size)[:, None]
    centers = start[:, None] + (_number_pixels(size, start) + 0.5) * scale
    pixels = _number_pixels(num_pixels, start) + 0.5
    distance = (pixels - centers[..., None]).abs() / scale.clamp(min=1.0)[..., None]
    return _normalize_weights((1.0 - distance).clamp(min=0.0))


def _compute_gaussian_weights(sigma: Tensor, num_pixels: int) -> Tensor:
    """Compute the weights [B, num_pixels, num_pixels] that blur one side of an image."""
    pixels = _number_pixels(num_pixels, sigma)
    # The minimum avoids a division by zero. With a Gaussian this narrow all other weights underflow to 0, so
    # the image stays unchanged to the bit.
    steps = (pixels - pixels[:, None]) / sigma.clamp(min=1e-3)[:, None, None]
    weights = torch.exp(-0.5 * steps**2)
    # Weights this small do not change a float32 result, but arithmetic with denormal numbers is slow on CPUs.
    return _normalize_weights(torch.where(weights > 1e-12, weights, 0.0))


def _number_pixels(count: int, like: Tensor) -> Tensor:
    """Return the numbers of pixels [count] from 0, in the type and on the device of another tensor.

    Without both, they would be of the type and on the device that users have set as default for their models.
    """
    return torch.arange(count, device=like.device, dtype=like.dtype)


def _normalize_weights(weights: Tensor) -> Tensor:
    return weights / weights.sum(dim=-1, keepdim=True)
