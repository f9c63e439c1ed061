"""Colors of the vertices of an OBJ file: numbers behind a position, or ZBrush's comments."""

import re
from collections.abc import Iterable
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.meshes.formats.colors import make_encoded_colors
from turntable.renderer.meshes.formats.obj.statements import NUM_CHANNELS, ObjStatements
from turntable.renderer.meshes.mesh_warnings import WarningLog

MAX_EXCESS = 2.0
"""Largest number taken for a color of the range from 0 to 1 that is a little too bright. Larger numbers, and
whole ones, mean the range from 0 to 255."""

_WEIGHTED_COLUMNS = 4
"""Number of numbers behind a position that are a weight and a color, or a color and an opacity."""
_PAINT = re.compile(rb"[0-9a-fA-F]{8}")
"""Color of a vertex as ZBrush writes it: a mask, red, green and blue."""

Colors = NDArray[np.float64]
"""[V, 3] sRGB colors in [0, 1], NaN for a vertex without one."""


def read_vertex_colors(statements: ObjStatements, log: WarningLog) -> Colors | None:
    """Return the sRGB colors [V, 3] of the vertices, NaN for a vertex without one. None if none has any.

    Args:
        statements: Statements of the file.
        log: Warnings about the object; a note on colors that are not read as they are is added.
    """
    colors = (
        None if statements.extras is None else _scale_colors(_choose_columns(statements.extras, log), log)
    )
    if statements.painted:
        colors = _add_paint(colors, len(statements.positions), statements.painted, log)
    return None if colors is None or np.isnan(colors).all() else colors


def convert_colors(colors: Colors) -> NDArray[np.float32]:
    """Convert sRGB colors [N, 3] to those of a mesh [N, 4]: encoded, opaque, white where there are none."""
    return make_encoded_colors(np.where(np.isnan(colors), 1, colors))


def _choose_columns(extras: NDArray[np.float64], log: WarningLog) -> NDArray[np.float64]:
    """Return the columns of the color.

    Of four numbers, the first is a weight if it is 1 everywhere while the last is not; otherwise the last is
    an opacity.
    """
    if extras.shape[1] < _WEIGHTED_COLUMNS:
        return extras
    first, last = extras[:, 0], extras[:, -1]
    given = np.flatnonzero(last == last)  # NaN is no number
    opaque = bool(np.isin(last[given], (1.0, 255.0)).all())
    if not opaque and (first[given] == 1).all():
        return extras[:, 1:]
    if not opaque:
        log.add("color-approximated", "vertex colors have an opacity", "they are opaque")
    return extras[:, :NUM_CHANNELS]


def _scale_colors(colors: NDArray[np.float64], log: WarningLog) -> Colors:
    """Scale colors to the range from 0 to 1. A color with a number that is none, or below 0, is none."""
    lowest, highest = colors.min(initial=0), colors.max(initial=0)
    if lowest >= 0 and highest <= 1:  # false for NaN
        return colors
    usable: NDArray[np.bool_] = np.isfinite(colors.sum(axis=1)) & (colors.min(axis=1) >= 0)
    colors = np.where(usable[:, None], colors, np.nan)
    highest = float(colors[usable].max(initial=0))
    if highest > 1 and (highest > MAX_EXCESS or (colors[usable] == np.round(colors[usable])).all()):
        colors, highest = colors / 255, highest / 255
    if highest > 1:
        log.add("number-repaired", "vertex colors are brighter than white", "they are white there")
    return np.minimum(colors, 1)


def _add_paint(
    colors: Colors | None, num_vertices: int, painted: Iterable[tuple[int, bytes]], log: WarningLog
) -> Colors:
    """Add the colors of ZBrush's comments. Consecutive comments color the vertices right above them."""
    colors = np.full((num_vertices, 3), np.nan) if colors is None else colors.copy()
    for stop, comments in groupby(painted, key=lambda comment: comment[0]):
        words = _PAINT.findall(b"".join(text.strip() for _, text in comments))
        paint = np.frombuffer(bytes.fromhex(b"".join(words).decode()), dtype=np.uint8).reshape(-1, 4)
        if len(paint) > stop:
            log.add("color-approximated", "#MRGB comments color more vertices than there are", "without them")
            continue
        colors[stop - len(paint) : stop] = paint[:, 1:] / 255
    return colors
