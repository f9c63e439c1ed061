import math
import pickle
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import logm
from scipy.spatial.transform import Rotation

from turntable import geometry
from turntable.datasets import draw_factors, load_recipe, open_dataset
from turntable.datasets.labels import POSE_NAMES, LabelArray, LabelSchema
from turntable.errors import InvalidInputError
from turntable.geometry import QuaternionSign
from turntable.loaders.fields import compute_labels, resolve_labels
from turntable.loaders.fields.labels import (
    DEFAULT_LABELS,
    describe_labels,
    format_label_table,
    list_label_names,
)
from turntable.renderer.scene import DEFAULT_CAMERA, scenes_from_labels

DOCS = Path(__file__).parents[2] / "docs" / "labels.md"
SETS = Path(__file__).parents[1] / "fixtures" / "sets"
SCHEMA = load_recipe("3diebench-t").schema


def draw_labels(recipe: str = "3diebench-t", samples: int = 200, views: int = 2) -> LabelArray:
    """Draw labels [B, k, L]."""
    return draw_factors(load_recipe(recipe), "any/object", range(samples * views)).reshape(samples, views, -1)


def compute_label(
    labels: LabelArray, *names: str, schema: LabelSchema = SCHEMA, sign: QuaternionSign = "product"
) -> dict[str, np.ndarray]:
    fields = resolve_labels(names or list_label_names(schema, labels.shape[1]), schema, labels.shape[1], sign)
    return compute_labels(fields, labels)


def to_scipy_rotations(labels: LabelArray) -> Rotation:
    """Return scipy's rotations of labels [..., L], flattened."""
    return Rotation.from_euler("xyz", labels[..., :3].reshape(-1, 3).astype(np.float64))


def test_rotations_of_views_are_scipys() -> None:
    labels = draw_labels(views=3)
    made, oracle = compute_label(labels), to_scipy_rotations(labels)
    matrices = oracle.as_matrix().reshape(200, 3, 3, 3)
    assert np.allclose(made["rotation"], matrices, atol=1e-7)
    assert np.allclose(made["quaternion"], oracle.as_quat().reshape(200, 3, 4), atol=1e-7)
    assert np.array_equal(made["euler_angles_rad"], labels[..., :3])
    assert np.allclose(made["rotation_6d"][..., :3], matrices @ [1, 0, 0], atol=1e-7)
    assert np.allclose(made["rotation_6d"][..., 3:], matrices @ [0, 1, 0], atol=1e-7)


def test_rotations_of_steps_are_scipys() -> None:
    labels = draw_labels(views=3)
    made = compute_label(labels)
    before, after = to_scipy_rotations(labels[:, :-1]), to_scipy_rotations(labels[:, 1:])
    relative, lead = before.inv() * after, (200, 2)
    assert np.allclose(made["relative_rotation"], relative.as_matrix().reshape(*lead, 3, 3), atol=1e-7)
    assert np.allclose(made["relative_quaternion"], relative.as_quat().reshape(*lead, 4), atol=1e-7)
    assert np.allclose(made["relative_rotation_vector"], relative.as_rotvec().reshape(*lead, 3), atol=1e-6)
    assert np.allclose(made["relative_angle_rad"], relative.magnitude().reshape(lead), atol=1e-6)
    world = (after * before.inv()).as_matrix().reshape(*lead, 3, 3)
    assert np.allclose(made["relative_rotation_world"], world, atol=1e-7)
    columns = relative.as_matrix()[..., :2].swapaxes(-1, -2).reshape(*lead, 6)
    assert np.allclose(made["relative_rotation_6d"], columns, atol=1e-7)


def test_sign_rules_differ_where_they_should() -> None:
    labels = draw_labels(samples=5000)
    product, canonical = (
        compute_label(labels, "quaternion", "relative_quaternion", sign=sign)
        for sign in ("product", "canonical")
    )
    # The share that SIE's labels have.
    assert (product["relative_quaternion"][..., 3] < 0).mean() == pytest.approx(0.044, abs=0.01)
    assert (canonical["relative_quaternion"][..., 3] >= 0).all()
    flipped = np.where(product["relative_quaternion"][..., 3:] < 0, -1, 1) * product["relative_quaternion"]
    assert np.array_equal(canonical["relative_quaternion"], flipped)
    everywhere = draw_labels("so3-ood")
    schema = load_recipe("so3-ood").schema
    assert (compute_label(everywhere, "quaternion", schema=schema)["quaternion"][..., 3] < 0).any()
    assert (
        compute_label(everywhere, "quaternion", schema=schema, sign="canonical")["quaternion"][..., 3] >= 0
    ).all()


