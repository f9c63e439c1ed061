"""Figures of a report, as PNG bytes that sit on a light page as well as on a dark one."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from turntable.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#808890"
"""Grey enough to be read on white and on black."""
_COLOURS = ("#3b82c4", "#d9772b", "#4c9f50", "#b0549b", "#9c7a3c", "#38a3a5")
_COLUMNS = 4


def histograms(values: Mapping[str, NDArray[np.floating]], bins: int = 24) -> bytes:
    """One histogram a factor, four in a row.

    Args:
        values: By the factor's name, with its unit.
        bins: Of each histogram.
    """
    rows = -(-len(values) // _COLUMNS)
    figure = _figure(width=10, height=1.9 * max(rows, 1))
    for place, (name, numbers) in enumerate(values.items()):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        axes.hist(np.ravel(numbers), bins=bins, color=_COLOURS[0])
        axes.set_title(name)
        axes.set_yticks([])
        _quiet(axes)
    return _png(figure)


def loss_curves(curves: Mapping[str, Sequence[float]]) -> bytes:
    """One panel a run: its loss over the epochs, each on a scale of its own, as losses are not comparable.

    Args:
        curves: The mean loss of each epoch, by the run's name.
    """
    figure = _figure(width=10, height=2.6)
    for place, (name, losses) in enumerate(curves.items()):
        axes = figure.add_subplot(1, max(len(curves), 1), place + 1)
        axes.plot(range(1, len(losses) + 1), losses, color=_COLOURS[place % len(_COLOURS)], linewidth=1.6)
        axes.set_title(name)
        axes.set_xlabel("epoch")
        if place == 0:
            axes.set_ylabel("loss")
        _quiet(axes)
    return _png(figure)


def _figure(width: float, height: float) -> "Figure":
    """A figure outside pyplot: no window, no state that others share."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def _quiet(axes: "Axes") -> None:
    axes.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("bottom", "left"))
        spine.set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=7)
    axes.title.set(color=_INK, fontsize=8)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=_INK, fontsize=8)


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    # Without its version, so that the same numbers give the same file.
    figure.savefig(buffer, format="png", transparent=True, metadata={"Software": None})
    return buffer.getvalue()
