"""The scene's light in pyrender's terms: lights without size, and a gloss on every surface.

pyrender reflects the share ``LAMBERT`` of light diffusely, adds the gloss of a dielectric (F0 = 0.04) to
every surface, and clips its pictures at 1. So all light is divided by a headroom, which grows with the
strength of a view's lights.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.scene import (
    SPOT_POWER_W,
    SUN_STRENGTH,
    WORLD_RADIANCE,
    Scenes,
    build_sun_irradiance_table,
    compute_perpendicular_axes,
    display_from_linear,
)

HEADROOM = 2.0
"""Scene-linear light that pyrender's white stands for, if no light is stronger than the original's."""
GAMMA = 2.2
"""Exponent with which pyrender encodes its pictures."""
LAMBERT = 0.96**2
"""Share of light that a surface of albedo 1 reflects diffusely, with metallic 0 and under Fresnel's term."""
FLOOR_GLOSS = 0.0127
"""Albedo that looks like pyrender's gloss on the floor; it is subtracted from the floor's own."""
SPOT_INNER_RAD, SPOT_OUTER_RAD = 0.1489, 0.2504
"""Angles of the glTF cone that is nearest to the soft pool on the floor (2.6 % rms of its peak)."""
NUM_SUN_LIGHTS = 3
"""Number of directional lights that stand for the sun."""
SUN_UP = float(build_sun_irradiance_table(3)[-1])
"""Irradiance from the sun of a surface that faces up, at the original's strength."""
SHADOW_DEPTHS = (0.15, 150.0)
"""Depth range of the spot's shadow map."""


@dataclass(frozen=True, slots=True)
class LightStrengths:
    """The strengths of one view's lights, in pyrender's terms."""

    headroom: float
    """Scene-linear light that white stands for."""
    spot: float
    """Intensity of the spot."""
    sun: float
    """Intensity of all the sun's lights together."""
    bounce: float
    """Intensity of the light that the unlit floor would reflect if it were white."""
    world: float
    """Ambient light."""

    @classmethod
    def from_scenes(cls, scenes: Scenes, view: int) -> "LightStrengths":
        """Return the strengths of a view's lights."""
        spot, sun = float(scenes.spot_gain[view]), float(scenes.sun_gain[view])
        headroom = HEADROOM * max(1.0, spot, sun)
        scale = 1 / (LAMBERT * headroom)
        return cls(
            headroom,
            spot=spot * SPOT_POWER_W / (4 * math.pi) * scale,
            sun=sun * SUN_STRENGTH * scale,
            bounce=(sun * SUN_UP + math.pi * WORLD_RADIANCE) * scale,
            world=WORLD_RADIANCE / headroom,
        )


def make_directional_light(pyrender: Any) -> Any:
    """Make a white directional light."""
    return pyrender.DirectionalLight(color=np.ones(3))


def make_spot_light(pyrender: Any) -> Any:
    """Make the spot, as a point light with a cone."""

    class BoundedSpotLight(pyrender.SpotLight):
        """A spot light whose shadow map has a fixed depth range.

        pyrender would derive the range from the size of the scene; our floor is so large that the map would
        have no precision left at the object.
        """

        def _get_shadow_camera(self, scene_scale: float) -> Any:  # noqa: ARG002
            near, far = SHADOW_DEPTHS
            return pyrender.PerspectiveCamera(
                yfov=2 * self.outerConeAngle + math.pi / 16, znear=near, zfar=far, aspectRatio=1.0
            )

    return BoundedSpotLight(color=np.ones(3), innerConeAngle=SPOT_INNER_RAD, outerConeAngle=SPOT_OUTER_RAD)


def compute_sun_light_directions() -> NDArray[np.float64]:
    """Return directions [NUM_SUN_LIGHTS, 3] towards lights around the zenith that together stand for the sun.

    Each has an equal share of its strength. They are tilted so that a surface that faces up receives the
    sun's irradiance. Together they light any unshadowed surface about like the sun.
    """
    tilt = math.acos(SUN_UP / SUN_STRENGTH)
    around = 2 * math.pi * np.arange(NUM_SUN_LIGHTS) / NUM_SUN_LIGHTS
    ring = [
        math.sin(tilt) * np.cos(around),
        math.sin(tilt) * np.sin(around),
        np.full(NUM_SUN_LIGHTS, math.cos(tilt)),
    ]
    return np.stack(ring, axis=-1)


def compute_light_pose(towards: NDArray[np.float64], position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pose [4, 4] of a light at ``position`` that shines from the direction ``towards``."""
    axis = towards / np.linalg.norm(towards)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1] = compute_perpendicular_axes(axis)
    pose[:3, 2], pose[:3, 3] = axis, position
    return pose


def compute_background(strengths: LightStrengths) -> float:
    """Return pyrender's background value, which is the world's light in its encoding."""
    return strengths.world ** (1 / GAMMA)


@lru_cache(maxsize=64)
def build_display_table(headroom: float) -> NDArray[np.uint8]:
    """Return our display values [256] for pyrender's 8-bit values, whose white is light of ``headroom``."""
    linear = headroom * (np.arange(256) / 255) ** GAMMA
    return np.rint(255 * display_from_linear(linear)).astype(np.uint8)
