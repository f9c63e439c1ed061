"""A backbone of some hundred parameters, so that a whole run is a few kilobytes.

Runs name it "tiny". It is registered for tests and fixtures alone: ``with tiny_backbone():``.
"""

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from turntable.models import BACKBONES, Backbone

NAME = "tiny"


class TinyNet(Backbone):
    """Two strided convolutions; the last map, 4 channels of 2 x 2 cells, is the representation."""

    dim = 16
    min_size_px = 16

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 5, stride=4, padding=2, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, stride=2, padding=1)

    def compute_maps(self, x: Tensor) -> Tensor:
        """Maps [B, 4, 2, 2] of images [B, 3, H, W]."""
        x = self.second(torch.relu(self.norm(self.first(x))))
        return functional.adaptive_avg_pool2d(x, 2)

    def pool(self, maps: Tensor) -> Tensor:
        """All of the maps [B, 4, 2, 2] as [B, 16]."""
        return maps.flatten(1)


@contextmanager
def tiny_backbone() -> Generator[None, None, None]:
    """Let configurations name "tiny" for the time of a block."""
    before = BACKBONES.get(NAME)
    BACKBONES[NAME] = lambda _: TinyNet()
    try:
        yield
    finally:
        del BACKBONES[NAME]
        if before is not None:
            BACKBONES[NAME] = before
