"""Tracks of objects, made as a run makes them, but without a run."""

import numpy as np
import pytest

from turntable.datasets import draw_factors
from turntable.renderer import pose_parts
from turntable.renderer.scene import scenes_from_labels
from turntable.renderer.tracks import compute_track_arrays


@pytest.fixture
def track():
    """Return a function from a recipe, an object's id and its mesh to its arrays, poses and labels."""

    def compute(recipe, object_id, mesh):
        views = np.arange(recipe.views)
        labels = draw_factors(recipe, object_id, views)
        pose = scenes_from_labels(
            recipe.schema.scene_names, recipe.schema.select_scene_columns(labels)
        ).object_to_world
        parts = pose_parts(recipe, object_id, mesh, views, pose)
        arrays = compute_track_arrays(recipe, object_id, mesh, labels, pose, parts)
        return dict(arrays), pose, parts, labels

    return compute
