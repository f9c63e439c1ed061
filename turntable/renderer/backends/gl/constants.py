"""The inputs that every view's shaders share: scene constants, and tables of tone curve, spot and sun."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.scene import (
    DEFAULT_CAMERA,
    FLOOR_Z,
    POOL_DEPTH,
    POOL_RADIUS,
    WORLD_RADIANCE,
    build_spot_table,
    build_sun_irradiance_table,
    display_from_linear,
)

if TYPE_CHECKING:
    import moderngl

TONE_END = 4.0
"""Square root of the largest linear value that the tone curve's texture holds."""


class ShaderConstants:
    """Textures and numbers by their names in the shaders."""

    def __init__(self, context: "moderngl.Context") -> None:
        irradiance = build_sun_irradiance_table(256)
        self.sun_on_floor = float(irradiance[-1])
        """Irradiance of the floor from the original's sun, without shadow."""
        curve = display_from_linear(np.linspace(0, TONE_END, 4096) ** 2).astype(np.float32)
        self.inputs: dict[str, Any] = {
            "tone_curve": make_float_texture(context, curve[None, :, None], smooth=True),
            "tone_end": TONE_END,
            "spot_pool": make_float_texture(context, build_spot_table(256, 128)[..., None], smooth=True),
            "pool_range": (POOL_RADIUS, *POOL_DEPTH),
            "sun_irradiance": make_float_texture(context, irradiance[None, :, None], smooth=True),
            "world_radiance": WORLD_RADIANCE,
            "focal": float(DEFAULT_CAMERA.compute_intrinsics(2)[0, 0]),
            "floor_z": FLOOR_Z,
        }


def make_float_texture(
    context: "moderngl.Context", table: NDArray[np.float32], *, smooth: bool = False
) -> "moderngl.Texture":
    """Make a texture of 32-bit floats from a table [rows, columns, channels].

    Shaders read it by texel, or interpolated if ``smooth`` is True.
    """
    rows, columns, channels = table.shape
    data = np.ascontiguousarray(table, dtype=np.float32).tobytes()
    texture = context.texture((columns, rows), channels, data, dtype="f4")
    mode = context.LINEAR if smooth else context.NEAREST
    texture.filter = (mode, mode)
    texture.repeat_x = texture.repeat_y = False
    return texture
