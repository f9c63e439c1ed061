"""ResNet-18 and ResNet-50 without their classifiers, in torchvision's layout and names.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (CVPR 2016). Weights saved by
torchvision load as they are, once ``fc`` is removed.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from turntable.models.backbones.backbone import Backbone, init_kaiming_fan_out

WIDTHS = (64, 128, 256, 512)
"""Widths of the four stages."""


class ResidualBlock(nn.Module):
    """A block of a stage: a residual branch and a shortcut, added up."""

    expansion: ClassVar[int]
    """Number of output channels, as a multiple of the width of the stage."""

    @property
    @abstractmethod
    def last_norm(self) -> nn.BatchNorm2d:
        """Last batch norm of the branch, whose scale sets the contribution of the branch."""


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions and a shortcut; a 1x1 projection where the shape changes (figure 5, left)."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = build_shortcut(channels_in, width, stride)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """Batch norm after the second convolution."""
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps [B, channels_in, H, W] to [B, expansion * width, H / stride, W / stride]."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.downsample(x), inplace=True)


class Bottleneck(ResidualBlock):
    """1x1, 3x3 and 1x1 convolutions, the stride in the middle one, and a shortcut (figure 5, right)."""

    expansion = 4

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = build_shortcut(channels_in, 4 * width, stride)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """Batch norm after the third convolution."""
        return self.bn3

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps [B, channels_in, H, W] to [B, expansion * width, H / stride, W / stride]."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
        y = self.bn3(self.conv3(y))
        return functional.relu(y + self.downsample(x), inplace=True)


class ResNet(Backbone):
    """A stem, four stages of residual blocks, and the mean over all positions."""

    min_size_px = 32

    def __init__(self, block: type[BasicBlock | Bottleneck], blocks_per_stage: Sequence[int]) -> None:
        """Build the network with fresh weights; every block starts as the identity (Goyal et al. 2017, 5.1).

        Args:
            block: Class of the blocks.
            blocks_per_stage: Number of blocks of each stage.
        """
        super().__init__()
        self.dim = WIDTHS[-1] * block.expansion
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        before = (64, *(width * block.expansion for width in WIDTHS))
        stages = [
            _build_stage(block, channels_in, width, count, stride=1 if number == 0 else 2)
            for number, (channels_in, width, count) in enumerate(
                zip(before, WIDTHS, blocks_per_stage, strict=False)
            )
        ]
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        init_kaiming_fan_out(self)
        zero_init_residual_blocks(self)

    def compute_maps(self, x: Tensor) -> Tensor:
        """Compute maps [B, dim, H / 32, W / 32] of images [B, 3, H, W]."""
        x = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class ResNet18(ResNet):
    """ResNet-18: 11,176,512 parameters, representations of width 512."""

    def __init__(self) -> None:
        super().__init__(BasicBlock, (2, 2, 2, 2))


class ResNet50(ResNet):
    """ResNet-50: 23,508,032 parameters, representations of width 2,048."""

    def __init__(self) -> None:
        super().__init__(Bottleneck, (3, 4, 6, 3))


def build_shortcut(
    channels_in: int, channels: int, stride: int, *, always_project: bool = False
) -> nn.Module:
    """Build the shortcut of a block: the identity, or a 1x1 projection where the shape changes.

    Args:
        channels_in: Number of input channels.
        channels: Number of output channels.
        stride: Stride of the block.
        always_project: True for a projection even where the shape stays the same.
    """
    if stride == 1 and channels_in == channels and not always_project:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))


def zero_init_residual_blocks(network: nn.Module) -> None:
    """Set the scale of each block's last batch norm to 0, so that every block starts as the identity."""
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            nn.init.zeros_(module.last_norm.weight)


def _build_stage(
    block: type[BasicBlock | Bottleneck], channels_in: int, width: int, num_blocks: int, stride: int
) -> nn.Sequential:
    further = [block(width * block.expansion, width, stride=1) for _ in range(num_blocks - 1)]
    return nn.Sequential(block(channels_in, width, stride), *further)