def test_translations_by_hand() -> None:
    # A quarter turn about z takes x to y.
    labels = np.zeros((1, 2, len(SCHEMA)), dtype=np.float32)
    labels[0, 1, 2] = math.pi / 2
    labels[0, :, SCHEMA.get_column("translation_x")] = [0.25, 0.5]
    made = compute_label(labels)
    assert np.allclose(made["translation"], [[[0.25, 0, 0], [0.5, 0, 0]]])
    assert np.allclose(made["position"], [[[0.25, 0, 0], [0, 0.5, 0]]], atol=1e-7)
    assert np.allclose(made["translation_difference_object"], [[[0.25, 0, 0]]])
    assert np.allclose(made["translation_difference_base"], [[[-0.25, 0.5, 0]]], atol=1e-7)
    # R1ᵀ (R2 t2 - R1 t1): what the picture shows, told in the axes of view 1.
    assert np.allclose(made["relative_pose"][0, 0, :3, 3], [-0.25, 0.5, 0], atol=1e-7)


CAMERAS = load_recipe("cameras").schema


def test_camera_rotations_turn_the_object_into_the_camera() -> None:
    """The matrix of the renderer's scene, and scipy's rotation of the object."""
    recipe = load_recipe("cameras")
    labels = draw_labels("cameras")
    scenes = scenes_from_labels(recipe.schema.names, labels.reshape(400, -1))
    made = compute_label(labels, "camera_rotation", "allocentric_rotation", schema=CAMERAS)
    expected = scenes.world_to_camera[:, :3, :3] @ to_scipy_rotations(labels).as_matrix()
    assert np.allclose(made["camera_rotation"].reshape(400, 3, 3), expected, atol=1e-7)
    # The object stands in the origin, which every camera looks at: nothing is left to correct.
    assert np.allclose(made["allocentric_rotation"], made["camera_rotation"], atol=1e-6)


@given(st.floats(-3.125, 3.125, width=32), arrays(np.float32, 6, elements=st.floats(-0.5, 0.5, width=32)))
def test_a_roll_turns_camera_rotations_about_the_forward_axis(roll: float, pose: np.ndarray) -> None:
    """camera_rotation' = Rz(a) camera_rotation, and so for the allocentric one of a centered object."""
    factors = (*SCHEMA.factors, *CAMERAS.factors[-3:])
    schema = LabelSchema(factors)
    labels = np.zeros((1, 2, len(schema)), dtype=np.float32)
    labels[..., schema.get_columns(POSE_NAMES)] = pose
    labels[0, 1, schema.get_column("camera_roll_rad")] = roll
    made = compute_label(labels, "camera_rotation", "allocentric_rotation", schema=schema)
    turn = Rotation.from_rotvec([0, 0, float(np.float32(roll))]).as_matrix()
    level, rolled = made["camera_rotation"][0]
    assert np.allclose(rolled, turn @ level, atol=1e-6)
    # Q turns with the picture, so what is left is turned as well: Q' = Rz Q Rzᵀ.
    level, rolled = made["allocentric_rotation"][0]
    assert np.allclose(rolled, turn @ level, atol=1e-6)


def test_old_recipes_have_the_published_camera() -> None:
    labels = draw_labels()
    made = compute_label(labels, "rotation", "camera_rotation", "allocentric_rotation")
    assert np.allclose(
        made["camera_rotation"], DEFAULT_CAMERA.world_to_camera[:3, :3] @ made["rotation"], atol=1e-6
    )
    assert not np.allclose(made["camera_rotation"], made["allocentric_rotation"], atol=1e-2)


@pytest.mark.parametrize("name", ["pairs", "sequences", "imported"])
def test_sets_written_before_have_camera_rotations(name: str) -> None:
    dataset = open_dataset(SETS / name)
    with dataset.open_split("train") as split:
        labels = split.labels[:, :2]
    made = compute_label(labels, "rotation", "camera_rotation", "allocentric_rotation", schema=dataset.schema)
    world_to_camera = np.array(dataset.manifest.camera["world_to_camera"])[:3, :3]
    assert np.allclose(made["camera_rotation"], world_to_camera @ made["rotation"], atol=1e-6)
    assert np.allclose(np.linalg.det(made["allocentric_rotation"]), 1, atol=1e-6)


shifts = arrays(np.float32, (2, 3), elements=st.floats(-0.5, 0.5, width=32))


