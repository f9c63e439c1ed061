"""Crops, affine maps and circular shifts computed from uniform random numbers."""

import numpy as np
from numpy.typing import NDArray

from turntable.loaders.sampling import IntArray

FloatArray = NDArray[np.float64]
Span = tuple[float, float]

MAX_CROP_ATTEMPTS = 10
CROP_WORDS = 2 * MAX_CROP_ATTEMPTS + 2
"""Number of random numbers of a crop."""
AFFINE_WORDS = 6
"""Number of random numbers of an affine map: rotation, shear, two scales, two shifts."""


def compute_crops(units: FloatArray, scale: Span, ratio: Span) -> FloatArray:
    """Compute crops like torchvision's RandomResizedCrop, but not rounded to pixels.

    Area and ratio are tried ten times, and the first that fit into the image are taken. If none fit, the crop
    is the largest part of the image that has an allowed ratio, from its center.

    All ten attempts come from numbers drawn beforehand, rather than in a loop that stops early. So every view
    uses the same number of words.

    Args:
        units: [..., 22] numbers from 0 to 1.
        scale: Range of the share of the area.
        ratio: Range of the width divided by the height.

    Returns:
        [..., 4] top, left, height and width as shares of the sides.
    """
    areas = scale_to_span(units[..., 0 : 2 * MAX_CROP_ATTEMPTS : 2], scale)
    ratios = np.exp(
        scale_to_span(units[..., 1 : 2 * MAX_CROP_ATTEMPTS : 2], (np.log(ratio[0]), np.log(ratio[1])))
    )
    heights, widths = np.sqrt(areas / ratios), np.sqrt(areas * ratios)
    fits = (heights <= 1) & (widths <= 1)
    first = np.argmax(fits, axis=-1, keepdims=True)
    any_fits = fits.any(axis=-1)
    height = np.where(any_fits, np.take_along_axis(heights, first, -1)[..., 0], min(1.0, 1.0 / ratio[0]))
    width = np.where(any_fits, np.take_along_axis(widths, first, -1)[..., 0], min(1.0, ratio[1]))
    vertical, horizontal = np.where(any_fits, np.moveaxis(units[..., -2:], -1, 0), 0.5)
    return np.stack([vertical * (1 - height), horizontal * (1 - width), height, width], axis=-1)


def compute_affine_maps(
    units: FloatArray, rotation_rad: float, shear: float, scale: Span, shift: float, *, keeps_area: bool
) -> FloatArray:
    """Compute affine maps x to A x + t with A = R H S, as affNIST's: first scaled, then sheared and rotated.

    Args:
        units: [..., 6] numbers from 0 to 1.
        rotation_rad: Largest angle of R, which turns the picture's content clockwise if it is positive.
        shear: Largest k of the shear H = [1, k; 0, 1].
        scale: Range of both entries of the diagonal S.
        shift: Largest component of t, in half sides.
        keeps_area: True to divide A by the root of its determinant, which is then 1.

    Returns:
        [..., 2, 3] A row by row, then t.
    """
    angle, k, *scales, shift_x, shift_y = np.moveaxis(units, -1, 0)
    angle = scale_to_span(angle, (-rotation_rad, rotation_rad))
    cosine, sine = np.cos(angle), np.sin(angle)
    k = scale_to_span(k, (-shear, shear))
    across, down = (scale_to_span(item, scale) for item in scales)
    if keeps_area:
        root = np.sqrt(across * down)
        across, down = across / root, down / root
    matrix = [cosine * across, (cosine * k - sine) * down, sine * across, (sine * k + cosine) * down]
    t = [scale_to_span(item, (-shift, shift)) for item in (shift_x, shift_y)]
    return np.stack([*matrix[:2], t[0], *matrix[2:], t[1]], axis=-1).reshape(*units.shape[:-1], 2, 3)


def list_shifts(max_px: int, grid_px: int, *, on_grid: bool) -> IntArray:
    """List the circular shifts along one axis in pixels, ascending.

    Args:
        max_px: Largest shift in both directions.
        grid_px: Distance of the lines of a grid, such as the side of a patch.
        on_grid: True for multiples of ``grid_px``, False for all others.
    """
    shifts = np.arange(-max_px, max_px + 1, dtype=np.int64)
    return shifts[(shifts % grid_px == 0) == on_grid]


def pick(units: FloatArray, choices: IntArray) -> IntArray:
    """Pick one of some choices [C, ...] for each number from 0 to 1, [...]."""
    return choices[np.minimum((units * len(choices)).astype(np.int64), len(choices) - 1)]


def scale_to_span(units: FloatArray, span: Span) -> FloatArray:
    """Return numbers from 0 to 1 as numbers of a range."""
    return span[0] + units * (span[1] - span[0])
