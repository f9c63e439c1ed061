"""A small backbone, for small views on a CPU."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import convert_conv2d_weight_memory_format

from turntable.models.backbones.backbone import Backbone, kaiming_fan_out


class SmallNet(Backbone):
    """Five strided convolutions for 64-pixel views on two CPU cores (half a million parameters).

    The last map is brought to 4x4 cells and kept, 32 channels a cell, rather than averaged away: where a
    part of the object stands says how the object is turned, and so small a network has no channels to spare
    for saying it otherwise. The first half of the representation is the first half of the channels.
    """

    dim = 512
    least_size_px = 16

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            _conv_stage(3, width, kernel=5, stride=2),
            _conv_stage(width, 2 * width, kernel=3, stride=2),
            _conv_stage(2 * width, 4 * width, kernel=3, stride=2),
            _conv_stage(4 * width, 8 * width, kernel=3, stride=2),
        )
        self.reduce = nn.Conv2d(8 * width, 32, 1)
        kaiming_fan_out(self)
        convert_conv2d_weight_memory_format(self, torch.channels_last)  # a quarter less time on a CPU

    def maps(self, x: Tensor) -> Tensor:
        """Maps [B, 32, 4, 4] of images [B, 3, H, W]."""
        x = self.reduce(self.stages(x.contiguous(memory_format=torch.channels_last)))
        return functional.adaptive_avg_pool2d(x, 4)

    def pool(self, maps: Tensor) -> Tensor:
        """All of the maps [B, 32, 4, 4], channel by channel, as [B, 512]."""
        return maps.flatten(1)


def _conv_stage(channels_in: int, channels: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )
