"""The base class of backbones: from images to feature maps, and from maps to one vector per image."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError


class Backbone(nn.Module, ABC):
    """A network from normalized images [B, 3, H, W] to representations [B, dim]."""

    dim: int
    """Width of the representation."""
    min_size_px: int = 1
    """Side in pixels of the smallest images that the network accepts."""

    @abstractmethod
    def compute_maps(self, x: Tensor) -> Tensor:
        """Compute the last feature maps [B, C, h, w] of images [B, 3, H, W], before pooling."""

    def pool(self, maps: Tensor) -> Tensor:
        """Compute the representation [B, dim] of maps [B, C, h, w]: their mean over all positions."""
        return maps.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Compute the representations [B, dim] of images [B, 3, H, W]."""
        return self.pool(self.compute_maps(x))

    def check_size(self, size_px: int) -> None:
        """Check that the network accepts square images of a size.

        Raises:
            InvalidInputError: It does not.
        """
        if size_px < self.min_size_px:
            raise InvalidInputError(
                f"images of {size_px} px are too small for {type(self).__name__}, which takes"
                f" {self.min_size_px} px or more; resize them with --image-size, or use another --backbone"
            )

    @torch.no_grad()
    def compute_map_shape(self, size_px: int) -> tuple[int, int, int]:
        """Compute the shape (C, h, w) of the maps of square images of a size.

        Raises:
            InvalidInputError: The network does not accept images of that size.
        """
        self.check_size(size_px)
        was_training = self.training
        weight = next(self.parameters())
        # In eval mode, so that the image of zeros changes no running statistics of batch norm.
        maps = self.eval().compute_maps(weight.new_zeros(1, 3, size_px, size_px))
        self.train(was_training)
        return maps.shape[1], maps.shape[2], maps.shape[3]


def init_kaiming_fan_out(network: nn.Module) -> None:
    """Initialize convolutions with variance 2 / fan-out (He et al. 2015), as ResNets do."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
