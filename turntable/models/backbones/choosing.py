"""Backbones by their names."""

from collections.abc import Callable

from turntable.choices import check_choice
from turntable.models.backbones.backbone import Backbone
from turntable.models.backbones.resnet import ResNet18, ResNet50
from turntable.models.backbones.sie_resnet import SIEResNet18
from turntable.models.backbones.small import SmallNet
from turntable.models.backbones.vit import ViTTiny

BACKBONES: dict[str, Callable[[int], Backbone]] = {
    "resnet18": lambda _: ResNet18(),
    "resnet50": lambda _: ResNet50(),
    "sie-resnet18": lambda _: SIEResNet18(),
    "small": lambda _: SmallNet(),
    "vit-tiny": ViTTiny,
}
"""What a configuration may name; each is made for images of a size."""


def build_backbone(name: str, image_size_px: int = 224) -> Backbone:
    """Make a backbone by its name, with fresh weights.

    Args:
        name: One of ``BACKBONES``.
        image_size_px: The side of the images that it will see; only a transformer's weights depend on it.

    Raises:
        InvalidInputError: No backbone has that name, or images of that size do not fit it.
    """
    check_choice("backbone", name, BACKBONES)
    backbone = BACKBONES[name](image_size_px)
    backbone.check_size(image_size_px)
    return backbone
