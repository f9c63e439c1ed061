"""Scenes: camera, object, floor and lights as functions of a label, and how light becomes a pixel."""

from turntable.renderer.scene import lighting, tone
from turntable.renderer.scene.pixel_filter import FILTER_RADIUS_PX, filter_weights, paired_taps
from turntable.renderer.scene.scene import (
    CAMERA,
    FAR,
    FLOOR_Z,
    NEAR,
    OPTIONAL,
    REQUIRED,
    SPOT_POWER_W,
    SPOT_RADIUS,
    SUN_STRENGTH,
    WORLD_RADIANCE,
    Scenes,
    describe_camera,
    scenes_from_labels,
)

__all__ = [
    "CAMERA",
    "FAR",
    "FILTER_RADIUS_PX",
    "FLOOR_Z",
    "NEAR",
    "OPTIONAL",
    "REQUIRED",
    "SPOT_POWER_W",
    "SPOT_RADIUS",
    "SUN_STRENGTH",
    "WORLD_RADIANCE",
    "Scenes",
    "describe_camera",
    "filter_weights",
    "lighting",
    "paired_taps",
    "scenes_from_labels",
    "tone",
]
