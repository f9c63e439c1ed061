"""Motion by twists and with branches: one group of rigid motions, futures that share a past, rigid bodies."""

import numpy as np
import pytest

from turntable import geometry
from turntable.datasets.draws import WorldKeys
from turntable.datasets.labels import make_dynamics_rule
from turntable.renderer.dynamics import compute_futures, compute_twist_motions, simulate

KEYS = WorldKeys.from_names("seed 5")
RULE = make_dynamics_rule("branching", branch_at=6)
WORLDS = np.arange(300)


def integrate_twist(twist: np.ndarray, pose: np.ndarray, time: float, steps: int = 4000) -> np.ndarray:
    """Follow a twist in the moving frame by many small steps of the midpoint rule, without exponentials."""
    a, b, c = twist[:3]
    turn = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    generator = np.zeros((4, 4))
    generator[:3, :3], generator[:3, 3] = turn, twist[3:]
    for _ in range(steps):
        half = pose + pose @ generator * (time / steps / 2)
        pose = pose + half @ generator * (time / steps)
    return pose


def test_motions_follow_the_twist_of_their_branch() -> None:
    twist = np.array([0.2, -0.1, 0.15, 0.1, 0.05, -0.12])
    last = integrate_twist(twist, np.eye(4), 5)
    for branch, factor in enumerate([-1, 0, 1]):
        motions = compute_twist_motions(RULE, twist, np.array(branch), np.arange(10.0))
        assert np.abs(motions[3] - integrate_twist(twist, np.eye(4), 3)).max() < 1e-6
        changed = np.concatenate([factor * twist[:3], twist[3:]])
        assert np.abs(motions[9] - integrate_twist(changed, last, 4)).max() < 1e-6


def test_a_twist_without_branches_is_constant() -> None:
    rule = make_dynamics_rule("twist")
    twist = np.array([0.2, -0.1, 0.15, 0.1, 0.05, -0.12])
    motions = compute_twist_motions(rule, twist, np.array(0), np.arange(10.0))
    steps = geometry.log_se3(geometry.invert_pose(motions[:-1]) @ motions[1:])
    assert np.abs(steps - twist).max() < 1e-12


def test_futures_share_the_past_and_hold_the_truth() -> None:
    tracks, futures = simulate(RULE, KEYS, WORLDS, 12), compute_futures(RULE, KEYS, WORLDS, 12)
    assert futures.shape == (300, 3, 12, 6, 3)
    assert (futures[:, :, :6] == futures[:, :1, :6]).all()
    assert np.array_equal(tracks.positions, futures[WORLDS, tracks.branch])
    apart = np.linalg.norm(futures[:, 0, -1] - futures[:, 2, -1], axis=-1).max(axis=-1)
    assert apart.min() > 0.5
    assert np.abs(futures[:, :, 6] - futures[:, :1, 6]).max() > 0.1
    shares = np.bincount(tracks.branch, minlength=3) / 300
    assert np.abs(shares - 1 / 3).max() < 0.09


def test_the_points_stay_one_rigid_body() -> None:
    positions = simulate(RULE, KEYS, WORLDS, 12).positions
    i, j = np.triu_indices(6, 1)
    apart = np.linalg.norm(positions[:, :, i] - positions[:, :, j], axis=-1)
    assert np.abs(apart - apart[:, :1]).max() < 1e-12
    assert np.linalg.norm(np.diff(positions, axis=1), axis=-1).max() > 0.3


def fit_motion(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Find the rigid motion that carries points [N, 3] onto others (Kabsch)."""
    middle, end = before.mean(axis=0), after.mean(axis=0)
    u, _, v = np.linalg.svd((after - end).T @ (before - middle))
    motion = np.eye(4)
    motion[:3, :3] = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    motion[:3, 3] = end - motion[:3, :3] @ middle
    return motion


@pytest.mark.parametrize("frame", [1, 5, 6, 11])
def test_velocities_are_those_by_which_a_frame_was_reached(frame: int) -> None:
    """Found from the points alone: no velocity before ``branch_at`` tells the branch."""
    tracks = simulate(RULE, KEYS, WORLDS[:20], 12)
    for points, speeds in zip(tracks.positions, tracks.velocities, strict=True):
        twist = geometry.log_se3(fit_motion(points[frame - 1], points[frame]))
        expected = np.cross(twist[:3], points[frame]) + twist[3:]
        assert np.abs(speeds[frame] - expected).max() < 1e-9


@pytest.mark.parametrize("num", [2, 5])
def test_the_last_branch_goes_on_and_the_first_turns_back(num: int) -> None:
    rule = make_dynamics_rule("branching", branch_at=4, branches=num)
    futures = compute_futures(rule, KEYS, WORLDS[:20], 9)
    straight = make_dynamics_rule("branching", branch_at=9, branches=num)
    assert np.abs(futures[:, -1] - compute_futures(straight, KEYS, WORLDS[:20], 9)[:, 0]).max() < 1e-12
    assert futures.shape[1] == num
