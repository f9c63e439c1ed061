import numpy as np
import pytest

from turntable.datasets.rotations import euler_to_matrix
from turntable.errors import InvalidInputError
from turntable.renderer.scene import CAMERA, REQUIRED, direction, hue_to_rgb, scenes_from_labels

LABEL = np.array([[0.3, -0.4, 1.1, 0.25, 0.5, 2.0, 0.75]])


def test_camera_stands_where_the_original_does():
    half = 2.5 / np.sqrt(2)
    np.testing.assert_allclose(CAMERA.position, [0, half, half], atol=1e-12)
    expected = [[-1, 0, 0], [0, 1 / np.sqrt(2), -1 / np.sqrt(2)], [0, -1 / np.sqrt(2), -1 / np.sqrt(2)]]
    np.testing.assert_allclose(CAMERA.world_to_camera[:3, :3], expected, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(CAMERA.world_to_camera), 1.0)


def test_intrinsics_at_the_original_size():
    np.testing.assert_allclose(
        CAMERA.intrinsics(256), [[355.5556, 0, 128], [0, 355.5556, 128], [0, 0, 1]], atol=1e-4
    )


def test_origin_projects_to_the_middle_and_up_is_up():
    np.testing.assert_allclose(CAMERA.project(np.zeros(3), 100), [50, 50])
    assert CAMERA.project(np.array([0, 0, 0.1]), 100)[1] < 50
    assert CAMERA.project(np.array([-0.1, 0, 0]), 100)[0] > 50  # the camera's right is -x


def test_scene_follows_the_label():
    scenes = scenes_from_labels(REQUIRED, LABEL)
    np.testing.assert_allclose(scenes.object_to_world[0, :3, :3], euler_to_matrix(LABEL[0, :3]), atol=1e-12)
    np.testing.assert_allclose(scenes.object_to_world[0, :3, 3], 0)
    np.testing.assert_allclose(scenes.light_position[0], 4 * direction(0.5, 2.0))
    np.testing.assert_allclose(scenes.floor_albedo[0], hue_to_rgb(np.array(0.25), 0.6, 0.6))
    np.testing.assert_allclose(scenes.light_color[0], hue_to_rgb(np.array(0.75), 1.0, 0.8))


def test_translation_acts_in_the_objects_frame():
    t = np.array([0.1, -0.2, 0.3])
    names = (*REQUIRED, "translation_x", "translation_y", "translation_z")
    scenes = scenes_from_labels(names, np.concatenate([LABEL[0], t])[None])
    np.testing.assert_allclose(
        scenes.object_to_world[0, :3, 3], euler_to_matrix(LABEL[0, :3]) @ t, atol=1e-12
    )


def test_factors_are_read_by_name_not_by_place():
    order = [6, 2, 0, 5, 1, 4, 3]
    shuffled = scenes_from_labels([REQUIRED[i] for i in order], LABEL[:, order])
    np.testing.assert_array_equal(
        shuffled.object_to_world, scenes_from_labels(REQUIRED, LABEL).object_to_world
    )


def test_missing_and_unknown_factors_are_named():
    with pytest.raises(InvalidInputError, match=r"missing factors: light_hue; unknown factors: glare"):
        scenes_from_labels([*REQUIRED[:6], "glare"], LABEL)
