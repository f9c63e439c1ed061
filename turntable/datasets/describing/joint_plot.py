"""Plots of the joints of some objects: each at its least values, at rest and at its greatest ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OBJECTS_PER_ROW = 2
_STATES = ("least values", "at rest", "greatest values")
_COLORS = np.array(
    [[0.55, 0.62, 0.7], [0.95, 0.6, 0.25], [0.35, 0.65, 0.4], [0.8, 0.4, 0.45], [0.6, 0.5, 0.75]]
)
"""Colors of the parts, in turn."""
_LIGHT = np.array([0.3, 0.5, 0.81])


@dataclass(frozen=True, slots=True, eq=False)
class JointPreview:
    """An object with joints."""

    title: str
    """Id of the object, and a word on each joint."""
    triangles: Floats
    """[3, T, 3, 3] corners of the triangles: all joints at their least value, at rest, at the greatest."""
    part_index: NDArray[np.integer]
    """[T] part of each triangle."""
    axes: Floats
    """[J, 2, 3] ends of a piece of each joint's axis, at rest."""
    sweeps: Floats
    """[J, S, 3] places of a point of each joint's part over the joint's range, the other joints at rest."""


def count_joint_rows(previews: Sequence[JointPreview]) -> int:
    """Return the number of rows of plots."""
    return -(-len(previews) // OBJECTS_PER_ROW)


def plot_joints(figure: Any, previews: Sequence[JointPreview]) -> None:
    """Plot objects with joints: three plots for each, with the axes and how far each joint takes a point.

    Args:
        figure: Figure or subfigure of matplotlib.
        previews: Objects.
    """
    columns = OBJECTS_PER_ROW * len(_STATES)
    for number, preview in enumerate(previews):
        for state, name in enumerate(_STATES):
            place = number * len(_STATES) + state + 1
            axes = figure.add_subplot(count_joint_rows(previews), columns, place, projection="3d")
            _plot_state(axes, preview, state)
            axes.set_title(f"{preview.title}\n{name}" if state == 1 else f"\n{name}", fontsize=8)


def _plot_state(axes: Any, preview: JointPreview, state: int) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    corners = preview.triangles[state]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    light = 0.55 + 0.45 * np.abs(normals @ _LIGHT)
    colors = (_COLORS[preview.part_index % len(_COLORS)] * light[:, None]).clip(0, 1)
    axes.computed_zorder = False  # lines stand before what they lie in
    axes.add_collection3d(
        Poly3DCollection(corners, facecolors=colors, alpha=0.75 if state == 1 else 1.0, zorder=1)
    )
    if state == 1:
        for number, (ends, sweep) in enumerate(zip(preview.axes, preview.sweeps, strict=True)):
            axes.plot(*ends.T, color=f"C{number}", linewidth=1.5, linestyle="--", zorder=2)
            axes.plot(*sweep.T, color=f"C{number}", linewidth=2, zorder=2)
            axes.scatter(*sweep[-1:].T, color=f"C{number}", s=14, zorder=2)
    low, high = (bound(preview.triangles, axis=(0, 1, 2)) for bound in (np.min, np.max))
    middle, half = (low + high) / 2, (high - low).max() / 2
    for number, direction in enumerate("xyz"):
        getattr(axes, f"set_{direction}lim")(middle[number] - half, middle[number] + half)
    axes.set_box_aspect((1, 1, 1), zoom=1.45)
    axes.view_init(elev=22, azim=60)  # the camera of a recipe looks from +y
    axes.set_axis_off()
