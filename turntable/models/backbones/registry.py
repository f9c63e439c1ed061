"""The table of backbones by name."""

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
"""Constructors of all backbones, by name; each takes the side of the images in pixels."""


def build_backbone(name: str, image_size_px: int = 224) -> Backbone:
    """Build a backbone with fresh weights.

    Args:
        name: Name in ``BACKBONES``.
        image_size_px: Side of the images in pixels. Only the weights of a transformer depend on it.

    Raises:
        InvalidInputError: No backbone has that name, or it does not accept images of that size.
    """
    check_choice("backbone", name, BACKBONES)
    backbone = BACKBONES[name](image_size_px)
    backbone.check_size(image_size_px)
    return backbone
