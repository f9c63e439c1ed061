import json
import math
from dataclasses import fields

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from turntable.datasets.labels import STANDARD_FACTORS_BY_NAME
from turntable.errors import InvalidInputError
from turntable.geometry import euler_to_matrix
from turntable.renderer.scene import (
    DEFAULT_CAMERA,
    OPTIONAL_FACTORS,
    REQUIRED_FACTORS,
    SPOT_POWER_W,
    SUN_STRENGTH,
    Camera,
    describe_camera,
    direction_from_angles,
    scenes_from_labels,
)
from turntable.renderer.scene.scene import FACTOR_DEFAULTS, hue_to_rgb

LABEL = np.array([[0.3, -0.4, 1.1, 0.25, 0.5, 2.0, 0.75]])


def test_camera_stands_where_the_original_does():
    half = 2.5 / np.sqrt(2)
    np.testing.assert_allclose(DEFAULT_CAMERA.position, [0, half, half], atol=1e-12)
    expected = [[-1, 0, 0], [0, 1 / np.sqrt(2), -1 / np.sqrt(2)], [0, -1 / np.sqrt(2), -1 / np.sqrt(2)]]
    np.testing.assert_allclose(DEFAULT_CAMERA.world_to_camera[:3, :3], expected, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(DEFAULT_CAMERA.world_to_camera), 1.0)


def test_intrinsics_at_the_original_size():
    np.testing.assert_allclose(
        DEFAULT_CAMERA.compute_intrinsics(256), [[355.5556, 0, 128], [0, 355.5556, 128], [0, 0, 1]], atol=1e-4
    )


def test_origin_projects_to_the_middle_and_up_is_up():
    np.testing.assert_allclose(DEFAULT_CAMERA.project(np.zeros(3), 100), [50, 50])
    assert DEFAULT_CAMERA.project(np.array([0, 0, 0.1]), 100)[1] < 50
    assert DEFAULT_CAMERA.project(np.array([-0.1, 0, 0]), 100)[0] > 50  # the camera's right is -x


def test_scene_follows_the_label():
    scenes = scenes_from_labels(REQUIRED_FACTORS, LABEL)
    np.testing.assert_allclose(scenes.object_to_world[0, :3, :3], euler_to_matrix(LABEL[0, :3]), atol=1e-12)
    np.testing.assert_allclose(scenes.object_to_world[0, :3, 3], 0)
    np.testing.assert_allclose(scenes.light_position[0], 4 * direction_from_angles(0.5, 2.0))
    np.testing.assert_allclose(scenes.floor_albedo[0], hue_to_rgb(np.array(0.25), 0.6, 0.6))
    np.testing.assert_allclose(scenes.light_color[0], hue_to_rgb(np.array(0.75), 1.0, 0.8))


def test_translation_acts_in_the_objects_frame():
    t = np.array([0.1, -0.2, 0.3])
    names = (*REQUIRED_FACTORS, "translation_x", "translation_y", "translation_z")
    scenes = scenes_from_labels(names, np.concatenate([LABEL[0], t])[None])
    np.testing.assert_allclose(
        scenes.object_to_world[0, :3, 3], euler_to_matrix(LABEL[0, :3]) @ t, atol=1e-12
    )


def test_factors_are_read_by_name_not_by_place():
    order = [6, 2, 0, 5, 1, 4, 3]
    shuffled = scenes_from_labels([REQUIRED_FACTORS[i] for i in order], LABEL[:, order])
    np.testing.assert_array_equal(
        shuffled.object_to_world, scenes_from_labels(REQUIRED_FACTORS, LABEL).object_to_world
    )


def test_missing_and_unknown_factors_are_named():
    with pytest.raises(InvalidInputError, match=r"missing factors: light_hue; unknown factors: glare"):
        scenes_from_labels([*REQUIRED_FACTORS[:6], "glare"], LABEL)


def with_columns(**columns):
    """The scenes of one label and more columns, a view for each of their values."""
    count = len(next(iter(columns.values())))
    values = [np.repeat(LABEL, count, axis=0), *(np.array(column)[:, None] for column in columns.values())]
    return scenes_from_labels((*REQUIRED_FACTORS, *columns), np.concatenate(values, axis=1))


