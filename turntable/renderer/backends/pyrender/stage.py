"""What stands around every object: pyrender's scene with its camera, floor and lamps."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.pyrender import light
from turntable.renderer.scene import CAMERA, FLOOR_Z, NEAR, Scenes

FLOOR_REACH = (6.0, 60.0, 600.0, 6000.0, 30000.0)
"""The floor is squares in squares: a far corner would cost the near ones' precision."""
FLOOR_FAR = 1e5
"""Deeper than any of its corners."""
OPENGL_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""From OpenCV's camera axes (y down, z forward)."""


class Stage:
    """One scene for all views of all meshes; objects come and go below the node ``turning``."""

    def __init__(self, pyrender: Any) -> None:
        self.scene = pyrender.Scene()
        self.turning = pyrender.Node()
        self.scene.add_node(self.turning)
        self._camera = self.scene.add(
            pyrender.PerspectiveCamera(CAMERA.field_of_view_rad, NEAR, FLOOR_FAR, aspectRatio=1.0)
        )
        # Placed by its pose: pyrender draws what is far first, and the order must not be left to chance.
        self.floor = self.scene.add(pyrender.Mesh([_floor(pyrender)]), pose=_shift(FLOOR_Z))
        origin = np.zeros(3)
        self._sun = [light.lamp(pyrender) for _ in range(light.SUN_LAMPS)]
        for lamp, towards in zip(self._sun, light.sun_directions(), strict=True):
            self.scene.add(lamp, pose=light.facing(towards, origin))
        self._bounce = light.lamp(pyrender)
        self.scene.add(self._bounce, pose=light.facing(np.array([0.0, 0.0, -1.0]), origin))
        self._spot = self.scene.add(light.spot(pyrender))

    def show(self, scenes: Scenes, view: int, strengths: light.Strengths) -> None:
        """Take the camera, pose, colours and light of a view."""
        self.scene.set_pose(self._camera, np.linalg.inv(scenes.world_to_camera[view]) @ OPENGL_AXES)
        self.scene.ambient_light = np.full(3, strengths.world)
        self.scene.bg_color = np.append(np.full(3, light.background(strengths)), 1.0)
        for lamp in self._sun:
            lamp.intensity = strengths.sun / light.SUN_LAMPS
        self._bounce.intensity, self._spot.light.intensity = strengths.bounce, strengths.spot
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
    square = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    corners = np.concatenate([reach * square for reach in FLOOR_REACH])
    return pyrender.Primitive(
        positions=corners,
        normals=np.broadcast_to([0.0, 0.0, 1.0], corners.shape),
        indices=np.array([(0, 1, 2), (0, 2, 3), *_rings(len(FLOOR_REACH))]),
        material=pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=1.0),
    )


def _rings(squares: int) -> Iterator[tuple[int, int, int]]:
    """Triangles between each square and the next larger one, their corners numbered four by four."""
    for first in range(0, 4 * (squares - 1), 4):
        for k in range(4):
            here, there = first + k, first + (k + 1) % 4
            yield from ((here, here + 4, there + 4), (here, there + 4, there))
