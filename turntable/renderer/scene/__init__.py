"""Scenes (camera, object, floor and lights, computed from labels) and the tone curve from light to pixels."""

from turntable.renderer.scene.camera import DEFAULT_CAMERA, FAR, NEAR, Camera, describe_camera
from turntable.renderer.scene.flow import SeenSurface, compute_flow
from turntable.renderer.scene.lighting import (
    GOLDEN_ANGLE,
    POOL_DEPTH,
    POOL_RADIUS,
    build_spot_table,
    build_sun_irradiance_table,
    compute_disk_points,
    compute_perpendicular_axes,
    compute_sphere_directions,
    compute_spot_intensity,
    compute_sun_samples,
    sun_directions_from_disk,
)
from turntable.renderer.scene.metric_world import to_metric_poses, to_world_poses
from turntable.renderer.scene.pixel_filter import (
    FILTER_RADIUS_PX,
    compute_filter_weights,
    compute_paired_taps,
)
from turntable.renderer.scene.scene import (
    FLOOR_Z,
    OPTIONAL_FACTORS,
    REQUIRED_FACTORS,
    SPOT_POWER_W,
    SPOT_RADIUS,
    SUN_STRENGTH,
    WORLD_RADIANCE,
    Scenes,
    direction_from_angles,
    scenes_from_labels,
)
from turntable.renderer.scene.tone import display_from_linear

__all__ = [
    "DEFAULT_CAMERA",
    "FAR",
    "FILTER_RADIUS_PX",
    "FLOOR_Z",
    "GOLDEN_ANGLE",
    "NEAR",
    "OPTIONAL_FACTORS",
    "POOL_DEPTH",
    "POOL_RADIUS",
    "REQUIRED_FACTORS",
    "SPOT_POWER_W",
    "SPOT_RADIUS",
    "SUN_STRENGTH",
    "WORLD_RADIANCE",
    "Camera",
    "Scenes",
    "SeenSurface",
    "build_spot_table",
    "build_sun_irradiance_table",
    "compute_disk_points",
    "compute_filter_weights",
    "compute_flow",
    "compute_paired_taps",
    "compute_perpendicular_axes",
    "compute_sphere_directions",
    "compute_spot_intensity",
    "compute_sun_samples",
    "describe_camera",
    "direction_from_angles",
    "display_from_linear",
    "scenes_from_labels",
    "sun_directions_from_disk",
    "to_metric_poses",
    "to_world_poses",
]
