"""The scene's light in pyrender's terms: lamps without size, and a gloss on everything.

pyrender reflects the share ``LAMBERT`` of light diffusely and adds the gloss of a dielectric (F0 = 0.04) to
every surface; its pictures hold light up to 1. All lamps are scaled for that.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer import lighting, tone
from turntable.renderer.scene import SPOT_POWER_W, SUN_STRENGTH, WORLD_RADIANCE

HEADROOM = 2.0
"""Scene-linear light that pyrender's white stands for."""
LAMBERT = 0.96**2
"""Of the light that falls on a surface of albedo 1: what metallic 0 and Fresnel's term leave."""
FLOOR_GLOSS = 0.0127
"""The albedo that looks like pyrender's gloss on the floor; the floor's own is so much less."""
SPOT_INNER_RAD, SPOT_OUTER_RAD = 0.1489, 0.2504
"""glTF's cone nearest to the soft pool on the floor (2.6 % rms of its peak)."""
SUN_LAMPS = 3
SUN_UP = float(lighting.sun_irradiance_table(3)[-1])
"""Irradiance from the sun of what faces up."""
UNLIT_FLOOR = SUN_UP / math.pi + WORLD_RADIANCE
"""Radiance of the floor beside the pool, over its albedo."""


def lamp(pyrender: Any, irradiance: float) -> Any:
    """Parallel white light of so much irradiance on what faces it."""
    return pyrender.DirectionalLight(color=np.ones(3), intensity=irradiance / LAMBERT / HEADROOM)


def spot(pyrender: Any) -> Any:
    """The spot, as a point with a cone."""
    intensity = SPOT_POWER_W / (4 * math.pi) / LAMBERT / HEADROOM
    return pyrender.SpotLight(
        color=np.ones(3), intensity=intensity, innerConeAngle=SPOT_INNER_RAD, outerConeAngle=SPOT_OUTER_RAD
    )


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
    pose[:3, 0], pose[:3, 1] = lighting.frame(axis)
    pose[:3, 2], pose[:3, 3] = axis, place
    return pose


def display_table() -> NDArray[np.uint8]:
    """[256] what our tone curve makes of pyrender's 8-bit pictures (gamma 2.2 of light over the headroom)."""
    linear = HEADROOM * (np.arange(256) / 255) ** 2.2
    return np.rint(255 * tone.display_from_linear(linear)).astype(np.uint8)
