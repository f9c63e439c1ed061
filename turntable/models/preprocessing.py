"""Preprocessing of images for a backbone: center crop, and normalization of the colors."""

import torch
from torch import Tensor, nn


class Normalize(nn.Module):
    """Conversion of uint8 images to float32 with mean 0 and standard deviation 1 in each channel.

    Args:
        mean: Mean of each channel of the data set, with 1 for white.
        std: Standard deviation of each channel of the data set, in the same unit.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, float, float], std: tuple[float, float, float]) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Normalize uint8 images [B, 3, H, W] to float32."""
        return (images.float() - self.mean) / self.std


def compute_cropped_size(side_px: int, fraction: float) -> int:
    """Return the side in pixels after a center crop that keeps ``fraction`` of it."""
    return round(side_px * fraction)


def center_crop(images: Tensor, fraction: float) -> Tensor:
    """Return the middle of images [..., H, W], ``fraction`` of each side, as a view without a copy."""
    height, width = images.shape[-2:]
    kept_height, kept_width = compute_cropped_size(height, fraction), compute_cropped_size(width, fraction)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return images[..., top : top + kept_height, left : left + kept_width]