def test_labels_move_the_camera():
    distances, elevations = [1.5, 2.5, 8.0], [0.02, 0.7, 1.5]
    scenes = with_columns(camera_distance=distances, camera_elevation_rad=elevations)
    for view, (distance, elevation) in enumerate(zip(distances, elevations, strict=True)):
        camera = Camera(distance, np.pi / 2 - elevation)
        np.testing.assert_allclose(
            scenes.camera_position[view],
            [0, distance * np.cos(elevation), distance * np.sin(elevation)],
            atol=1e-12,
        )
        np.testing.assert_allclose(scenes.world_to_camera[view], camera.world_to_camera, atol=1e-12)
        np.testing.assert_allclose(
            scenes.world_to_camera[view] @ [0, 0, 0, 1], [0, 0, distance, 1], atol=1e-12
        )
        # The floor ends where rays run level.
        *level_line, offset = scenes.compute_horizons(100)[view]
        assert level_line == [0, 1]
        level = camera.compute_rays(np.array([50.0, -offset]), 100)
        assert level[2] == pytest.approx(0, abs=1e-12)


def test_a_roll_turns_the_camera_about_its_forward_axis():
    """``world_to_camera = Rz(roll) L`` with the level camera L, by scipy's rotations."""
    rolls, elevations = [-3.0, -0.4, 0.0, 1.3, np.pi], [0.1, 0.5, 0.9, 1.2, 1.5]
    rolled = with_columns(camera_roll_rad=rolls, camera_elevation_rad=elevations).world_to_camera
    level = with_columns(camera_elevation_rad=elevations).world_to_camera
    turn = Rotation.from_rotvec(np.outer(rolls, [0, 0, 1])).as_matrix()
    np.testing.assert_allclose(rolled[:, :3, :3], turn @ level[:, :3, :3], atol=1e-12)
    np.testing.assert_allclose(rolled[:, :3, 3], level[:, :3, 3], atol=1e-12)
    np.testing.assert_array_equal(rolled[2], level[2])


def test_labels_shift_the_principal_point():
    scenes = with_columns(principal_point_dx_px=[0.0, 7.5], principal_point_dy_px=[0.0, -3.0])
    for size in (64, 100):
        level = DEFAULT_CAMERA.compute_intrinsics(size)
        intrinsics = scenes.compute_intrinsics(size)
        np.testing.assert_array_equal(intrinsics[0], level)
        np.testing.assert_array_equal(intrinsics[1] - level, [[0, 0, 7.5], [0, 0, -3], [0, 0, 0]])


def test_horizons_are_where_rays_run_level():
    columns = {
        "camera_roll_rad": [0.7, -2.9, 1.6],
        "camera_elevation_rad": [0.1, 0.3, 0.8],
        "principal_point_dx_px": [10.0, 0.0, -31.0],
        "principal_point_dy_px": [0.0, -20.5, 12.0],
    }
    scenes = with_columns(**columns)
    pixels = np.random.default_rng(3).uniform(-50, 150, (1000, 2))
    homogeneous = np.concatenate([pixels, np.ones((1000, 1))], axis=1)
    for view, (intrinsics, line) in enumerate(
        zip(scenes.compute_intrinsics(100), scenes.compute_horizons(100), strict=True)
    ):
        rays = homogeneous @ np.linalg.inv(intrinsics).T @ scenes.world_to_camera[view, :3, :3]
        below = homogeneous @ line
        assert np.hypot(*line[:2]) == pytest.approx(1)
        assert ((rays[:, 2] < 0) == (below > 0)).all()
        on_line = pixels - below[:, None] * line[:2]  # each pixel's nearest point of the horizon
        rays = np.concatenate([on_line, np.ones((1000, 1))], axis=1) @ np.linalg.inv(intrinsics).T
        np.testing.assert_allclose(rays @ scenes.world_to_camera[view, :3, 2], 0, atol=1e-12)


def test_lamps_are_as_strong_as_the_label_says():
    scenes = with_columns(light_power_w=[0.0, 500.0, 1250.0], sun_strength=[0.0, 1.5, 0.75])
    np.testing.assert_array_equal(scenes.light_power_w, [0, 500, 1250])
    np.testing.assert_allclose(scenes.spot_gain, [0, 1, 2.5])
    np.testing.assert_allclose(scenes.sun_gain, [0, 1, 0.5])


