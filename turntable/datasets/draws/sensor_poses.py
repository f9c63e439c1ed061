"""The draw of the poses of a scanner's sensor: on the vehicle of a street, or around an object."""

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.draws.philox import draw_words, make_philox_key, words_to_units
from turntable.datasets.draws.street_motions import Tracks, draw_ego_poses
from turntable.datasets.recipes import Recipe

Array = NDArray[np.float64]


def draw_sensor_poses(recipe: Recipe, object_id: str, views: NDArray[np.int64]) -> Array:
    """Draw the poses [V, 4, 4] of the sensor in meters, in the frame whose ground is z = 0.

    Without a street, the sensor faces the vertical axis from a distance and a direction that are drawn for
    each view, or once for each sequence. They depend on the recipe's label digest, the object and the view's
    number, not on the numbers of the scanner: scanners that differ in their noise stand in the same places.

    Args:
        recipe: Recipe with a table [scan].
        object_id: Id of the object.
        views: Numbers [V] of the views, in any order.
    """
    rule = recipe.scan
    assert rule is not None
    if recipe.street is not None:
        poses = draw_ego_poses(recipe, object_id, views)
    else:
        assert rule.distance_m is not None
        poses = _draw_poses_around(recipe, object_id, views, rule.distance_m)
    poses[:, 2, 3] = rule.height_m
    return poses


def _draw_poses_around(
    recipe: Recipe, object_id: str, views: NDArray[np.int64], distance_m: tuple[float, float]
) -> Array:
    length = recipe.sequence.length if recipe.sequence is not None else 1
    key = make_philox_key(recipe.label_digest, object_id, "sensor")
    units = words_to_units(draw_words(key, views // length, 4))
    low, high = distance_m
    angle, distance = 2 * np.pi * units[:, 0], low + (high - low) * units[:, 1]
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return Tracks(distance[:, None] * direction, angle + np.pi).make_poses()
