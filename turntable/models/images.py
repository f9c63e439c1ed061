"""Images as a backbone sees them: their middle, with the colors of the data set normalized."""

import torch
from torch import Tensor, nn


class Normalize(nn.Module):
    """uint8 [B, 3, H, W] to float32 with mean 0 and standard deviation 1 in each channel of the data set."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, float, float], std: tuple[float, float, float]) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(mean, dtype=torch.float32).view(1, 3, 1, 1))
        self.register_buffer("std", 255 * torch.tensor(std, dtype=torch.float32).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Normalize images."""
        return (images.float() - self.mean) / self.std


def cropped_size(side_px: int, share: float) -> int:
    """How many pixels of a side are left."""
    return round(side_px * share)


def center_crop(images: Tensor, share: float) -> Tensor:
    """The middle of images [..., H, W], ``share`` of each side; a view, not a copy."""
    height, width = images.shape[-2:]
    kept_height, kept_width = cropped_size(height, share), cropped_size(width, share)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return images[..., top : top + kept_height, left : left + kept_width]
