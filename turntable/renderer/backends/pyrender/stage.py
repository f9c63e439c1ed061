"""What stands around every object: pyrender's scene with its camera, floor and lamps."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.pyrender import light
from turntable.renderer.scene import CAMERA, FLOOR_Z, WORLD_RADIANCE, Scenes

FLOOR_HALF = 6.0
"""The camera sees no further than 4.1."""
DEPTH_RANGE = (0.1, 100.0)
OPENGL_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""From OpenCV's camera axes (y down, z forward)."""


class Stage:
    """One scene for all views of all meshes; objects come and go below the node ``turning``."""

    def __init__(self, pyrender: Any) -> None:
        self.scene = pyrender.Scene(ambient_light=np.full(3, WORLD_RADIANCE / light.HEADROOM))
        self.turning = pyrender.Node()
        self.scene.add_node(self.turning)
        near, far = DEPTH_RANGE
        camera = pyrender.PerspectiveCamera(CAMERA.field_of_view_rad, near, far, aspectRatio=1.0)
        self.scene.add(camera, pose=np.linalg.inv(CAMERA.world_to_camera) @ OPENGL_AXES)
        # Placed by its pose: pyrender draws what is far first, and the order must not be left to chance.
        self.floor = self.scene.add(pyrender.Mesh([_floor(pyrender)]), pose=_shift(FLOOR_Z))
        origin = np.zeros(3)
        for towards in light.sun_directions():
            lamp = light.lamp(pyrender, light.SUN_STRENGTH / light.SUN_LAMPS)
            self.scene.add(lamp, pose=light.facing(towards, origin))
        self._bounce = light.lamp(pyrender, math.pi * light.UNLIT_FLOOR)
        self.scene.add(self._bounce, pose=light.facing(np.array([0.0, 0.0, -1.0]), origin))
        self._spot = self.scene.add(light.spot(pyrender))

    def show(self, scenes: Scenes, view: int) -> None:
        """Take the pose, colours and light of a view."""
        albedo, place = scenes.floor_albedo[view], scenes.light_position[view]
        self.scene.set_pose(self.turning, scenes.object_to_world[view])
        self.scene.set_pose(self._spot, light.facing(place, place))
        self._spot.light.color = scenes.light_color[view]
        # The floor lights the object from below.
        self._bounce.color = albedo
        material = self.floor.mesh.primitives[0].material
        material.baseColorFactor = np.append(albedo - light.FLOOR_GLOSS, 1.0)


def _shift(z: float) -> NDArray[np.float64]:
    pose = np.eye(4)
    pose[2, 3] = z
    return pose


def _floor(pyrender: Any) -> Any:
    corners = FLOOR_HALF * np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    return pyrender.Primitive(
        positions=corners,
        normals=np.broadcast_to([0.0, 0.0, 1.0], (4, 3)),
        indices=np.array([[0, 1, 2], [0, 2, 3]]),
        material=pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=1.0),
    )
