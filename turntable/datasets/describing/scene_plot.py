"""Plots of a recipe's scenes from above: the boxes of invented objects in some arrangements."""

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws import PseudoScene, draw_pseudo_scene
from turntable.datasets.labels import SceneRule
from turntable.datasets.recipes import Recipe

NUM_SCENES, MAX_ARRANGEMENTS = 2, 4
_FACES = ((0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5))
"""Corners of the sides of a box, whose corners are numbered with z running fastest."""


def plot_scenes(figure: Any, recipe: Recipe) -> None:
    """Plot arrangements of invented scenes, a row for each scene.

    Args:
        figure: Figure or subfigure of matplotlib.
        recipe: Recipe with a table [scene].

    Raises:
        MeshError: The objects find no place.
    """
    rule = recipe.scene
    assert rule is not None
    sequences = recipe.views // (recipe.sequence.length if recipe.sequence is not None else 1)
    count = min(MAX_ARRANGEMENTS, rule.arrangements or sequences)
    for row in range(NUM_SCENES):
        scene = draw_pseudo_scene(recipe, row, count)
        for number in range(count):
            axes = figure.add_subplot(NUM_SCENES, MAX_ARRANGEMENTS, row * MAX_ARRANGEMENTS + number + 1)
            _plot_arrangement(axes, rule, scene, number)
            axes.set_title(f"scene {row + 1}, arrangement {number + 1}, from above", fontsize=9)


def _plot_arrangement(axes: Any, rule: SceneRule, scene: PseudoScene, number: int) -> None:
    axes.plot(*rule.area * np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]]), color="0.6", linewidth=1)
    for part, corners in enumerate(compute_box_corners(scene.boxes, scene.poses[number])):
        for face in _FACES:
            outline = corners[list(face), :2]
            axes.fill(*outline.T, facecolor=f"C{part}", edgecolor=f"C{part}", alpha=0.35)
    axes.set_aspect("equal")
    axes.set_xlabel("x; the camera looks from +y", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def compute_box_corners(boxes: NDArray[np.float64], poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the corners [K, 8, 3] of posed boxes.

    Args:
        boxes: Lowest and highest corner [K, 2, 3] of each box in its own frame.
        poses: Poses [K, 4, 4].
    """
    x, y, z = np.array(list(product((0, 1), repeat=3))).T
    corners = np.stack([boxes[:, x, 0], boxes[:, y, 1], boxes[:, z, 2]], axis=-1)
    return corners @ np.swapaxes(poses[:, :3, :3], -1, -2) + poses[:, None, :3, 3]
