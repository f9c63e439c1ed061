import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from turntable import geometry as rot
from turntable.errors import InvalidInputError

angle = st.floats(-math.pi, math.pi)
angles = arrays(np.float64, 3, elements=angle)
box = arrays(np.float64, 3, elements=st.floats(-math.pi / 2, math.pi / 2))


def random_angles(count: int, reach: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(-reach, reach, (count, 3))


def same_rotation(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a, b, atol=1e-12)


def test_matrix_is_rz_ry_rx_by_hand() -> None:
    # A quarter turn about z alone takes x to y; then a quarter about x first takes y to z.
    assert np.allclose(rot.euler_to_matrix([0, 0, math.pi / 2]) @ [1, 0, 0], [0, 1, 0])
    assert np.allclose(rot.euler_to_matrix([math.pi / 2, 0, math.pi / 2]) @ [0, 1, 0], [0, 0, 1])
    assert np.allclose(rot.euler_to_matrix([math.pi / 2, 0, math.pi / 2]) @ [1, 0, 0], [0, 1, 0])


def test_euler_agrees_with_scipy() -> None:
    drawn = random_angles(5000, math.pi)
    scipy = Rotation.from_euler("xyz", drawn)
    assert np.allclose(rot.euler_to_matrix(drawn), scipy.as_matrix(), atol=1e-14)
    assert np.allclose(rot.euler_to_quaternion(drawn), scipy.as_quat(), atol=1e-14)
    # scipy's answer is one of two; ours must be the same one, within |ry| <= pi/2.
    assert np.allclose(rot.matrix_to_euler(scipy.as_matrix()), scipy.as_euler("xyz"), atol=1e-9)


def test_product_sign_is_scipys_on_training_pairs() -> None:
    first, second = random_angles(40000, math.pi / 2).reshape(2, -1, 3)
    ours = rot.compute_relative_quaternion(rot.euler_to_quaternion(first), rot.euler_to_quaternion(second))
    scipy = (Rotation.from_euler("xyz", first).inv() * Rotation.from_euler("xyz", second)).as_quat()
    assert np.allclose(ours, scipy, atol=1e-14)
    # The share that SIE's labels have: neither rule may be mistaken for the other.
    assert (ours[:, 3] < 0).mean() == pytest.approx(0.044, abs=0.005)


def test_quaternion_of_the_training_box_has_no_negative_w() -> None:
    corners = np.stack(np.meshgrid(*[[-math.pi / 2, 0, math.pi / 2]] * 3), axis=-1)
    assert (rot.euler_to_quaternion(corners)[..., 3] >= -1e-15).all()


@given(angles)
def test_matrix_is_a_rotation(a: np.ndarray) -> None:
    R = rot.euler_to_matrix(a)
    assert same_rotation(R @ R.T, np.eye(3))
    assert np.linalg.det(R) == pytest.approx(1)


@given(angles)
def test_euler_round_trip_gives_the_same_rotation(a: np.ndarray) -> None:
    R = rot.euler_to_matrix(a)
    back = rot.matrix_to_euler(R)
    assert np.allclose(rot.euler_to_matrix(back), R, atol=1e-10)
    assert abs(back[1]) <= math.pi / 2


@given(angle, angle, st.sampled_from([-math.pi / 2, math.pi / 2]), st.floats(-1e-6, 1e-6))
def test_euler_round_trip_holds_at_and_near_gimbal_lock(x: float, z: float, lock: float, off: float) -> None:
    R = rot.euler_to_matrix([x, lock + off, z])
    assert np.allclose(rot.euler_to_matrix(rot.matrix_to_euler(R)), R, atol=1e-10)


def test_gimbal_lock_has_no_third_angle() -> None:
    R = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    assert np.allclose(rot.matrix_to_euler(R), [0, math.pi / 2, 0])


@given(box)
def test_euler_angles_of_the_training_box_come_back(a: np.ndarray) -> None:
    if abs(a[1]) < math.pi / 2 - 1e-3:
        assert np.allclose(rot.matrix_to_euler(rot.euler_to_matrix(a)), a, atol=1e-9)


@given(angles)
def test_quaternion_and_matrix_agree(a: np.ndarray) -> None:
    q = rot.euler_to_quaternion(a)
    R = rot.euler_to_matrix(a)
    assert same_rotation(rot.quaternion_to_matrix(q), R)
    assert same_rotation(rot.quaternion_to_matrix(-3 * q), R)
    back = rot.matrix_to_quaternion(R)
    assert back[3] >= 0
    assert abs(back @ q) == pytest.approx(1, abs=1e-12)


@given(angles, angles)
def test_product_of_quaternions_is_product_of_matrices(a: np.ndarray, b: np.ndarray) -> None:
    product = rot.multiply_quaternions(rot.euler_to_quaternion(a), rot.euler_to_quaternion(b))
    assert same_rotation(rot.quaternion_to_matrix(product), rot.euler_to_matrix(a) @ rot.euler_to_matrix(b))


@given(angles, angles)
def test_relative_rotation_completes_the_first_to_the_second(a: np.ndarray, b: np.ndarray) -> None:
    R1, R2 = rot.euler_to_matrix(a), rot.euler_to_matrix(b)
    relative = rot.compute_relative_rotation(R1, R2)
    assert same_rotation(R1 @ relative, R2)
    for sign in ("product", "canonical"):
        q = rot.compute_relative_quaternion(rot.euler_to_quaternion(a), rot.euler_to_quaternion(b), sign)
        assert same_rotation(rot.quaternion_to_matrix(q), relative)


@given(angles)
def test_conjugate_is_the_inverse(a: np.ndarray) -> None:
    q = rot.euler_to_quaternion(a)
    assert np.allclose(rot.multiply_quaternions(q, rot.conjugate_quaternion(q)), [0, 0, 0, 1])


def test_canonical_chooses_one_of_each_two() -> None:
    assert (rot.canonicalize_quaternion([0.0, 0, 0.6, -0.8]) == [0, 0, -0.6, 0.8]).all()
    for half_turn in ([1.0, 0, 0, 0], [0, 0.6, -0.8, 0], [0, 0, 1.0, 0], [0.6, 0, -0.8, -0.0]):
        q = np.array(half_turn)
        assert (rot.canonicalize_quaternion(q) == rot.canonicalize_quaternion(-q)).all()
        assert (rot.canonicalize_quaternion(-q) == q).all()


def test_half_turns_about_all_axes_become_quaternions() -> None:
    axes = np.random.default_rng(1).normal(size=(500, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    R = 2 * axes[:, :, None] * axes[:, None, :] - np.eye(3)
    q = rot.matrix_to_quaternion(R)
    assert np.allclose(np.abs(np.sum(q[:, :3] * axes, axis=1)), 1, atol=1e-12)


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-8, 1e-4, 1.0, 3.0, math.pi - 1e-8, math.pi - 1e-12, math.pi])
def test_geodesic_angle_is_exact_at_both_ends(size: float) -> None:
    R = rot.euler_to_matrix(random_angles(200, math.pi))
    axis = np.array([0.6, 0.0, 0.8])
    turn = rot.quaternion_to_matrix([*(axis * math.sin(size / 2)), math.cos(size / 2)])
    # The matrix itself is only good to the last bit: 1e-15 in angle at best.
    assert np.allclose(rot.compute_geodesic_angle(R, R @ turn), size, rtol=1e-6, atol=2e-15)


@given(angles, angles)
def test_geodesic_angle_is_symmetric_and_at_most_pi(a: np.ndarray, b: np.ndarray) -> None:
    R1, R2 = rot.euler_to_matrix(a), rot.euler_to_matrix(b)
    assert rot.compute_geodesic_angle(R1, R2) == pytest.approx(rot.compute_geodesic_angle(R2, R1), abs=1e-12)
    assert 0 <= rot.compute_geodesic_angle(R1, R2) <= math.pi + 1e-12


def test_pose_translates_in_the_objects_frame() -> None:
    quarter = rot.euler_to_matrix([0, 0, math.pi / 2])
    matrix = rot.make_pose(quarter, [0.5, 0, 0])
    assert np.allclose(matrix @ [0, 0, 0, 1], [0, 0.5, 0, 1])
    assert rot.make_pose(np.stack([quarter] * 3), np.zeros((3, 3))).shape == (3, 4, 4)


def test_unknown_sign_rule_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="quaternion sign 'random'; choose one of: product, canonical"
    ):
        rot.compute_relative_quaternion([0, 0, 0, 1], [0, 0, 0, 1], "random")  # type: ignore[arg-type]


