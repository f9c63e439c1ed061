"""The floor's light computed without a renderer; and hues, light and PSNR measured from pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from turntable.renderer.scene import (
    WORLD_RADIANCE,
    build_sun_irradiance_table,
    compute_spot_intensity,
    display_from_linear,
)
from turntable.testing.backends.views import USUAL_CAMERA, Array, CameraPosition, make_scenes

LIGHTS_AND_CAMERAS: list[tuple[CameraPosition, float, float, float]] = [
    (USUAL_CAMERA, 0.7, 500.0, 1.5),
    ((1.5, 1.5), 0.3, 1500.0, 0.5),
    ((2.0, 0.5), 0.5, 0.0, 8.0),
    ((6.0, 0.12), 0.6, 800.0, 3.0),
    ((8.0, 0.3), 1.25, 1500.0, 0.8),
]
"""Cameras and lights: the camera, the spot's angle from the vertical, its power, and the sun's strength."""


def compute_floor_radiance(
    points: Array, view: Sequence[float], power: float, sun: float
) -> tuple[Array, Array]:
    """Compute the radiance of the floor, which is the same in all directions.

    Args:
        points: Points on the floor, [S, S, 3].
        view: Factors of the view, as ``make_label`` returns them.
        power: Power of the spot in watts.
        sun: Strength of the sun.

    Returns:
        The radiance [S, S, 3], and the spot's irradiance [S, S].
    """
    scene = make_scenes(view)
    towards = scene.light_position[0] - points
    spot = compute_spot_intensity(points, scene.light_position[0], power_w=power)
    lit = spot * towards[..., 2] / np.linalg.norm(towards, axis=-1) / np.pi
    plain = build_sun_irradiance_table(3, strength=sun)[-1] / np.pi + WORLD_RADIANCE
    return scene.floor_albedo[0] * (lit[..., None] * scene.light_color[0] + plain), spot


def compute_hue(rgb: Sequence[float] | NDArray[np.floating]) -> float:
    """Compute the hue of a color in turns."""
    red, green, blue = (float(x) for x in rgb)
    high, spread = max(red, green, blue), max(red, green, blue) - min(red, green, blue)
    sector = {
        red: (green - blue) / spread,
        green: 2 + (blue - red) / spread,
        blue: 4 + (red - green) / spread,
    }[high]
    return sector / 6 % 1


def compute_hue_error(rgb: Sequence[float] | NDArray[np.floating], hue: float) -> float:
    """Compute the distance of a color's hue from another hue, in turns from 0 to 0.5."""
    return abs((compute_hue(rgb) - hue + 0.5) % 1 - 0.5)


def compute_psnr(a: ArrayLike, b: ArrayLike) -> float:
    """Compute the peak signal-to-noise ratio of two pictures of 256 levels, in dB; at most 138."""
    return 10 * np.log10(255**2 / max(np.mean((np.asarray(a, float) - b) ** 2), 1e-9))


def linear_from_display(pixels: NDArray[np.floating]) -> Array:
    """Return the scene-linear light of display values from 0 to 255."""
    # The inverse of the display transform has no closed form, so a table of it is interpolated.
    linear = 2.0 ** np.linspace(-12, 4, 4000)
    return np.interp(pixels / 255, display_from_linear(linear), linear)
