"""What a backbone is: images to maps, and maps to one representation vector each."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError


class Backbone(nn.Module, ABC):
    """A network from normalised images [B, 3, H, W] to representations [B, dim]."""

    dim: int
    """The width of the representation."""
    least_size_px: int = 1
    """The side of the smallest images that leave a map."""

    @abstractmethod
    def maps(self, x: Tensor) -> Tensor:
        """Maps [B, C, h, w] of images [B, 3, H, W]: the last that know of places."""

    def pool(self, maps: Tensor) -> Tensor:
        """The representation [B, dim] of maps: their mean over all places."""
        return maps.mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Represent images [B, 3, H, W] as [B, dim]."""
        return self.pool(self.maps(x))

    def check_size(self, size_px: int) -> None:
        """Make sure that square images of a side fit.

        Raises:
            InvalidInputError: They do not.
        """
        if size_px < self.least_size_px:
            raise InvalidInputError(
                f"images of {size_px} px are too small for {type(self).__name__}, which takes"
                f" {self.least_size_px} px or more; --image-size resizes them, or take another --backbone"
            )

    @torch.no_grad()
    def map_shape(self, size_px: int) -> tuple[int, int, int]:
        """C, h and w of the maps of square images of a side.

        Raises:
            InvalidInputError: Such images do not fit.
        """
        self.check_size(size_px)
        was_training = self.training
        weight = next(self.parameters())
        maps = self.eval().maps(weight.new_zeros(1, 3, size_px, size_px))
        self.train(was_training)
        return maps.shape[1], maps.shape[2], maps.shape[3]


def kaiming_fan_out(network: nn.Module) -> None:
    """Start convolutions with variance 2 / fan-out (He et al. 2015), as ResNets do."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
