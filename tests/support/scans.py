"""Small streets and scans for tests, and the rays and poses to check them by."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.quick_run import InProcess
from turntable.datasets import Recipe, load_recipe
from turntable.renderer import generate, open_recipe_source

SCAN = {"beams": 8, "azimuth_step_deg": 3}
STREET = load_recipe("street").replace(
    views=4, image_size_px=16, objects_per_shard=2, val_fraction=0.0, scan=SCAN
)
"""Streets of two frames, scanned by 960 rays."""
OBJECTS = load_recipe("scan-objects").replace(
    views=2, image_size_px=16, objects_per_shard=4, scan={"beams": 24, "distance_m": {"low": 3, "high": 4}}
)


def make_set(folder: Any, recipe: Recipe, num_objects: int, **how: Any) -> Any:
    """Make a data set in this process, and return its folder."""
    source = open_recipe_source(recipe, None, num_objects)
    generate(recipe, source, folder, **({"engine": InProcess()} | how))
    return folder


def to_meters(recipe: Recipe, poses: NDArray[Any]) -> NDArray[np.float64]:
    """Return part poses [..., 4, 4] in meters above the floor, by the formula of the documentation."""
    metric = poses.astype(np.float64)
    metric[..., :3, 3] = recipe.meters_per_unit * (metric[..., :3, 3] + np.array([0, 0, 1]))
    return metric


def move(pose: NDArray[Any], points: NDArray[Any]) -> NDArray[np.float64]:
    """Return points [N, 3] moved by a pose [4, 4]."""
    return points @ pose[:3, :3].T + pose[:3, 3]


def select_instances(scan: NDArray[Any], instances: Sequence[int]) -> NDArray[np.bool_]:
    """Return which returns [N, 8] are of some instances."""
    return np.isin(scan[:, 4], instances)