@given(arrays(np.float32, (2, 3), elements=st.floats(-3, 3, width=32)), shifts)
def test_relative_labels_complete_the_first_view_to_the_second(
    angles: np.ndarray, translations: np.ndarray
) -> None:
    labels = np.zeros((1, 2, len(SCHEMA)), dtype=np.float32)
    labels[0, :, :3] = angles
    labels[0][:, SCHEMA.get_columns([f"translation_{axis}" for axis in "xyz"])] = translations
    made = {name: values[0] for name, values in compute_label(labels).items()}
    pose, rotation = made["pose"], made["rotation"]
    assert np.allclose(pose[0] @ made["relative_pose"][0], pose[1], atol=1e-6)
    assert np.allclose(rotation[0] @ made["relative_rotation"][0], rotation[1], atol=1e-6)
    assert np.allclose(made["relative_rotation_world"][0] @ rotation[0], rotation[1], atol=1e-6)
    assert np.allclose(geometry.exp_se3(made["relative_twist"][0]), made["relative_pose"][0], atol=1e-5)
    assert np.allclose(
        made["position"][0] + made["translation_difference_base"][0], made["position"][1], atol=1e-6
    )
    for name, matrix in (
        ("rotation_6d", rotation[0]),
        ("relative_rotation_6d", made["relative_rotation"][0]),
    ):
        assert np.allclose(orthonormalize(made[name][0]), matrix, atol=1e-6)


def orthonormalize(six: np.ndarray) -> np.ndarray:
    """Return the matrix of six numbers by equation 15 of Zhou et al. (2019)."""
    first = six[:3] / np.linalg.norm(six[:3])
    second = six[3:] - (first @ six[3:]) * first
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def test_differences_of_factors_are_the_second_minus_the_first() -> None:
    labels = draw_labels(views=3)
    made = compute_label(labels)
    for column, name in enumerate(SCHEMA.names):
        assert np.array_equal(made[name], labels[..., column])
        expected = labels[:, 1:, column].astype(np.float64) - labels[:, :-1, column]
        assert np.array_equal(made[f"{name}_difference"], expected.astype(np.float32))
    assert np.array_equal(made["factors"], labels)


@given(
    st.sampled_from(["floor_hue", "light_hue", "light_phi_rad", "rotation_z_rad"]),
    st.floats(-7, 7, width=32),
    st.floats(-7, 7, width=32),
)
def test_circular_differences_go_the_shorter_way_round(name: str, first: float, second: float) -> None:
    labels = np.zeros((1, 2, len(SCHEMA)), dtype=np.float32)
    labels[0, :, SCHEMA.get_column(name)] = first, second
    period = SCHEMA.factors[SCHEMA.get_column(name)].period
    assert period is not None
    found = compute_label(labels, f"{name}_difference_circular")[f"{name}_difference_circular"][0, 0]
    half = np.float32(period / 2)
    assert -half <= found < half
    # They lead from one to the other, whole turns aside.
    assert np.cos((first + found - second) * 2 * np.pi / period) == pytest.approx(1, abs=1e-9)
    linear = second - first
    if abs(linear) < period / 2 - 1e-6:
        assert found == np.float32(linear)


def test_half_a_turn_is_half_a_turn_back() -> None:
    labels = np.zeros((3, 2, len(SCHEMA)), dtype=np.float32)
    hue = SCHEMA.get_column("floor_hue")
    labels[:, 0, hue] = [0.0, 0.5, 1e-12]
    labels[:, 1, hue] = [0.5, 0.0, 0.5]
    made = compute_label(labels, "floor_hue_difference_circular", "floor_hue_difference")
    # The last rounds to 0.5, which the range does not hold.
    assert made["floor_hue_difference_circular"][:, 0].tolist() == [-0.5, -0.5, -0.5]
    assert made["floor_hue_difference"][:, 0].tolist() == [0.5, -0.5, 0.5]


def test_stored_twists_are_those_of_the_steps() -> None:
    schema = load_recipe("sequences").schema
    labels = draw_labels("sequences", samples=20, views=10)
    made = compute_label(labels, "twist", "relative_twist", "relative_pose", schema=schema)
    assert not made["twist"][:, 0].any()
    assert np.allclose(made["twist"][:, 1:], made["relative_twist"], atol=1e-5)
    logarithm = np.real(logm(made["relative_pose"][3, 4].astype(np.float64)))
    own = [logarithm[2, 1], logarithm[0, 2], logarithm[1, 0], *logarithm[:3, 3]]
    assert np.allclose(made["twist"][3, 5], own, atol=1e-5)


