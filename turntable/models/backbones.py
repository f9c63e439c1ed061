"""Backbones: images to one representation vector each."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import convert_conv2d_weight_memory_format

from turntable.errors import InvalidInputError


class Backbone(nn.Module):
    """A network from normalised images [B, 3, H, W] to representations [B, dim]."""

    dim: int
    """The width of the representation."""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; a 1x1 projection where the shape changes.

    He et al., "Deep Residual Learning for Image Recognition" (2016), figure 5 left.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
            if stride != 1 or channels_in != channels
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps [B, channels_in, H, W]."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.downsample(x), inplace=True)


class ResNet18(Backbone):
    """ResNet-18 without its classifier, in torchvision's layout and names (11,176,512 parameters).

    Weights saved by torchvision load as they are, once ``fc`` is removed.
    """

    dim = 512

    def __init__(self, zero_init_residual: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, 64, stride=1)
        self.layer2 = _stage(64, 128, stride=2)
        self.layer3 = _stage(128, 256, stride=2)
        self.layer4 = _stage(256, 512, stride=2)
        _kaiming_fan_out(self)
        if zero_init_residual:
            _zero_last_gammas(self)

    def forward(self, x: Tensor) -> Tensor:
        """Represent images [B, 3, H, W] as [B, 512]."""
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=(2, 3))


class SmallNet(Backbone):
    """Five strided convolutions for 64-pixel views on two CPU cores (half a million parameters).

    The last map is brought to 4x4 cells and kept, 32 channels a cell, rather than averaged away: where a
    part of the object stands says how the object is turned, and so small a network has no channels to spare
    for saying it otherwise. The first half of the representation is the first half of the channels.
    """

    dim = 512

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            _conv_stage(3, width, kernel=5, stride=2),
            _conv_stage(width, 2 * width, kernel=3, stride=2),
            _conv_stage(2 * width, 4 * width, kernel=3, stride=2),
            _conv_stage(4 * width, 8 * width, kernel=3, stride=2),
        )
        self.reduce = nn.Conv2d(8 * width, 32, 1)
        _kaiming_fan_out(self)
        convert_conv2d_weight_memory_format(self, torch.channels_last)  # a quarter less time on a CPU

    def forward(self, x: Tensor) -> Tensor:
        """Represent images [B, 3, H, W] as [B, 512]."""
        x = self.reduce(self.stages(x.contiguous(memory_format=torch.channels_last)))
        return functional.adaptive_avg_pool2d(x, 4).flatten(1)


BACKBONES: dict[str, Callable[[], Backbone]] = {"resnet18": ResNet18, "small": SmallNet}
"""What a configuration may name."""


def build_backbone(name: str) -> Backbone:
    """Make a backbone by its name, with fresh weights.

    Raises:
        InvalidInputError: No backbone has that name.
    """
    if name not in BACKBONES:
        raise InvalidInputError(f"unknown backbone {name!r}; choose one of: {', '.join(BACKBONES)}")
    return BACKBONES[name]()


def _stage(channels_in: int, channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(BasicBlock(channels_in, channels, stride), BasicBlock(channels, channels, stride=1))


def _conv_stage(channels_in: int, channels: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


def _kaiming_fan_out(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def _zero_last_gammas(network: nn.Module) -> None:
    """Make every residual block the identity at first (Goyal et al. 2017, section 5.1)."""
    for module in network.modules():
        if isinstance(module, BasicBlock):
            nn.init.zeros_(module.bn2.weight)
