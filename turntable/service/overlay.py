"""Where the parts of a label lie in a picture: axes, light and translation, in shares of its side."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turntable.renderer.scene import CAMERA, Scenes, scenes_from_labels
from turntable.service.catalogue import Entry

AXIS_LENGTH = 0.5
"""Of the object's axes, in diagonals of its bounding box."""
LIGHT_FROM, LIGHT_TO = 0.95, 0.45
"""Distances from the origin between which the light's arrow is drawn, towards the object."""
Line = tuple[tuple[float, float], tuple[float, float]]


def overlay(entry: Entry, label: NDArray[np.floating]) -> dict[str, Line] | None:
    """Lines over the picture of a view, each from a place to a place; (0, 0) is the top left corner.

    Args:
        entry: The data set.
        label: [L] of all columns.

    Returns:
        ``x``, ``y``, ``z``: the object's axes, from its centre. ``light``: its direction, towards the centre.
        ``translation``: from where the object would stand without. None where no scene can be made of these
        labels, as of imported ones.
    """
    schema = entry.dataset.schema
    try:
        with np.errstate(all="ignore"):
            lines = _lines(scenes_from_labels(schema.scene_names, schema.scene_columns(label)[None]))
    except (ValueError, ArithmeticError):  # an InvalidInputError is a ValueError
        return None
    return lines if np.isfinite(np.array(list(lines.values()))).all() else None


def _lines(scenes: Scenes) -> dict[str, Line]:
    pose, light = scenes.object_to_world[0], scenes.light_position[0]
    centre, towards = pose[:3, 3], light / np.linalg.norm(light)
    ends = {
        **{name: (centre, centre + AXIS_LENGTH * pose[:3, column]) for column, name in enumerate("xyz")},
        "light": (centre + LIGHT_FROM * towards, centre + LIGHT_TO * towards),
        "translation": (np.zeros(3), centre),
    }
    return {name: (_seen(scenes, first), _seen(scenes, second)) for name, (first, second) in ends.items()}


def _seen(scenes: Scenes, point: Sequence[float] | NDArray[np.floating]) -> tuple[float, float]:
    """A place in the world as a place in the picture of side 1."""
    matrix = scenes.world_to_camera[0]
    camera = matrix[:3, :3] @ np.asarray(point) + matrix[:3, 3]
    x, y, depth = CAMERA.intrinsics(1) @ camera
    return float(x / depth), float(y / depth)
