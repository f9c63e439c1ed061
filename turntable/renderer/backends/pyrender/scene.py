"""The pyrender scene that surrounds every object: camera, floor and lights."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.pyrender import light
from turntable.renderer.scene import DEFAULT_CAMERA, FLOOR_Z, NEAR, Scenes

FLOOR_REACH = (6.0, 60.0, 600.0, 6000.0, 30000.0)
"""Half widths of the nested squares that the floor is made of.

Triangles from the object to the floor's far corners would leave no precision near the object.
"""
FLOOR_FAR = 1e5
"""Depth of the camera's far plane, behind all corners of the floor."""
OPENGL_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""Change of camera axes from OpenCV's (y down, z forward) to OpenGL's."""


class PyrenderScene:
    """The scene of all views of all meshes. Objects are added below the node ``object_node``, and removed."""

    def __init__(self, pyrender: Any) -> None:
        self.scene = pyrender.Scene()
        self.object_node = pyrender.Node()
        self.scene.add_node(self.object_node)
        self._camera = self.scene.add(_make_camera(pyrender))
        # The floor is placed by its pose, not by its vertices: pyrender sorts nodes by the distance of their
        # poses, and with an equal distance the order of floor and object would be left to chance.
        self.floor = self.scene.add(pyrender.Mesh([_build_floor(pyrender)]), pose=_make_translation(FLOOR_Z))
        origin = np.zeros(3)
        self._sun = [light.make_directional_light(pyrender) for _ in range(light.NUM_SUN_LIGHTS)]
        for sun_light, towards in zip(self._sun, light.compute_sun_light_directions(), strict=True):
            self.scene.add(sun_light, pose=light.compute_light_pose(towards, origin))
        self._bounce = light.make_directional_light(pyrender)
        self.scene.add(self._bounce, pose=light.compute_light_pose(np.array([0.0, 0.0, -1.0]), origin))
        self._spot = self.scene.add(light.make_spot_light(pyrender))

    def set_view(self, scenes: Scenes, view: int, strengths: light.LightStrengths) -> None:
        """Set the camera, the object's pose, the colors and the lights to those of a view."""
        self.scene.set_pose(self._camera, np.linalg.inv(scenes.world_to_camera[view]) @ OPENGL_AXES)
        self._camera.camera.principal_shift_px = scenes.principal_shift_px[view]
        self.scene.ambient_light = np.full(3, strengths.world)
        self.scene.bg_color = np.append(np.full(3, light.compute_background(strengths)), 1.0)
        for sun_light in self._sun:
            sun_light.intensity = strengths.sun / light.NUM_SUN_LIGHTS
        self._bounce.intensity, self._spot.light.intensity = strengths.bounce, strengths.spot
        albedo, position = scenes.floor_albedo[view], scenes.light_position[view]
        self.scene.set_pose(self.object_node, scenes.object_to_world[view])
        self.scene.set_pose(self._spot, light.compute_light_pose(position, position))
        self._spot.light.color = scenes.light_color[view]
        # The light that the floor reflects to the object comes from below and has the floor's color.
        self._bounce.color = albedo
        material = self.floor.mesh.primitives[0].material
        material.baseColorFactor = np.append(albedo - light.FLOOR_GLOSS, 1.0)


def _make_camera(pyrender: Any) -> Any:
    """Make a camera with our lens, whose principal point can be shifted."""

    class ShiftedCamera(pyrender.PerspectiveCamera):
        """A perspective camera with its principal point beside the middle of the picture."""

        principal_shift_px: NDArray[np.float64] = np.zeros(2)
        """Shift [2] to the right and down, in pixels."""

        def get_projection_matrix(self, width: int, height: int) -> Any:
            projection = super().get_projection_matrix(width, height)
            # OpenGL's y points up, and its z backward: the shift is multiplied by -z.
            projection[:2, 2] += np.array([-2.0, 2.0]) * self.principal_shift_px / (width, height)
            return projection

    return ShiftedCamera(DEFAULT_CAMERA.field_of_view_rad, NEAR, FLOOR_FAR, aspectRatio=1.0)


def _make_translation(z: float) -> NDArray[np.float64]:
    pose = np.eye(4)
    pose[2, 3] = z
    return pose


def _build_floor(pyrender: Any) -> Any:
    square = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    corners = np.concatenate([reach * square for reach in FLOOR_REACH])
    return pyrender.Primitive(
        positions=corners,
        normals=np.broadcast_to([0.0, 0.0, 1.0], corners.shape),
        indices=np.array([(0, 1, 2), (0, 2, 3), *_iter_ring_triangles(len(FLOOR_REACH))]),
        material=pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=1.0),
    )


def _iter_ring_triangles(num_squares: int) -> Iterator[tuple[int, int, int]]:
    """Yield triangles between each square and the next larger one; corners are numbered four per square."""
    for first in range(0, 4 * (num_squares - 1), 4):
        for k in range(4):
            corner, next_corner = first + k, first + (k + 1) % 4
            yield from ((corner, corner + 4, next_corner + 4), (corner, next_corner + 4, next_corner))
