"""The ResNet-18 of SIE and EquiCaps, which differs from torchvision's in padding and shortcuts.

The stem pads 2 pixels left and above but 3 right and below. The pooling and the strided convolutions pad only
right and below. A block has its stride in the second convolution, and every stage begins with a projection.
There are 11,180,736 parameters. Padding on one side slightly breaks the symmetry under shifts and flips.
"""

from torch import Tensor, nn
from torch.nn import functional

from turntable.errors import InvalidInputError
from turntable.models.backbones.backbone import Backbone, init_kaiming_fan_out
from turntable.models.backbones.resnet import WIDTHS, ResidualBlock, build_shortcut, zero_init_residual_blocks

_PADDING_VALUE = -1e4
"""Padding of the max pooling, lower than every value of a map, so that it is never the maximum."""


class SIEBlock(ResidualBlock):
    """Two 3x3 convolutions, with the stride in the second, and a shortcut: a projection or the identity."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int, *, always_project: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=0 if stride == 2 else 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride = stride
        self.downsample = build_shortcut(channels_in, width, stride, always_project=always_project)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """Batch norm after the second convolution."""
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps [B, channels_in, H, W] to [B, width, H / stride, W / stride]."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        if self.stride == 2:
            y = functional.pad(y, (0, 1, 0, 1))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.downsample(x), inplace=True)


class SIEResNet18(Backbone):
    """ResNet-18 as in SIE's code; representations of width 512."""

    dim = 512

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _build_stage(64, WIDTHS[0], stride=1)
        self.layer2 = _build_stage(WIDTHS[0], WIDTHS[1], stride=2)
        self.layer3 = _build_stage(WIDTHS[1], WIDTHS[2], stride=2)
        self.layer4 = _build_stage(WIDTHS[2], WIDTHS[3], stride=2)
        init_kaiming_fan_out(self)
        zero_init_residual_blocks(self)

    def check_size(self, size_px: int) -> None:
        """Check that the side of images can be halved five times.

        For an odd side, the branch and the shortcut of a block have different shapes.

        Raises:
            InvalidInputError: It cannot.
        """
        if size_px < 32 or size_px % 32:
            raise InvalidInputError(
                f"images of {size_px} px do not fit SIE's ResNet-18, which takes multiples of 32 px;"
                " resize them with --image-size, or use --backbone resnet18"
            )

    def compute_maps(self, x: Tensor) -> Tensor:
        """Compute maps [B, 512, H / 32, W / 32] of images [B, 3, H, W]."""
        x = self.conv1(functional.pad(x, (2, 3, 2, 3)))
        x = functional.relu(self.bn1(x), inplace=True)
        x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=_PADDING_VALUE), 3, stride=2)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def _build_stage(channels_in: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        SIEBlock(channels_in, width, stride, always_project=True),
        SIEBlock(width, width, 1, always_project=False),
    )
