"""Backbones: networks from images to one representation vector each."""

from turntable.models.backbones.backbone import Backbone
from turntable.models.backbones.registry import BACKBONES, build_backbone
from turntable.models.backbones.resnet import ResNet18, ResNet50
from turntable.models.backbones.sie_resnet import SIEResNet18
from turntable.models.backbones.small import SmallNet
from turntable.models.backbones.vit import ViTTiny

__all__ = [
    "BACKBONES",
    "Backbone",
    "ResNet18",
    "ResNet50",
    "SIEResNet18",
    "SmallNet",
    "ViTTiny",
    "build_backbone",
]
