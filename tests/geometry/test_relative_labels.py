"""The table of relative labels: each label's way back is that of the two views exchanged."""

import numpy as np
import pytest

from turntable import geometry
from turntable.errors import InvalidInputError
from turntable.geometry import (
    FACTOR_DIFFERENCES,
    RELATIVE_LABELS,
    RelativeLabel,
    compute_relative_quaternion,
    compute_relative_rotation,
    euler_to_matrix,
    euler_to_quaternion,
    get_relative_label,
    invert_pose,
    log_se3,
    log_so3,
    matrix_to_quaternion,
)

RNG = np.random.default_rng(0)
ANGLES = RNG.uniform(-1.5, 1.5, (2, 50, 3))
SHIFTS = RNG.uniform(-0.5, 0.5, (2, 50, 3))
BACK = {
    "same": lambda values: values,
    "negated": lambda values: -values,
    "conjugate": geometry.conjugate_quaternion,
    "transposed": lambda values: values.swapaxes(-1, -2),
    "inverted": invert_pose,
}


def values_of(name, first, second):
    """Compute a label of 50 steps from view ``first`` to view ``second``, by independent formulas."""
    R1, R2 = euler_to_matrix(ANGLES[first]), euler_to_matrix(ANGLES[second])
    M1, M2 = (geometry.make_pose(R, SHIFTS[view]) for R, view in ((R1, first), (R2, second)))
    relative = compute_relative_rotation(R1, R2)
    return {
        "relative_rotation": relative,
        "relative_quaternion": compute_relative_quaternion(
            euler_to_quaternion(ANGLES[first]), euler_to_quaternion(ANGLES[second])
        ),
        "relative_rotation_6d": np.concatenate([relative[..., 0], relative[..., 1]], axis=-1),
        "relative_rotation_vector": log_so3(relative),
        "relative_rotation_world": R2 @ R1.swapaxes(-1, -2),
        "relative_angle_rad": 2 * np.arccos(np.abs(matrix_to_quaternion(relative)[..., 3])),
        "relative_pose": np.linalg.inv(M1) @ M2,
        "relative_twist": log_se3(np.linalg.inv(M1) @ M2),
        "translation_difference_object": SHIFTS[second] - SHIFTS[first],
        "translation_difference_base": M2[..., :3, 3] - M1[..., :3, 3],
        "FACTOR_difference": ANGLES[second, :, 0] - ANGLES[first, :, 0],
        "FACTOR_difference_circular": np.mod(ANGLES[second, :, 0] - ANGLES[first, :, 0] + np.pi, 2 * np.pi)
        - np.pi,
    }[name]


@pytest.mark.parametrize("label", [*RELATIVE_LABELS, *FACTOR_DIFFERENCES], ids=lambda label: label.name)
def test_the_way_back_is_the_label_of_the_views_exchanged(label: RelativeLabel) -> None:
    there, back = values_of(label.name, 0, 1), values_of(label.name, 1, 0)
    assert there.shape == (50, *label.shape)
    assert label.width == there[0].size
    holds = {
        kind for kind, apply in BACK.items() if kind_fits(kind, there) and np.allclose(apply(there), back)
    }
    assert holds == ({label.inverse} if label.inverse else set())


def kind_fits(kind, values):
    shapes = {"transposed": (3, 3), "inverted": (4, 4), "conjugate": (4,)}
    return kind not in shapes or values.shape[1:] == shapes[kind]


def test_a_label_is_found_by_its_name() -> None:
    names = [label.name for label in RELATIVE_LABELS]
    assert len(set(names)) == len(names)
    assert all(get_relative_label(label.name) is label for label in RELATIVE_LABELS)
    hue = get_relative_label("floor_hue_difference_circular")
    assert (hue.name, hue.width, hue.inverse) == ("floor_hue_difference_circular", 1, "negated")
    assert "period" in hue.meaning
    assert "period" not in get_relative_label("floor_hue_difference").meaning
    for name in ("rotation", "floor_hue", "relative_roll", ""):
        with pytest.raises(
            InvalidInputError, match=r"there is no relative label .* relative_pose, .*floor_hue_difference"
        ):
            get_relative_label(name)
