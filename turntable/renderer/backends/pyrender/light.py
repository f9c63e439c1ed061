"""The scene's light in pyrender's terms: lamps without size, and a gloss on everything.

pyrender reflects the share ``LAMBERT`` of light diffusely and adds the gloss of a dielectric (F0 = 0.04) to
every surface; its pictures hold light up to 1. All light is scaled for that: the more, the stronger a view's
lamps are.
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
    axes_across,
    display_from_linear,
    sun_irradiance_table,
)

HEADROOM = 2.0
"""Scene-linear light that pyrender's white stands for, where no lamp is stronger than the original's."""
GAMMA = 2.2
"""Of pyrender's pictures."""
LAMBERT = 0.96**2
"""Of the light that falls on a surface of albedo 1: what metallic 0 and Fresnel's term leave."""
FLOOR_GLOSS = 0.0127
"""The albedo that looks like pyrender's gloss on the floor; the floor's own is so much less."""
SPOT_INNER_RAD, SPOT_OUTER_RAD = 0.1489, 0.2504
"""glTF's cone nearest to the soft pool on the floor (2.6 % rms of its peak)."""
SUN_LAMPS = 3
SUN_UP = float(sun_irradiance_table(3)[-1])
"""Irradiance from the sun of what faces up, at the original's strength."""
SHADOW_DEPTHS = (0.15, 150.0)
"""Of the spot's shadow map."""


@dataclass(frozen=True, slots=True)
class Strengths:
    """How strong the lamps of one view are, in pyrender's terms."""

    headroom: float
    """Scene-linear light that white stands for."""
    spot: float
    """Intensity."""
    sun: float
    """Intensity of all the sun's lamps together."""
    bounce: float
    """Intensity of what the unlit floor, were it white, throws back."""
    world: float
    """Ambient light."""

    @classmethod
    def of(cls, scenes: Scenes, view: int) -> "Strengths":
        """Those of a view."""
        spot, sun = float(scenes.spot_gain[view]), float(scenes.sun_gain[view])
        headroom = HEADROOM * max(1.0, spot, sun)
        lamps = 1 / (LAMBERT * headroom)
        return cls(
            headroom,
            spot=spot * SPOT_POWER_W / (4 * math.pi) * lamps,
            sun=sun * SUN_STRENGTH * lamps,
            bounce=(sun * SUN_UP + math.pi * WORLD_RADIANCE) * lamps,
            world=WORLD_RADIANCE / headroom,
        )


def lamp(pyrender: Any) -> Any:
    """Parallel white light."""
    return pyrender.DirectionalLight(color=np.ones(3))


def spot(pyrender: Any) -> Any:
    """The spot, as a point with a cone."""

    class Spot(pyrender.SpotLight):
        """Its shadow map spans what matters here, however far the floor reaches."""

        def _get_shadow_camera(self, scene_scale: float) -> Any:  # noqa: ARG002
            near, far = SHADOW_DEPTHS
            return pyrender.PerspectiveCamera(
                yfov=2 * self.outerConeAngle + math.pi / 16, znear=near, zfar=far, aspectRatio=1.0
            )

    return Spot(color=np.ones(3), innerConeAngle=SPOT_INNER_RAD, outerConeAngle=SPOT_OUTER_RAD)


def sun_directions() -> NDArray[np.float64]:
    """[lamps, 3] towards lamps around the zenith that together light any unshadowed surface like the sun.

    Each has its share of the strength; their tilt gives what faces up its irradiance.
    """
    tilt = math.acos(SUN_UP / SUN_STRENGTH)
    around = 2 * math.pi * np.arange(SUN_LAMPS) / SUN_LAMPS
    ring = [
        math.sin(tilt) * np.cos(around),
        math.sin(tilt) * np.sin(around),
        np.full(SUN_LAMPS, math.cos(tilt)),
    ]
    return np.stack(ring, axis=-1)


def facing(towards: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pose [4, 4] of a lamp at ``place`` that shines from the direction ``towards``."""
    axis = towards / np.linalg.norm(towards)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1] = axes_across(axis)
    pose[:3, 2], pose[:3, 3] = axis, place
    return pose


def background(strengths: Strengths) -> float:
    """What pyrender's picture holds where nothing is seen but the world."""
    return strengths.world ** (1 / GAMMA)


@lru_cache(maxsize=64)
def display_table(headroom: float) -> NDArray[np.uint8]:
    """[256] what our tone curve makes of pyrender's 8-bit pictures of light over the headroom."""
    linear = headroom * (np.arange(256) / 255) ** GAMMA
    return np.rint(255 * display_from_linear(linear)).astype(np.uint8)
