"""The ResNet-18 of SIE and EquiCaps, which differs from torchvision's in padding and shortcuts.

The stem pads 2 pixels left and above but 3 right and below, the pooling and the strided convolutions pad
right and below alone, the stride is that of a block's second convolution, and every stage begins with a
projection: 11,180,736 parameters. Padding on one side breaks the symmetry under shifts and flips a little.
"""

from torch import Tensor, nn
from torch.nn import functional

from turntable.errors import InvalidInputError
from turntable.models.backbones.backbone import Backbone, kaiming_fan_out
from turntable.models.backbones.resnet import WIDTHS, Block, shortcut, zero_last_scales

_BELOW_ALL = -1e4
"""What the pooling pads with: less than any map has."""


class SIEBlock(Block):
    """Two 3x3 convolutions, the stride in the second, beside a projection or the maps as they are."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int, *, projects: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=0 if stride == 2 else 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride = stride
        self.downsample = shortcut(channels_in, width, stride, always=projects)

    @property
    def last_norm(self) -> nn.BatchNorm2d:
        """The second."""
        return self.bn2

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps [B, channels_in, H, W]."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        if self.stride == 2:
            y = functional.pad(y, (0, 1, 0, 1))
        y = self.bn2(self.conv2(y))
        return functional.relu(y + self.downsample(x), inplace=True)


class SIEResNet18(Backbone):
    """ResNet-18 as SIE's code has it; 512 numbers an image."""

    dim = 512

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, WIDTHS[0], stride=1)
        self.layer2 = _stage(WIDTHS[0], WIDTHS[1], stride=2)
        self.layer3 = _stage(WIDTHS[1], WIDTHS[2], stride=2)
        self.layer4 = _stage(WIDTHS[2], WIDTHS[3], stride=2)
        kaiming_fan_out(self)
        zero_last_scales(self)

    def check_size(self, size_px: int) -> None:
        """Make sure that images can be halved five times: branch and shortcut differ in odd ones.

        Raises:
            InvalidInputError: They cannot.
        """
        if size_px < 32 or size_px % 32:
            raise InvalidInputError(
                f"images of {size_px} px do not fit SIE's ResNet-18, which takes multiples of 32 px;"
                " --image-size resizes them, or take --backbone resnet18"
            )

    def maps(self, x: Tensor) -> Tensor:
        """Maps [B, 512, H / 32, W / 32] of images [B, 3, H, W]."""
        x = self.conv1(functional.pad(x, (2, 3, 2, 3)))
        x = functional.relu(self.bn1(x), inplace=True)
        x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=_BELOW_ALL), 3, stride=2)
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


def _stage(channels_in: int, width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        SIEBlock(channels_in, width, stride, projects=True), SIEBlock(width, width, 1, projects=False)
    )
