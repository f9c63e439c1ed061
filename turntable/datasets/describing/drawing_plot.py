"""A page of drawings of some objects of a data set, as a PNG file."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.describing.drawing_frames import Frame
from turntable.datasets.describing.drawings import Drawing, draw_object, list_drawings
from turntable.datasets.split import Split
from turntable.errors import InvalidInputError
from turntable.extras import explain_import_errors

NUM_OBJECTS = 4
"""Number of objects on a page, a column each."""
_PANEL_INCHES = 3.2


def plot_objects(split: Split) -> bytes:
    """Draw the arrays of the first objects: a column for each object, a row for each kind of array.

    Of what moves, the middle frame is drawn.

    Args:
        split: Split of the objects.

    Returns:
        The bytes of a PNG file.

    Raises:
        InvalidInputError: The data set has no arrays to draw.
        IntegrityError: A shard is damaged.
        MissingExtraError: matplotlib is not installed.
    """
    names = list_drawings(split.manifest)
    if not names:
        raise InvalidInputError(
            f"{split.name} has no clouds, tracks, scans, graphs or molecules to draw; its pictures are in "
            "contact-sheet.jpg"
        )
    with explain_import_errors("matplotlib"):
        from matplotlib.figure import Figure
    rows = range(min(NUM_OBJECTS, split.num_objects))
    size = _PANEL_INCHES * len(rows), _PANEL_INCHES * len(names)
    figure: Any = Figure(figsize=size, layout="constrained")
    for line, name in enumerate(names):
        for row in rows:
            axes = figure.add_subplot(len(names), len(rows), line * len(rows) + row + 1, projection="3d")
            _plot_drawing(axes, draw_object(split, row, name))
            axes.set_title(f"{split.get_object_id(row)}\n{names[name].lower()}", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _plot_drawing(axes: Any, drawing: Drawing) -> None:
    if drawing.frames:
        _plot_frame(axes, drawing, drawing.frames[len(drawing.frames) // 2])
    if drawing.from_above:
        axes.view_init(elev=90, azim=-90)
        axes.set_zticks([])
    axes.set_xlabel(drawing.unit, fontsize=7)
    axes.locator_params(nbins=3)
    axes.tick_params(labelsize=6)


def _plot_frame(axes: Any, drawing: Drawing, frame: Frame) -> None:
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    palette = drawing.palette / 255
    size = 2 if len(frame.points) > 500 else 18
    axes.scatter(*frame.points.T, c=palette[frame.point_colors], s=size, depthshade=False, linewidths=0)
    if len(frame.lines):
        lines = Line3DCollection(list(frame.lines), colors=palette[frame.line_colors], linewidths=0.8)
        axes.add_collection3d(lines)
    _set_equal_axes(axes, np.concatenate([frame.points, frame.lines.reshape(-1, 3)]))


def _set_equal_axes(axes: Any, points: NDArray[Any]) -> None:
    """Give the axes limits around some points with one scale, wide enough for all of them."""
    if not len(points):
        return
    low, high = points.min(axis=0), points.max(axis=0)
    sides = np.maximum(high - low, 0.05 * (high - low).max(initial=1e-9))
    for name, start, end in zip("xyz", low, low + sides, strict=True):
        getattr(axes, f"set_{name}lim")(start, end)
    axes.set_box_aspect(sides)
