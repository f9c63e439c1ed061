"""One view's scene in the frame of its object, where the mesh stands still and the rest is turned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.embree.samples import LightSamples
from turntable.renderer.scene import FLOOR_Z, Scenes, axes_across

FloatArray = NDArray[np.floating]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Places, directions and colours."""

    rotation: Array
    """[3, 3] of the object in the world."""
    place: Array
    """[3] of the object's centre in the world."""
    light_in_world: Array
    """[3]."""
    light_color: FloatArray
    """[3] linear, times the spot's strength over the original's."""
    sun_gain: float
    """The sun's strength over the original's."""
    floor_albedo: FloatArray
    """[3] linear."""
    sun: FloatArray
    """[kinds, K, 3] unit directions."""
    spot: FloatArray
    """[kinds, K, 3] places on the emitter."""
    camera_in_world: Array
    """[3]."""
    camera_axes: Array
    """[3, 3] right, down and forward in the world."""

    @classmethod
    def of(cls, scenes: Scenes, row: int, samples: LightSamples) -> "View":
        """A row of the scenes."""
        matrix, light = scenes.object_to_world[row], scenes.light_position[row]
        rotation, place = matrix[:3, :3], matrix[:3, 3]
        u, v = axes_across(light / np.linalg.norm(light))
        emitter = light + samples.spot @ np.stack([u, v])
        return cls(
            rotation,
            place,
            light,
            (scenes.light_color[row] * scenes.spot_gain[row]).astype(np.float32),
            float(scenes.sun_gain[row]),
            scenes.floor_albedo[row].astype(np.float32),
            (samples.sun @ rotation).astype(np.float32),
            ((emitter - place) @ rotation).astype(np.float32),
            scenes.camera_position[row],
            scenes.world_to_camera[row, :3, :3],
        )

    @property
    def camera(self) -> FloatArray:
        """[3]."""
        return self.points(self.camera_in_world)

    @property
    def light(self) -> FloatArray:
        """[3] the middle of the spot."""
        return self.points(self.light_in_world)

    @property
    def up(self) -> FloatArray:
        """[3] the world's +z."""
        return self.rotation[2].astype(np.float32)

    def points(self, world: NDArray[np.floating]) -> FloatArray:
        """Points [..., 3] of the world, from here."""
        return ((world - self.place) @ self.rotation).astype(np.float32)

    def directions(self, camera: NDArray[np.floating]) -> FloatArray:
        """Directions [..., 3] in the camera's axes, from here."""
        return (camera @ (self.camera_axes @ self.rotation)).astype(np.float32)

    def in_world(self, points: FloatArray) -> Array:
        """Points [..., 3] from here, in the world."""
        return points @ self.rotation.T + self.place

    def reach(self, rays: NDArray[np.floating]) -> FloatArray:
        """[...] how far rays [..., 3] in the camera's axes go before the floor stops them, in lengths."""
        return (self.height / np.maximum(self.downwards(rays), 1e-9)).astype(np.float32)

    def downwards(self, rays: NDArray[np.floating]) -> NDArray[np.floating]:
        """[...] how much nearer to the floor rays [..., 3] in the camera's axes come in their lengths."""
        return -(rays @ self.camera_axes[:, 2].astype(rays.dtype))

    @property
    def height(self) -> float:
        """Of the camera above the floor."""
        return float(self.camera_in_world[2] - FLOOR_Z)
