"""A page of plots of a recipe's draws: histograms of labels, maps of axes, scenes, joints and motion."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from turntable.datasets.describing.joint_plot import JointPreview, count_joint_rows, plot_joints
from turntable.datasets.describing.path_plot import PathPreview, plot_paths
from turntable.datasets.describing.scene_plot import plot_scenes
from turntable.datasets.draws import compute_histogram
from turntable.datasets.labels import ENVIRONMENT, Coupling, Factor, LabelArray
from turntable.datasets.recipes import Recipe
from turntable.extras import explain_import_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHARTS_PER_ROW = 4
_SCENES_HEIGHT = 6.4
_JOINTS_HEIGHT = 2.9
_PATHS_HEIGHT = 6.0
_NUM_BINS = 40
_NUM_DOTS = 2000
"""Number of views in the plot of a coupling."""
_MAP_CELLS = (36, 18)
"""Numbers of cells in longitude and in height. Equal steps of height give cells of equal area on a sphere."""
_BLUE = "#3b82c4"
_UNITS = {"rad": ", rad", "turn": ", turns", "W": ", W", "px": ", px", "1": ""}


def plot_recipe(
    recipe: Recipe,
    labels: LabelArray,
    joints: Sequence[JointPreview] = (),
    paths: Sequence[PathPreview] = (),
) -> bytes:
    """Plot labels drawn from a recipe.

    Args:
        recipe: Recipe of the labels.
        labels: Labels, [N, L].
        joints: Objects whose joints are plotted.
        paths: Sequences whose motion is plotted.

    Returns:
        The page as a PNG file.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with explain_import_errors("matplotlib"):
        from matplotlib.figure import Figure
    couplings = [item for item in recipe.coupling if item.on in recipe.schema]
    rows = -(-(len(recipe.factors) + len(couplings)) // _CHARTS_PER_ROW)
    further = _list_further_plots(recipe, joints, paths)
    heights = [3.0, 1.7 * rows, *(height for height, _ in further)]
    figure = Figure(figsize=(12, 0.4 + sum(heights)), layout="constrained", facecolor="white")
    figure.suptitle(f"{recipe.name}: {len(labels):,} views drawn", fontsize=13)
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights)
    maps, charts = parts[:2]
    for part, (_, plot) in zip(parts[2:], further, strict=True):
        plot(part)
    _plot_axis_maps(maps, recipe, labels)
    for column, factor in enumerate(recipe.factors):
        _plot_histogram(charts.add_subplot(rows, _CHARTS_PER_ROW, column + 1), factor, labels[:, column])
    for number, coupling in enumerate(couplings, len(recipe.factors) + 1):
        _plot_coupling(charts.add_subplot(rows, _CHARTS_PER_ROW, number), recipe, coupling, labels)
    page = io.BytesIO()
    figure.savefig(page, format="png", dpi=100)
    return page.getvalue()


def _list_further_plots(
    recipe: Recipe, joints: Sequence[JointPreview], paths: Sequence[PathPreview]
) -> list[tuple[float, Callable[[Any], None]]]:
    """List the plots below the charts: the height of each in inches, and what draws it."""
    plots: list[tuple[float, Callable[[Any], None]]] = []
    if recipe.scene is not None:
        plots.append((_SCENES_HEIGHT, lambda figure: plot_scenes(figure, recipe)))
    if joints:
        height = _JOINTS_HEIGHT * count_joint_rows(joints)
        plots.append((height, lambda figure: plot_joints(figure, joints)))
    if paths:
        plots.append((_PATHS_HEIGHT, lambda figure: plot_paths(figure, recipe, paths)))
    return plots


def _plot_histogram(axes: Any, factor: Factor, values: LabelArray) -> None:
    counts = compute_histogram(factor, values, _NUM_BINS)
    # A fixed value has no range of its own; its bar stands in the middle of a range of length 1.
    low, high = (
        (factor.low, factor.high) if factor.low < factor.high else (factor.low - 0.5, factor.low + 0.5)
    )
    edges = np.linspace(low, high, _NUM_BINS + 1)
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=_BLUE)
    axes.set_title(factor.name.removesuffix("_rad").removesuffix("_px") + _UNITS[factor.unit], fontsize=9)
    axes.set_yticks([])
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _plot_coupling(axes: Any, recipe: Recipe, coupling: Coupling, labels: LabelArray) -> None:
    """Plot a coupled factor over the one that it follows, with a color for each environment."""
    shown = labels[:_NUM_DOTS]
    color = recipe.schema.get_values(shown, ENVIRONMENT) if recipe.environment else _BLUE
    other, values = (recipe.schema.get_values(shown, name) for name in (coupling.on, coupling.factor))
    axes.scatter(other, values, s=2, c=color, cmap="tab10")
    axes.set_title(
        f"{coupling.factor.removesuffix('_rad')} over {coupling.on.removesuffix('_rad')}", fontsize=9
    )
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _plot_axis_maps(figure: "Figure | Any", recipe: Recipe, labels: LabelArray) -> None:
    """Plot the density of the directions of each object axis on an equal-area map of the sphere."""
    rotation = recipe.schema.compute_rotations(labels)
    longitude = np.linspace(-np.pi, np.pi, _MAP_CELLS[0] + 1)
    height = np.linspace(-1, 1, _MAP_CELLS[1] + 1)
    mean = len(labels) / (_MAP_CELLS[0] * _MAP_CELLS[1])
    for index, axis in enumerate("xyz"):
        x, y, z = rotation[:, :, index].T
        counts = np.histogram2d(np.arctan2(y, x), np.clip(z, -1, 1), bins=[longitude, height])[0]
        axes = figure.add_subplot(1, 3, index + 1, projection="mollweide")
        mesh = axes.pcolormesh(
            longitude, np.arcsin(height), counts.T / mean, cmap="viridis", vmin=0, vmax=3, rasterized=True
        )
        axes.set_title(f"where the object's {axis} axis points", fontsize=9)
        axes.set_xticks(np.radians([-90, 0, 90]), ["-y", "+x", "+y"])
        axes.set_yticks([])
        axes.tick_params(labelsize=9, colors="white")
        if index == 2:
            bar = figure.colorbar(mesh, ax=axes, shrink=0.6, ticks=[0, 1, 2, 3])
            bar.set_label("density, 1 = uniform", fontsize=8)
            bar.ax.tick_params(labelsize=8)