def test_batches_keep_their_leading_axes() -> None:
    a = random_angles(12, 1.0).reshape(3, 4, 3)
    R, q = rot.euler_to_matrix(a), rot.euler_to_quaternion(a)
    assert R.shape == (3, 4, 3, 3)
    assert q.shape == rot.matrix_to_quaternion(R).shape == (3, 4, 4)
    assert rot.matrix_to_euler(R).shape == (3, 4, 3)
    assert rot.compute_geodesic_angle(R, R).shape == (3, 4)


vectors = arrays(np.float64, (3,), elements=st.floats(-3, 3))


def twist_matrix(twist: np.ndarray) -> np.ndarray:
    """Return the 4x4 matrix whose exponential is the motion of a twist."""
    x, y, z = twist[:3]
    matrix = np.zeros((4, 4))
    matrix[:3, :3] = [[0, -z, y], [z, 0, -x], [-y, x, 0]]
    matrix[:3, 3] = twist[3:]
    return matrix


@given(vectors, vectors, st.sampled_from([1.0, 1e-2, 1e-4, 1e-9, 0.0]))
def test_exp_is_the_matrix_exponential(omega: np.ndarray, v: np.ndarray, size: float) -> None:
    twist = np.concatenate([omega * size, v])
    assert np.allclose(rot.exp_se3(twist), expm(twist_matrix(twist)), atol=1e-13)
    assert np.allclose(rot.exp_so3(omega), Rotation.from_rotvec(omega).as_matrix(), atol=1e-14)