@pytest.mark.parametrize("recipe", ["3diebench", "3diebench-t", "sequences", "viewpoints"])
def test_every_label_of_every_recipe_has_its_shape_and_is_the_same_alone(recipe: str) -> None:
    schema = load_recipe(recipe).schema
    labels = draw_labels(recipe, samples=7, views=3)
    fields = resolve_labels(list_label_names(schema, 3), schema, 3)
    made = compute_labels(pickle.loads(pickle.dumps(fields)), labels)
    assert list(made) == [field.name for field in fields]
    for field in fields:
        together = made[field.name]
        assert together.shape == (7, 3 if field.per == "view" else 2, *field.shape)
        assert together.dtype == field.dtype == "float32"
        assert field.meaning
        assert field.unit
        for row in range(7):
            alone = compute_labels([field], labels[row : row + 1])[field.name]
            assert np.array_equal(alone[0], together[row]), field.name


def test_values_are_rounded_once() -> None:
    labels = draw_labels(samples=500)
    exact = geometry.compute_relative_rotation(*np.moveaxis(SCHEMA.compute_rotations(labels), 1, 0))
    assert np.array_equal(compute_label(labels)["relative_rotation"][:, 0], exact.astype(np.float32))


def test_labels_of_single_views() -> None:
    labels = draw_labels(views=1)
    made = compute_label(labels)
    assert "rotation" in made
    assert not any("relative" in name or "difference" in name for name in made)
    with pytest.raises(InvalidInputError, match="relative_pose: they need two views"):
        resolve_labels(["rotation", "relative_pose"], SCHEMA, 1)


def test_names_come_once_in_the_order_asked() -> None:
    fields = resolve_labels(["factors", "rotation", "factors"], SCHEMA, 2)
    assert [field.name for field in fields] == ["factors", "rotation"]
    assert compute_labels([], draw_labels()) == {}
    assert set(DEFAULT_LABELS) <= set(list_label_names(load_recipe("3diebench").schema))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("relativ_rotation", "did you mean relative_rotation or .* There are rotation, .*floor_hue"),
        ("floor_hue_diff", "did you mean floor_hue_difference"),
        ("zzz", "no field 'zzz'; There are rotation"),
        ("translation", "'3diebench-t' is a recipe that does"),
        ("translation_difference_base", "'3diebench-t'"),
        ("translation_y_difference", "'3diebench-t'"),
        ("twist", "'sequences'"),
        ("camera_distance", "'viewpoints'"),
        ("camera_roll_rad", "'cameras'"),
        ("light_theta_rad_difference_circular", "has no period .*floor_hue.*use light_theta_rad_difference"),
        ("FACTOR", "no field 'FACTOR'"),
    ],
)
def test_what_there_is_not_is_explained(name: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        resolve_labels(["rotation", name], load_recipe("3diebench").schema, 2)


@pytest.mark.parametrize(
    "name",
    [
        "translation",
        "twist",
        "camera_distance",
        "sun_strength_difference",
        "camera_roll_rad",
        "principal_point_dy_px",
    ],
)
def test_the_recipe_that_an_error_names_has_the_label(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolve_labels([name], load_recipe("3diebench").schema, 2)
    recipe = str(caught.value).split("; '")[1].split("'")[0]
    assert resolve_labels([name], load_recipe(recipe).schema, 2)[0].name == name


def test_arguments_that_cannot_be_right() -> None:
    with pytest.raises(InvalidInputError, match="give a list of names"):
        resolve_labels("rotation", SCHEMA, 2)
    with pytest.raises(InvalidInputError, match="quaternion sign 'random'; choose one of"):
        resolve_labels(["rotation"], SCHEMA, 2, "random")  # type: ignore[arg-type]


def test_every_label_stands_in_the_table_of_the_docs() -> None:
    assert format_label_table() in DOCS.read_text("utf-8")
    there = {*list_label_names(SCHEMA), *list_label_names(load_recipe("sequences").schema)}
    assert {row.name for row in describe_labels() if "FACTOR" not in row.name} <= there


def test_a_batch_takes_a_few_milliseconds() -> None:
    labels = draw_labels(samples=1024)
    fields = resolve_labels(list_label_names(SCHEMA), SCHEMA, 2)
    compute_labels(fields, labels)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        compute_labels(fields, labels)
        times.append(time.perf_counter() - begin)
    # About 2 ms for all 44 labels; one by one in Python it would be hundreds.
    assert min(times) < 0.05
