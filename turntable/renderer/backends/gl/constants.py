"""What every view is drawn with: scene constants, the tone curve, the spot's pool, the sun's light."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.scene import (
    CAMERA,
    FLOOR_Z,
    POOL_DEPTH,
    POOL_RADIUS,
    WORLD_RADIANCE,
    display_from_linear,
    spot_table,
    sun_irradiance_table,
)

if TYPE_CHECKING:
    import moderngl

TONE_END = 4.0
"""Square root of the largest linear value that the tone curve's texture holds."""


class Constants:
    """Textures and numbers by their name in the shaders."""

    def __init__(self, context: "moderngl.Context") -> None:
        irradiance = sun_irradiance_table(256)
        self.sun_on_floor = float(irradiance[-1])
        """Irradiance of the floor from the original's sun, without shadow."""
        curve = display_from_linear(np.linspace(0, TONE_END, 4096) ** 2).astype(np.float32)
        self.inputs: dict[str, Any] = {
            "tone_curve": float_texture(context, curve[None, :, None], smooth=True),
            "tone_end": TONE_END,
            "spot_pool": float_texture(context, spot_table(256, 128)[..., None], smooth=True),
            "pool_range": (POOL_RADIUS, *POOL_DEPTH),
            "sun_irradiance": float_texture(context, irradiance[None, :, None], smooth=True),
            "world_radiance": WORLD_RADIANCE,
            "focal": float(CAMERA.intrinsics(2)[0, 0]),
            "floor_z": FLOOR_Z,
        }


def float_texture(
    context: "moderngl.Context", table: NDArray[np.float32], *, smooth: bool = False
) -> "moderngl.Texture":
    """A table [rows, columns, channels] as a texture of 32-bit floats, read by texel or interpolated."""
    rows, columns, channels = table.shape
    data = np.ascontiguousarray(table, dtype=np.float32).tobytes()
    texture = context.texture((columns, rows), channels, data, dtype="f4")
    kind = context.LINEAR if smooth else context.NEAREST
    texture.filter = (kind, kind)
    texture.repeat_x = texture.repeat_y = False
    return texture