@given(vectors, vectors, st.sampled_from([1.0, 1e-2, 1e-4, 1e-9, 0.0]))
def test_log_undoes_exp(omega: np.ndarray, v: np.ndarray, size: float) -> None:
    omega = omega * size
    length = np.linalg.norm(omega)
    if length > 3.1:
        omega = omega * (3.1 / length)  # beyond pi the way back is another
    twist = np.concatenate([omega, v])
    assert np.allclose(rot.log_se3(rot.exp_se3(twist)), twist, atol=1e-12)
    assert np.allclose(rot.log_so3(rot.exp_so3(omega)), omega, atol=1e-13)


def test_log_at_half_a_turn_is_one_of_the_two() -> None:
    matrices = Rotation.from_rotvec(np.pi * np.eye(3)).as_matrix()
    found = rot.log_so3(matrices)
    assert np.allclose(np.linalg.norm(found, axis=-1), np.pi)
    assert np.allclose(rot.exp_so3(found), matrices, atol=1e-14)


def test_motions_come_in_batches_and_invert() -> None:
    twists = np.random.default_rng(0).normal(size=(4, 5, 6))
    motions = rot.exp_se3(twists)
    assert motions.shape == (4, 5, 4, 4)
    assert np.allclose(motions @ rot.invert_pose(motions), np.eye(4), atol=1e-14)
    assert np.allclose(rot.log_se3(motions[1, 2]), rot.log_se3(motions)[1, 2])


def test_uniform_quaternions_are_haars_measure() -> None:
    units = np.random.default_rng(1).random((20_000, 3))
    matrices = rot.quaternion_to_matrix(rot.units_to_quaternion(units))
    # Every entry of a Haar rotation is uniform on [-1, 1]; the angle has density (1 - cos a)/pi.
    for row, column in np.ndindex(3, 3):
        assert stats.kstest(matrices[:, row, column], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    angle = rot.compute_geodesic_angle(np.eye(3), matrices)
    assert stats.kstest(angle, lambda a: (a - np.sin(a)) / np.pi).pvalue > 1e-3
