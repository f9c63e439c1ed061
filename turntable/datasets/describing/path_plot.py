"""Plots of motion over some sequences, from above and from the front, with time as color."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.recipes import Recipe

NUM_PLOTTED_SEQUENCES = 4
"""Number of sequences that a page shows."""
_DIRECTIONS = (("from above", 0, 1), ("from the front", 0, 2))


@dataclass(frozen=True, slots=True, eq=False)
class PathPreview:
    """The paths of points that move in a sequence."""

    title: str
    """Words on the sequence and on what its paths are."""
    places: NDArray[np.float64]
    """[T, P, 3] places in the world, of P points in T frames."""


def plot_paths(figure: Any, recipe: Recipe, previews: Sequence[PathPreview]) -> None:
    """Plot sequences, a column for each: from above, and below it from the front.

    Args:
        figure: Figure or subfigure of matplotlib.
        recipe: Recipe of the sequences.
        previews: Sequences.
    """
    limit = 1.1 * max(float(np.abs(preview.places).max()) for preview in previews)
    dots = None
    grid = []
    for row, (name, first, second) in enumerate(_DIRECTIONS):
        for column, preview in enumerate(previews):
            number = row * NUM_PLOTTED_SEQUENCES + column + 1
            axes = figure.add_subplot(len(_DIRECTIONS), NUM_PLOTTED_SEQUENCES, number)
            dots = _plot_places(axes, preview.places[:, :, [first, second]], limit)
            # The camera looks from +y: +x is on its left, and from above, with the camera below, +y is down.
            axes.invert_xaxis()
            if row == 0:
                axes.invert_yaxis()
            axes.set_title(f"{preview.title}\n{name}" if row == 0 else name, fontsize=8)
            axes.set_ylabel("xyz"[second], fontsize=8)
            grid.append(axes)
    bar = figure.colorbar(dots, ax=grid, shrink=0.6)
    assert recipe.sequence is not None
    bar.set_label(f"frame, of {recipe.sequence.length}", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _plot_places(axes: Any, places: NDArray[np.float64], limit: float) -> Any:
    """Plot the paths of points [T, P, 2] as gray lines with a dot for each frame. Return the dots."""
    num_frames, num_points = places.shape[:2]
    axes.plot(places[..., 0], places[..., 1], color="0.75", linewidth=0.8, zorder=1)
    frames = np.repeat(np.arange(num_frames), num_points)
    dots = axes.scatter(*places.reshape(-1, 2).T, c=frames, s=9, cmap="viridis", zorder=2)
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    axes.set_xlabel("x", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    return dots
