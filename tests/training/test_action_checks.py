"""Data in which more moves than a method's action says: a warning that names it, and what to do."""

import pytest

from turntable.datasets import load_recipe
from turntable.loaders.fields import DataDescription
from turntable.models import DataInfo, build_backbone, build_method, get_method_entry
from turntable.training import make_demo_config, train
from turntable.training.steps import find_unexplained_changes
from turntable.training.steps.action_checks import list_explained_factors


def warnings_of(method, recipe, **changes):
    config = make_demo_config(method, "set", method_config=changes)
    data = DataDescription.from_recipe(recipe if not isinstance(recipe, str) else load_recipe(recipe))
    backbone = build_backbone("small", 32) if get_method_entry(method).has_backbone else None
    info = DataInfo(4, (0.5,) * 3, (0.25,) * 3, 32)
    return find_unexplained_changes(config, build_method(method, config.method_config, backbone, info), data)


@pytest.mark.parametrize(
    "method", ["sie", "equimod-simclr", "sen", "conditional-byol", "equicaps-3x3", "seq-jepa"]
)
def test_a_moving_camera_is_warned_of(method):
    (line,) = warnings_of(method, "viewpoints")
    assert line.startswith(f"{method} predicts one view from another by relative_")
    assert "from view to view: camera_distance, camera_elevation_rad. " in line
    assert "--set action=relative_" in line
    assert "camera_distance_difference,camera_elevation_rad_difference" in line
    assert "floor_hue" not in line
    assert "light" not in line


def test_the_advice_ends_the_warning():
    (line,) = warnings_of("sie", "viewpoints")
    action = line.split("--set action=")[1].split(". ")[0]
    assert warnings_of("sie", "viewpoints", action=tuple(action.split(","))) == []


def test_rolls_and_shifts_are_warned_of_and_their_differences_explain_them():
    (line,) = warnings_of("sie", "cameras")
    action = line.split("--set action=")[1].split(". ")[0]
    assert action == (
        "relative_quaternion,camera_roll_rad_difference,principal_point_dx_px_difference,"
        "principal_point_dy_px_difference"
    )
    assert warnings_of("sie", "cameras", action=tuple(action.split(","))) == []


def test_translations_are_warned_of_and_a_pose_explains_them():
    (line,) = warnings_of("sie", "3diebench-t")
    assert "translation_x, translation_y, translation_z" in line
    assert "--set action=relative_pose. " in line
    assert warnings_of("sie", "3diebench-t", action=("relative_pose",)) == []
    assert warnings_of("equicaps-4x4", "3diebench-t") == []


@pytest.mark.parametrize("recipe", ["zoo", "3diebench", "so3-ood"])
def test_what_only_looks_different_is_no_motion(recipe):
    assert warnings_of("sie", recipe) == []


@pytest.mark.parametrize(
    "method", ["simclr", "vicreg", "byol", "supervised-rotation", "augself", "seq-jepa-no-action"]
)
def test_methods_without_a_prediction_explain_nothing(method):
    assert warnings_of(method, "viewpoints") == []


@pytest.mark.parametrize(
    ("label", "factors"),
    [
        ("relative_angle_rad", ()),
        ("relative_rotation_6d", ("rotation_x_rad", "rotation_y_rad", "rotation_z_rad")),
        ("camera_distance_difference", ("camera_distance",)),
        ("rotation_x_rad_difference_circular", ("rotation_x_rad",)),
    ],
)
def test_what_a_label_explains(label, factors):
    assert list_explained_factors(label) == factors


def test_training_warns_at_its_start(full_dataset, tmp_path):
    warned = []
    settings = {"epochs": 1, "pairs_per_object": 2, "batch_size": 4}
    train(make_demo_config("sie", full_dataset, **settings), tmp_path / "run", warn=warned.append)
    moved = [line for line in warned if "from view to view" in line]
    assert len(moved) == 1
    assert "translation_x" in moved[0]
