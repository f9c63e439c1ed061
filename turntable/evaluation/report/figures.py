"""Figures of a report, as PNG bytes that sit on a light page as well as on a dark one."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
_LEAST_IN_BIN = 5
"""Pairs of a median."""
_NAMED = 20
"""Categories of a legend."""
_NOTHING, _ALL = np.array([170.0, 178, 186]), np.array([24.0, 92, 168])
"""Red, green and blue of cells that have nothing, and all."""
_MOST_CELLS = 15
"""Columns of a heat map beside each other; more go beneath."""


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


def training_curves(curves: Sequence[tuple[str, Mapping[str, Sequence[float]]]]) -> bytes:
    """A panel for the loss of each name and one for each of its terms, all on scales of their own.

    Losses of different methods are not comparable; runs of one name (seeds) share its panels.

    Args:
        curves: For each run its name and, by term, the mean of each epoch; the loss comes first.
    """
    panels: dict[tuple[str, str], list[Sequence[float]]] = {}
    for name, terms in curves:
        for term, values in terms.items():
            panels.setdefault((name, term), []).append(values)
    names = list(dict.fromkeys(name for name, _ in curves))
    columns = min(_COLUMNS, max(len(panels), 1))
    rows = -(-len(panels) // columns)
    figure = _figure(width=10, height=0.3 + 1.9 * max(rows, 1))
    in_order = sorted(panels.items(), key=lambda item: names.index(item[0][0]))
    for place, ((name, term), runs) in enumerate(in_order):
        axes = figure.add_subplot(rows, columns, place + 1)
        colour = _COLOURS[names.index(name) % len(_COLOURS)]
        for values in runs:
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=colour, linewidth=1.4, marker="." if len(values) < 4 else "")
        axes.set_title(term.replace("_", " ") if len(names) == 1 else f"{name}: {term.replace('_', ' ')}")
        axes.locator_params(axis="x", integer=True)
        if place >= len(panels) - columns:
            axes.set_xlabel("epoch")
        _quiet(axes)
    return _png(figure)


def error_over_angle(turn_deg: NDArray[np.floating], errors_deg: Mapping[str, NDArray[np.floating]]) -> bytes:
    """The median error of pairs over the angle between their views, a line a part.

    The dashed line says "nothing was turned": its error is the angle. The blind predictor's median over all
    pairs would not do, as it flatters every method at small angles.

    Args:
        turn_deg: [P] true angles.
        errors_deg: [P] by part.
    """
    figure = _figure(width=10, height=3.4)
    axes = figure.add_subplot()
    edges = np.linspace(0, 180, 13)
    bins = np.digitize(turn_deg, edges[1:-1])
    kept = [number for number in range(len(edges) - 1) if (bins == number).sum() >= _LEAST_IN_BIN]
    centres = [float(np.median(turn_deg[bins == number])) for number in kept]
    for place, (name, errors) in enumerate(errors_deg.items()):
        if not kept:
            continue
        quartiles = np.array([np.quantile(errors[bins == number], [0.25, 0.5, 0.75]) for number in kept])
        colour = _COLOURS[place % len(_COLOURS)]
        axes.plot(centres, quartiles[:, 1], color=colour, linewidth=1.6, marker=".", label=name)
        axes.fill_between(centres, quartiles[:, 0], quartiles[:, 2], color=colour, alpha=0.12, linewidth=0)
    axes.plot([0, 180], [0, 180], color=_INK, linestyle="--", linewidth=1, label="saying: not turned")
    axes.set_xlabel("angle between the views, °")
    axes.set_ylabel("error, °")
    axes.set_xlim(0, 180)
    axes.set_ylim(0, 180)
    axes.set_xticks(range(0, 181, 30))
    axes.set_yticks(range(0, 181, 30))
    _legend(axes)
    _quiet(axes)
    return _png(figure)


def projections(
    points: Mapping[str, NDArray[np.floating]], categories: NDArray[np.int64], names: Sequence[str]
) -> bytes:
    """Points of each part in the plane, a panel a part, a colour a category.

    Args:
        points: [M, 2] by part.
        categories: [M] numbers.
        names: Of all categories; those that come are told beside the last panel.
    """
    figure = _figure(width=10, height=3.6)
    present = np.unique(categories)
    for place, (name, xy) in enumerate(points.items()):
        axes = figure.add_subplot(1, len(points), place + 1)
        for number, category in enumerate(present):
            chosen = categories == category
            colour = _COLOURS[number % len(_COLOURS)]
            marker = "osD^v"[number // len(_COLOURS) % 5]
            label = names[category] if number < _NAMED else None
            axes.scatter(
                *xy[chosen].T, s=7, color=colour, marker=marker, linewidths=0, alpha=0.75, label=label
            )
        axes.set_title(name)
        axes.set_xticks([])
        axes.set_yticks([])
        _quiet(axes)
        if place == len(points) - 1:
            _legend(axes, loc="center left", bbox_to_anchor=(1, 0.5))
    return _png(figure)


def heat_map(
    shares: NDArray[np.floating], told: Sequence[Sequence[str]], rows: Sequence[str], columns: Sequence[str]
) -> bytes:
    """A matrix with its numbers written in it; the color of a cell tells how much of all there is it has.

    Args:
        shares: [R, C], from 0 (grey, as is all below) to 1 (blue).
        told: What is written, R times C.
        rows: Their names.
        columns: Their names, which break at blanks.
    """
    panels = [slice(start, start + _MOST_CELLS) for start in range(0, len(columns), _MOST_CELLS)]
    breaks = max((name.count(" ") for name in columns), default=0)
    of_panel = 0.3 + 0.13 * breaks + 0.34 * len(rows)
    margin = 0.25 + 0.07 * max(map(len, rows), default=0)
    width = min(10, margin + 0.72 * min(len(columns), _MOST_CELLS))
    figure = _figure(width, of_panel * len(panels) + 0.1)
    widest = max(len(columns[panel]) for panel in panels)
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(len(panels), 1, place + 1)
        _draw_cells(axes, shares[:, panel], [texts[panel] for texts in told])
        axes.set(xlim=(-0.5, widest - 0.5), ylim=(len(rows) - 0.5, -0.5))
        axes.set_xticks(range(len(columns[panel])), [name.replace(" ", "\n") for name in columns[panel]])
        axes.set_yticks(range(len(rows)), list(rows))
        axes.tick_params(length=0, pad=3, labeltop=True, labelbottom=False)
        _quiet(axes)
        axes.spines[:].set_visible(False)
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            label.set_parse_math(False)
    return _png(figure)


def _draw_cells(axes: "Axes", shares: NDArray[np.floating], told: Sequence[Sequence[str]]) -> None:
    from matplotlib.patches import Rectangle

    colors = _NOTHING + np.clip(shares, 0, 1)[..., None] * (_ALL - _NOTHING)
    for row, texts in enumerate(told):
        for column, text in enumerate(texts):
            color = colors[row, column]
            corner = (column - 0.485, row - 0.47)
            axes.add_patch(Rectangle(corner, 0.97, 0.94, color=tuple(color / 255), linewidth=0))
            ink = "black" if _is_bright(color) else "white"
            written = axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
            written.set_parse_math(False)


def _is_bright(color: NDArray[np.floating]) -> bool:
    """Tell whether black is read on a color [3] of 0 to 255 better than white (WCAG's relative luminance)."""
    channels = color / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return bool(linear @ [0.2126, 0.7152, 0.0722] > 0.179)


def _legend(axes: "Axes", **where: Any) -> None:
    if axes.get_legend_handles_labels()[1]:
        legend = axes.legend(frameon=False, fontsize=7, labelcolor=_INK, markerscale=1.8, **where)
        for text in legend.get_texts():
            text.set_parse_math(False)


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
    for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
        text.set(color=_INK, fontsize=8)
        text.set_parse_math(False)  # a name with dollar signs is no formula


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    # Without its version, so that the same numbers give the same file.
    figure.savefig(buffer, format="png", transparent=True, metadata={"Software": None})
    return buffer.getvalue()
