"""Plots of a report, as transparent PNG bytes that suit light and dark pages."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turntable.extras import explain_import_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#808890"
"""Gray that can be read on white and on black."""
_COLORS = ("#3b82c4", "#d9772b", "#4c9f50", "#b0549b", "#9c7a3c", "#38a3a5")
_NUM_COLUMNS = 4
_MIN_PAIRS_PER_BIN = 5
"""Minimal number of pairs of a bin whose median is plotted."""
_MAX_LEGEND_CATEGORIES = 20
"""Maximal number of categories in a legend."""
_LOW_RGB, _HIGH_RGB = np.array([170.0, 178, 186]), np.array([24.0, 92, 168])
"""Colors (red, green, blue) of cells with a share of 0 and of 1."""
_MAX_COLUMNS_PER_PANEL = 15
"""Maximal number of columns of a heat map beside each other; more go into further panels below."""


def plot_histograms(values: Mapping[str, NDArray[np.floating]], num_bins: int = 24) -> bytes:
    """Plot a histogram of each factor, four in a row.

    Args:
        values: Values by name of the factor with its unit.
        num_bins: Number of bins of each histogram.
    """
    num_rows = -(-len(values) // _NUM_COLUMNS)
    figure = _make_figure(width=10, height=1.9 * max(num_rows, 1))
    for position, (name, numbers) in enumerate(values.items(), start=1):
        axes = figure.add_subplot(num_rows, _NUM_COLUMNS, position)
        axes.hist(np.ravel(numbers), bins=num_bins, color=_COLORS[0])
        axes.set_title(name)
        axes.set_yticks([])
        _format_axes(axes)
    return _encode_png(figure)


def plot_training_curves(curves: Sequence[tuple[str, Mapping[str, Sequence[float]]]]) -> bytes:
    """Plot the loss and the terms of the loss of each method in a panel of its own.

    The panels have different scales, since losses of different methods are not comparable. Runs of one name,
    which differ in their seed, share its panels.

    Args:
        curves: Name of each run, and its mean of each epoch by term; the loss comes first.
    """
    panels: dict[tuple[str, str], list[Sequence[float]]] = {}
    for name, terms in curves:
        for term, values in terms.items():
            panels.setdefault((name, term), []).append(values)
    names = list(dict.fromkeys(name for name, _ in curves))
    num_columns = min(_NUM_COLUMNS, max(len(panels), 1))
    num_rows = -(-len(panels) // num_columns)
    figure = _make_figure(width=10, height=0.3 + 1.9 * max(num_rows, 1))
    in_order = sorted(panels.items(), key=lambda item: names.index(item[0][0]))
    for position, ((name, term), runs) in enumerate(in_order, start=1):
        axes = figure.add_subplot(num_rows, num_columns, position)
        color = _COLORS[names.index(name) % len(_COLORS)]
        for values in runs:
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=color, linewidth=1.4, marker="." if len(values) < 4 else "")
        axes.set_title(term.replace("_", " ") if len(names) == 1 else f"{name}: {term.replace('_', ' ')}")
        axes.locator_params(axis="x", integer=True)
        if position > len(panels) - num_columns:  # the lowest panel of its column
            axes.set_xlabel("epoch")
        _format_axes(axes)
    return _encode_png(figure)


def plot_error_over_angle(
    turn_deg: NDArray[np.floating], errors_deg: Mapping[str, NDArray[np.floating]]
) -> bytes:
    """Plot the median error of pairs by the angle between their views, with a line for each part.

    The dashed line is the error of predicting no rotation, which is the angle itself. The median of the
    constant baseline over all pairs would be misleading: at small angles every method is below it.

    Args:
        turn_deg: True angles, [P].
        errors_deg: Errors by part, [P].
    """
    figure = _make_figure(width=10, height=3.4)
    axes = figure.add_subplot()
    edges = np.linspace(0, 180, 13)
    bins = np.digitize(turn_deg, edges[1:-1])
    kept = [number for number in range(len(edges) - 1) if (bins == number).sum() >= _MIN_PAIRS_PER_BIN]
    centers = [float(np.median(turn_deg[bins == number])) for number in kept]
    for index, (name, errors) in enumerate(errors_deg.items()):
        if not kept:
            continue
        quartiles = np.array([np.quantile(errors[bins == number], [0.25, 0.5, 0.75]) for number in kept])
        color = _COLORS[index % len(_COLORS)]
        axes.plot(centers, quartiles[:, 1], color=color, linewidth=1.6, marker=".", label=name)
        axes.fill_between(centers, quartiles[:, 0], quartiles[:, 2], color=color, alpha=0.12, linewidth=0)
    axes.plot([0, 180], [0, 180], color=_INK, linestyle="--", linewidth=1, label="predicting no rotation")
    axes.set_xlabel("angle between the views, °")
    axes.set_ylabel("error, °")
    axes.set_xlim(0, 180)
    axes.set_ylim(0, 180)
    axes.set_xticks(range(0, 181, 30))
    axes.set_yticks(range(0, 181, 30))
    _add_legend(axes)
    _format_axes(axes)
    return _encode_png(figure)


def plot_projections(
    points: Mapping[str, NDArray[np.floating]], categories: NDArray[np.int64], category_names: Sequence[str]
) -> bytes:
    """Plot points of each part in a panel, with a color for each category.

    Args:
        points: Points by part, [M, 2].
        categories: Categories of the points, [M].
        category_names: Names of all categories; those that occur are in the legend beside the last panel.
    """
    figure = _make_figure(width=10, height=3.6)
    present = np.unique(categories)
    for position, (name, xy) in enumerate(points.items(), start=1):
        axes = figure.add_subplot(1, len(points), position)
        for number, category in enumerate(present):
            chosen = categories == category
            color = _COLORS[number % len(_COLORS)]
            marker = "osD^v"[number // len(_COLORS) % 5]
            label = category_names[category] if number < _MAX_LEGEND_CATEGORIES else None
            axes.scatter(
                *xy[chosen].T, s=7, color=color, marker=marker, linewidths=0, alpha=0.75, label=label
            )
        axes.set_title(name)
        axes.set_xticks([])
        axes.set_yticks([])
        _format_axes(axes)
        if position == len(points):
            _add_legend(axes, loc="center left", bbox_to_anchor=(1, 0.5))
    return _encode_png(figure)


def plot_heat_map(
    shares: NDArray[np.floating], texts: Sequence[Sequence[str]], rows: Sequence[str], columns: Sequence[str]
) -> bytes:
    """Plot a matrix of numbers, whose cells are colored by a share.

    Args:
        shares: Shares from 0 (gray, as is everything below) to 1 (blue), [R, C].
        texts: Texts in the cells, R times C.
        rows: Names of the rows.
        columns: Names of the columns, which are broken into lines at blanks.
    """
    panels = [
        slice(start, start + _MAX_COLUMNS_PER_PANEL)
        for start in range(0, len(columns), _MAX_COLUMNS_PER_PANEL)
    ]
    breaks = max((name.count(" ") for name in columns), default=0)
    panel_height = 0.3 + 0.13 * breaks + 0.34 * len(rows)
    margin = 0.25 + 0.07 * max(map(len, rows), default=0)
    width = min(10, margin + 0.72 * min(len(columns), _MAX_COLUMNS_PER_PANEL))
    figure = _make_figure(width, panel_height * len(panels) + 0.1)
    widest = max(len(columns[panel]) for panel in panels)
    for position, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(len(panels), 1, position)
        _plot_cells(axes, shares[:, panel], [row_texts[panel] for row_texts in texts])
        axes.set(xlim=(-0.5, widest - 0.5), ylim=(len(rows) - 0.5, -0.5))
        axes.set_xticks(range(len(columns[panel])), [name.replace(" ", "\n") for name in columns[panel]])
        axes.set_yticks(range(len(rows)), list(rows))
        axes.tick_params(length=0, pad=3, labeltop=True, labelbottom=False)
        _format_axes(axes)
        axes.spines[:].set_visible(False)
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            label.set_parse_math(False)
    return _encode_png(figure)


def _plot_cells(axes: "Axes", shares: NDArray[np.floating], texts: Sequence[Sequence[str]]) -> None:
    from matplotlib.patches import Rectangle

    colors = _LOW_RGB + np.clip(shares, 0, 1)[..., None] * (_HIGH_RGB - _LOW_RGB)
    for row, row_texts in enumerate(texts):
        for column, text in enumerate(row_texts):
            color = colors[row, column]
            corner = (column - 0.485, row - 0.47)  # leaves a gap between neighboring cells
            axes.add_patch(Rectangle(corner, 0.97, 0.94, color=tuple(color / 255), linewidth=0))
            ink = "black" if _is_bright(color) else "white"
            written = axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
            written.set_parse_math(False)


def _is_bright(color: NDArray[np.floating]) -> bool:
    """Return True if black text is more readable than white on a color [3] of 0 to 255.

    The contrast of both is equal at a relative luminance of 0.179 (WCAG 2.1).
    """
    channels = color / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return bool(linear @ [0.2126, 0.7152, 0.0722] > 0.179)


def _add_legend(axes: "Axes", **legend_options: Any) -> None:
    if axes.get_legend_handles_labels()[1]:
        legend = axes.legend(frameon=False, fontsize=7, labelcolor=_INK, markerscale=1.8, **legend_options)
        for text in legend.get_texts():
            text.set_parse_math(False)


def _make_figure(width: float, height: float) -> "Figure":
    """Make a figure without pyplot, whose global state is shared and may open windows."""
    with explain_import_errors("matplotlib"):
        from matplotlib.figure import Figure
    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def _format_axes(axes: "Axes") -> None:
    axes.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("bottom", "left"))
        spine.set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=7)
    for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
        text.set(color=_INK, fontsize=8)
        text.set_parse_math(False)  # a name with dollar signs is not a formula


def _encode_png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    # Without matplotlib's version, so that the same numbers give the same file.
    figure.savefig(buffer, format="png", transparent=True, metadata={"Software": None})
    return buffer.getvalue()
