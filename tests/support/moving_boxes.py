"""A small set of sequences of assemblies whose lids and drawers open from view to view."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.support.assemblies import BACKEND, HingedBoxes
from tests.support.quick_run import InProcess
from turntable.datasets import load_recipe
from turntable.datasets.objects import compute_joint_motions, get_rest_poses, list_joints
from turntable.renderer import generate
from turntable.renderer.posing import PartPoses

LENGTH = 6
RECIPE = load_recipe("sequences").replace(
    name="moving",
    description="Boxes that turn while their lids and drawers open",
    source="folder",
    views=2 * LENGTH,
    image_size_px=48,
    quality="fast",
    val_fraction=0.0,
    outputs=["rgb", "mask", "depth", "normals", "coordinates", "parts", "flow"],
    sequence={"length": LENGTH, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.15}},
)


def pose_opening_parts(recipe, object_id, mesh, views, object_to_world):
    """Joints that go from a tenth of their greatest value to all of it over each sequence."""
    if not mesh.parts:
        return None
    high = np.array([joint.high for joint in list_joints(mesh.parts)])
    shares = 0.1 + 0.9 * (views % LENGTH) / (LENGTH - 1)
    values = (shares[:, None] * high).astype(np.float32)
    poses = object_to_world[:, None] @ compute_joint_motions(mesh.parts, values) @ get_rest_poses(mesh.parts)
    return PartPoses(poses.astype(np.float32), values)


@contextmanager
def opening_parts() -> Iterator[None]:
    """Pose parts so in this process until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("turntable.renderer.views.pose_parts", pose_opening_parts)
        yield


def write_moving_boxes(folder: Path, backend: str = BACKEND, **changes: object) -> Path:
    """Write two assemblies, the first with a drawer, and an object of one piece; in one split."""
    with opening_parts():
        source = HingedBoxes(2, plain=1)
        generate(RECIPE.replace(**changes), source, folder, backend=backend, engine=InProcess())
    return folder
