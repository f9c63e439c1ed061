"""pyrender as its users write it: one spot with its shadow map and an ambient term, no sun.

Quicker than turntable's own backend on pyrender, which lights like the sun and draws every face from both of
its sides. The scene is built once an object; a view moves the object and the spot.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.backends.pyrender.context import import_pyrender
from turntable.renderer.meshes import Material, Mesh, compute_bounds
from turntable.renderer.scene import DEFAULT_CAMERA, FLOOR_Z, SPOT_POWER_W, Scenes
from turntable.renderer.scene.scene import SPOT_HALF_ANGLE_RAD

OPENGL_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
AMBIENT = 0.45
"""The unlit floor's radiance over its albedo: what the sun would give, without its shadow."""


class PlainPyrender:
    """An off-screen renderer of one size."""

    def __init__(self, image_size_px: int) -> None:
        self._pyrender: Any = import_pyrender()
        self._renderer = self._pyrender.OffscreenRenderer(image_size_px, image_size_px)

    def render(self, mesh: Mesh, scenes: Scenes) -> NDArray[np.uint8]:
        """Draw one view [V, S, S, 3] a scene, in pyrender's own display values."""
        pyrender = self._pyrender
        scene = pyrender.Scene(ambient_light=np.full(3, AMBIENT))
        camera = pyrender.PerspectiveCamera(DEFAULT_CAMERA.field_of_view_rad, 0.1, 100.0, aspectRatio=1.0)
        scene.add(camera, pose=np.linalg.inv(DEFAULT_CAMERA.world_to_camera) @ OPENGL_AXES)
        floor = scene.add(self._floor())
        thing = scene.add(self._object(mesh))
        lamp = pyrender.SpotLight(
            intensity=SPOT_POWER_W / (4 * math.pi), innerConeAngle=0.15, outerConeAngle=SPOT_HALF_ANGLE_RAD
        )
        spot = scene.add(lamp)
        pictures: list[NDArray[np.uint8]] = []
        for view in range(len(scenes)):
            scene.set_pose(thing, scenes.object_to_world[view])
            scene.set_pose(spot, _towards_origin(scenes.light_position[view]))
            lamp.color = scenes.light_color[view]
            floor.mesh.primitives[0].material.baseColorFactor = np.append(scenes.floor_albedo[view], 1.0)
            color, _ = self._renderer.render(scene, pyrender.RenderFlags.SHADOWS_SPOT)
            pictures.append(color)
        return np.stack(pictures)

    def _floor(self) -> Any:
        corners = np.array([[-6.0, -6, FLOOR_Z], [6, -6, FLOOR_Z], [6, 6, FLOOR_Z], [-6, 6, FLOOR_Z]])
        primitive = self._pyrender.Primitive(
            positions=corners,
            normals=np.broadcast_to([0.0, 0.0, 1.0], (4, 3)),
            indices=np.array([[0, 1, 2], [0, 2, 3]]),
            material=self._pyrender.MetallicRoughnessMaterial(metallicFactor=0.0, roughnessFactor=1.0),
        )
        return self._pyrender.Mesh([primitive])

    def _object(self, mesh: Mesh) -> Any:
        low, high = compute_bounds(mesh)
        centred = mesh.positions - (low + high) / 2
        parts: list[Any] = []
        for number in np.unique(mesh.material_index):
            used, indices = np.unique(mesh.triangles[mesh.material_index == number], return_inverse=True)
            parts.append(
                self._pyrender.Primitive(
                    positions=centred[used],
                    normals=mesh.normals[used],
                    texcoord_0=mesh.texcoords[used],
                    indices=indices.reshape(-1, 3),
                    material=self._material(mesh.materials[number]),
                )
            )
        return self._pyrender.Mesh(parts)

    def _material(self, material: Material) -> Any:
        texture = material.texture
        color = material.base_color if texture is None else (1.0, 1.0, 1.0)
        return self._pyrender.MetallicRoughnessMaterial(
            baseColorFactor=np.array([*color, material.alpha]),
            baseColorTexture=None if texture is None else texture.pixels,
            metallicFactor=0.0,
            roughnessFactor=material.roughness,
            alphaMode="OPAQUE" if material.alpha == 1 else "BLEND",
            doubleSided=True,
        )


def _towards_origin(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pose [4, 4] of a lamp at ``place`` that shines along its own -z."""
    back = place / np.linalg.norm(place)
    right = np.cross([0.0, 1.0, 0.0], back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    pose[:3, 3] = place
    return pose