def test_labels_that_are_silent_mean_the_original():
    """To the bit: these numbers decide pixels."""
    silent = scenes_from_labels(REQUIRED_FACTORS, LABEL)
    said = scenes_from_labels(
        (*REQUIRED_FACTORS, *OPTIONAL_FACTORS), np.append(LABEL, list(FACTOR_DEFAULTS.values()))[None]
    )
    for field in fields(silent):
        np.testing.assert_array_equal(getattr(silent, field.name), getattr(said, field.name), field.name)
    np.testing.assert_array_equal(silent.world_to_camera[0], DEFAULT_CAMERA.world_to_camera)
    np.testing.assert_array_equal(silent.camera_position[0], DEFAULT_CAMERA.position)
    assert FACTOR_DEFAULTS["camera_distance"] == DEFAULT_CAMERA.distance
    assert FACTOR_DEFAULTS["camera_elevation_rad"] == math.pi / 2 - DEFAULT_CAMERA.polar_rad
    assert FACTOR_DEFAULTS["light_power_w"] == SPOT_POWER_W
    assert FACTOR_DEFAULTS["sun_strength"] == SUN_STRENGTH
    assert {name: STANDARD_FACTORS_BY_NAME[name].default for name in OPTIONAL_FACTORS} == FACTOR_DEFAULTS


def test_some_of_the_views():
    scenes = with_columns(camera_distance=[2.0, 3.0, 4.0, 5.0], sun_strength=[1.0, 2.0, 3.0, 4.0])
    part = scenes[1:3]
    assert len(part) == 2
    for field in fields(scenes):
        if field.name != "part_motions":
            np.testing.assert_array_equal(getattr(part, field.name), getattr(scenes, field.name)[1:3])
    assert part.part_motions is None


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("camera_distance", 0.0, "more than 0"),
        ("camera_elevation_rad", 0.0, "between 0 and pi/2"),
        ("camera_elevation_rad", np.pi / 2, "between 0 and pi/2"),
        ("light_power_w", -1.0, "0 or more"),
        ("sun_strength", -0.5, "0 or more"),
    ],
)
def test_there_is_no_such_camera_or_light(name, value, allowed):
    with pytest.raises(
        InvalidInputError, match=f"{name} is {value:g} in view 1 of these labels; give {allowed}"
    ):
        with_columns(**{name: [1.0, value]})


def test_the_manifest_says_what_moves_the_camera():
    assert describe_camera(96, REQUIRED_FACTORS) == DEFAULT_CAMERA.describe(96)
    moved = describe_camera(96, (*REQUIRED_FACTORS, "camera_elevation_rad"))
    assert {**moved, **DEFAULT_CAMERA.describe(96)} == moved
    assert moved["moved_by"] == ["camera_elevation_rad"]
    assert moved["where_labels_are_silent"] == {"camera_distance": 2.5, "camera_elevation_rad": np.pi / 4}
    assert moved["rule"].endswith("K is the same for every view.")
    assert json.loads(json.dumps(moved)) == moved
    names = ("camera_roll_rad", "principal_point_dx_px", "principal_point_dy_px")
    rolled, shifted = (describe_camera(96, (*REQUIRED_FACTORS, *some)) for some in (names[:1], names[2:]))
    assert rolled["moved_by"] == ["camera_roll_rad"]
    assert rolled["where_labels_are_silent"] == moved["where_labels_are_silent"] | {"camera_roll_rad": 0}
    assert shifted["moved_by"] == ["principal_point_dy_px"]
    assert shifted["where_labels_are_silent"] == moved["where_labels_are_silent"] | dict.fromkeys(
        names[1:], 0
    )
    assert json.loads(json.dumps(shifted)) == shifted


def test_the_manifests_rule_gives_each_views_camera():
    """Written out as its ``rule`` says."""
    distance, e, a = 3.0, 0.4, 1.1
    scenes = with_columns(
        camera_distance=[distance] * 2,
        camera_elevation_rad=[e] * 2,
        camera_roll_rad=[0, a],
        principal_point_dx_px=[0, 5],
        principal_point_dy_px=[0, -2],
    )
    right, down = np.array([-1, 0, 0]), np.array([0, np.sin(e), -np.cos(e)])
    rolled = np.cos(a) * right - np.sin(a) * down, np.sin(a) * right + np.cos(a) * down
    for view, (first, second) in enumerate(((right, down), rolled)):
        expected = [[*first, 0], [*second, 0], [0, -np.cos(e), -np.sin(e), distance], [0, 0, 0, 1]]
        np.testing.assert_allclose(scenes.world_to_camera[view], expected, atol=1e-12)
    described = describe_camera(96, (*REQUIRED_FACTORS, *OPTIONAL_FACTORS))
    intrinsics = np.array(described["K"])
    intrinsics[0][2] += 5
    intrinsics[1][2] -= 2
    np.testing.assert_array_equal(scenes.compute_intrinsics(96)[1], intrinsics)
