"""One view's scene in the frame of its object.

The mesh stands still there, so its ray tracing tree is built once for all views; camera and lights are turned
instead.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.light_samples import LightSamples
from turntable.renderer.scene import DEFAULT_CAMERA, FLOOR_Z, Scenes, compute_perpendicular_axes

FloatArray = NDArray[np.floating]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectFrameScene:
    """One view's positions, directions and colors, in the object's frame if not stated otherwise."""

    rotation: Array
    """[3, 3] rotation of the object in the world."""
    position: Array
    """[3] center of the object in the world."""
    light_in_world: Array
    """[3] center of the spot in the world."""
    light_color: FloatArray
    """[3] linear color, times the spot's strength relative to the original's."""
    sun_gain: float
    """Strength of the sun relative to the original's."""
    floor_albedo: FloatArray
    """[3] linear color of the floor."""
    sun_directions: FloatArray
    """[kinds, K, 3] unit directions towards the sun."""
    spot_points: FloatArray
    """[kinds, K, 3] points on the spot's emitter."""
    camera_in_world: Array
    """[3] position of the camera in the world."""
    camera_axes: Array
    """[3, 3] right, down and forward axis of the camera in the world, one per row."""
    principal_shift_px: Array
    """[2] shift of the principal point from the middle of the picture, right and down, in pixels."""
    whole_shift_px: NDArray[np.int64]
    """[2] the same, rounded to whole pixels."""

    @classmethod
    def from_scenes(cls, scenes: Scenes, row: int, samples: LightSamples) -> "ObjectFrameScene":
        """Return the scene of one row."""
        matrix, light = scenes.object_to_world[row], scenes.light_position[row]
        rotation, position = matrix[:3, :3], matrix[:3, 3]
        u, v = compute_perpendicular_axes(light / np.linalg.norm(light))
        emitter = light + samples.spot @ np.stack([u, v])
        return cls(
            rotation,
            position,
            light,
            (scenes.light_color[row] * scenes.spot_gain[row]).astype(np.float32),
            float(scenes.sun_gain[row]),
            scenes.floor_albedo[row].astype(np.float32),
            (samples.sun @ rotation).astype(np.float32),
            ((emitter - position) @ rotation).astype(np.float32),
            scenes.camera_position[row],
            scenes.world_to_camera[row, :3, :3],
            scenes.principal_shift_px[row],
            scenes.whole_shift_px[row],
        )

    @property
    def camera(self) -> FloatArray:
        """[3] position of the camera."""
        return self.world_to_object(self.camera_in_world)

    @property
    def light(self) -> FloatArray:
        """[3] center of the spot."""
        return self.world_to_object(self.light_in_world)

    @property
    def up(self) -> FloatArray:
        """[3] the world's +z."""
        return self.rotation[2].astype(np.float32)

    def compute_directions(self, pixels: NDArray[np.floating], image_px: int) -> Array:
        """Return directions [..., 3] of depth 1 in the camera's axes, through pixel coordinates [..., 2]."""
        return DEFAULT_CAMERA.compute_directions(pixels - self.principal_shift_px, image_px)

    def world_to_object(self, world: NDArray[np.floating]) -> FloatArray:
        """Convert points [..., 3] of the world to the object's frame."""
        return ((world - self.position) @ self.rotation).astype(np.float32)

    def camera_to_object(self, camera: NDArray[np.floating]) -> FloatArray:
        """Convert directions [..., 3] in the camera's axes to the object's frame."""
        return (camera @ (self.camera_axes @ self.rotation)).astype(np.float32)

    def object_to_world(self, points: FloatArray) -> Array:
        """Convert points [..., 3] of the object's frame to the world."""
        return points @ self.rotation.T + self.position

    def compute_reach(self, rays: NDArray[np.floating]) -> FloatArray:
        """Return the distance [...] to the floor along rays [..., 3] in the camera's axes, in ray lengths."""
        return (self.height / np.maximum(self.compute_descent(rays), 1e-9)).astype(np.float32)

    def compute_descent(self, rays: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the loss of height [...] over the length of rays [..., 3] in the camera's axes."""
        return -(rays @ self.camera_axes[:, 2].astype(rays.dtype))

    @property
    def height(self) -> float:
        """Height of the camera above the floor."""
        return float(self.camera_in_world[2] - FLOOR_Z)
