"""Light as it can be calculated, and as it is read from pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.renderer.scene import (
    WORLD_RADIANCE,
    display_from_linear,
    spot_intensity,
    sun_irradiance_table,
)
from turntable.testing.backends.views import USUAL, Array, Place, scenes

LIGHTS_AND_CAMERAS: list[tuple[Place, float, float, float]] = [
    (USUAL, 0.7, 500.0, 1.5),
    ((1.5, 1.5), 0.3, 1500.0, 0.5),
    ((2.0, 0.5), 0.5, 0.0, 8.0),
    ((6.0, 0.12), 0.6, 800.0, 3.0),
    ((8.0, 0.3), 1.25, 1500.0, 0.8),
]
"""Camera, the spot's angle from the vertical, its power, the sun's strength."""


def floor_radiance(points: Array, view: Sequence[float], power: float, sun: float) -> tuple[Array, Array]:
    """Integrate what the floor sends, which is the same into every camera.

    Args:
        points: On the floor, [S, S, 3].
        view: The factors.
        power: Of the spot.
        sun: Its strength.

    Returns:
        The radiance [S, S, 3], and the spot's irradiance [S, S].
    """
    scene = scenes(view)
    towards = scene.light_position[0] - points
    spot = spot_intensity(points, scene.light_position[0], power_w=power)
    lit = spot * towards[..., 2] / np.linalg.norm(towards, axis=-1) / np.pi
    plain = sun_irradiance_table(3, strength=sun)[-1] / np.pi + WORLD_RADIANCE
    return scene.floor_albedo[0] * (lit[..., None] * scene.light_color[0] + plain), spot


def hue_of(rgb: Sequence[float] | NDArray[np.floating]) -> float:
    """Return the hue of a color, in turns."""
    red, green, blue = (float(x) for x in rgb)
    high, spread = max(red, green, blue), max(red, green, blue) - min(red, green, blue)
    sector = {
        red: (green - blue) / spread,
        green: 2 + (blue - red) / spread,
        blue: 4 + (red - green) / spread,
    }[high]
    return sector / 6 % 1


def hue_error(rgb: Sequence[float] | NDArray[np.floating], hue: float) -> float:
    """Return how far the hue of a color is from another, in turns from 0 to 0.5."""
    return abs((hue_of(rgb) - hue + 0.5) % 1 - 0.5)


def psnr(a: ArrayLike, b: ArrayLike) -> float:
    """Return the peak signal-to-noise ratio of two pictures of 256 levels, in dB."""
    return 10 * np.log10(255**2 / max(np.mean((np.asarray(a, float) - b) ** 2), 1e-9))


def linear_of(pixels: NDArray[np.floating]) -> Array:
    """Return the scene-linear light of display values."""
    linear = 2.0 ** np.linspace(-12, 4, 4000)
    return np.interp(pixels / 255, display_from_linear(linear), linear)
