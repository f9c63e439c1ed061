"""A small backbone for small images on a CPU."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import convert_conv2d_weight_memory_format

from turntable.models.backbones.backbone import Backbone, init_kaiming_fan_out


class SmallNet(Backbone):
    """Four strided convolutions and a 1x1 convolution, for 64-pixel images on two CPU cores.

    It has about half a million parameters. The last map is pooled to 4x4 cells of 32 channels, and the
    representation is all of these numbers instead of their mean: the position of a part of the object tells
    how the object is rotated, and a network this small has no channels left to encode that in another way.
    The first half of the representation is the first half of the channels.
    """

    dim = 512
    min_size_px = 16

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            _build_conv_stage(3, width, kernel=5, stride=2),
            _build_conv_stage(width, 2 * width, kernel=3, stride=2),
            _build_conv_stage(2 * width, 4 * width, kernel=3, stride=2),
            _build_conv_stage(4 * width, 8 * width, kernel=3, stride=2),
        )
        self.reduce = nn.Conv2d(8 * width, 32, 1)
        init_kaiming_fan_out(self)
        convert_conv2d_weight_memory_format(self, torch.channels_last)  # takes 25% less time on a CPU

    def compute_maps(self, x: Tensor) -> Tensor:
        """Compute maps [B, 32, 4, 4] of images [B, 3, H, W]."""
        x = self.reduce(self.stages(x.contiguous(memory_format=torch.channels_last)))
        return functional.adaptive_avg_pool2d(x, 4)

    def pool(self, maps: Tensor) -> Tensor:
        """Flatten maps [B, 32, 4, 4] to [B, 512], channel by channel."""
        return maps.flatten(1)


def _build_conv_stage(channels_in: int, channels: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )
