"""The draws of streets: no two boxes meet in any frame, motions by their laws, the same whatever is asked."""

import numpy as np
import pytest

from tests.support.scans import STREET
from turntable.datasets.draws import draw_sensor_poses, draw_street_composition, draw_street_poses
from turntable.datasets.draws.rectangles import measure_rectangle_gaps
from turntable.datasets.draws.street_motions import drive

RECIPE = STREET.replace(views=24, sequence={"length": 6, "motion": "still"})
RULE = RECIPE.street
VIEWS = np.arange(24)
HALF = np.array(
    [[2.2, 0.9, 0.8], [5.5, 2, 2.5], [0.9, 0.3, 0.5], [2.2, 0.9, 0.8], [6, 0.15, 1], [0.1, 0.1, 3]]
)
BOXES = np.stack([-HALF, HALF], axis=1)
NUM_OBJECTS = 4


def draw(name="street/000001", views=VIEWS, recipe=RECIPE):
    return draw_street_poses(recipe, name, BOXES, NUM_OBJECTS, views)


def list_corners(pose, half):
    signs = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
    return (signs * half[:2]) @ pose[:2, :2].T + pose[:2, 3]


def do_overlap(first, second):
    """Whether two rectangles [4, 2] overlap: no side of either separates them. By corners, not by axes."""
    for one, other in ((first, second), (second, first)):
        for start, end in zip(one, np.roll(one, -1, axis=0), strict=True):
            normal = np.array([end[1] - start[1], start[0] - end[0]])
            if ((one - start) @ normal).max() < 1e-9 and ((other - start) @ normal).min() > 0:
                return False
            if ((one - start) @ normal).min() > -1e-9 and ((other - start) @ normal).max() < 0:
                return False
    return True


@pytest.mark.parametrize("name", ["street/000000", "street/000001", "street/000002"])
def test_nothing_overlaps_in_any_frame(name):
    poses, ego = draw(name), draw_sensor_poses(RECIPE, name, VIEWS)
    for view in VIEWS:
        corners = [list_corners(pose, half) for pose, half in zip(poses[view], HALF, strict=True)]
        corners.append(list_corners(ego[view], np.full(2, RULE.clearance_m)))
        for one in range(len(corners)):
            for other in range(one):
                assert not do_overlap(corners[one], corners[other])


def test_gaps_are_distances_or_less():
    """Against the distance of dense points of both outlines."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        angles, offset = rng.uniform(-np.pi, np.pi, 2), rng.uniform(-6, 6, 2)
        first, second = rng.uniform(0.2, 2, (2, 2))
        own, other = (np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles)
        gap = measure_rectangle_gaps(own, first, other, second, offset)
        steps = np.linspace(-1, 1, 60)
        edge = np.concatenate([np.stack([steps, 0 * steps + s], -1) for s in (-1, 1)])
        edge = np.concatenate([edge, edge[:, ::-1]])
        one, two = (edge * first) @ own.T, (edge * second) @ other.T + offset
        distance = np.linalg.norm(one[:, None] - two[None], axis=-1).min()
        assert gap <= distance + 1e-9
        if gap > 0:
            assert distance > 0


def test_all_stand_on_the_ground_and_move_by_planar_twists():
    poses = draw()
    assert np.allclose(poses[..., 2, 3], HALF[:, 2])
    assert np.allclose(poses[..., 2, :3], [0, 0, 1])
    rotation = poses[..., :3, :3]
    assert np.allclose(rotation @ np.swapaxes(rotation, -1, -2), np.eye(3))
    sequences = poses.reshape(4, 6, *poses.shape[1:])
    steps = np.linalg.inv(sequences[:, :-1]) @ sequences[:, 1:]
    assert np.allclose(steps, steps[:, :1], atol=1e-9)  # one twist over the whole sequence
    assert np.abs(sequences[:, 0, :, :2, 3]).max() <= RULE.area_m
    assert np.allclose(steps[:, 0, NUM_OBJECTS:], np.eye(4))  # walls and poles stand still


def test_the_ego_starts_at_the_origin_and_drives_at_its_speed():
    names = [f"street/{number:06d}" for number in range(200)]
    ego = np.stack([draw_sensor_poses(RECIPE, name, np.arange(6)) for name in names])
    assert np.allclose(ego[:, 0, :3, 3], [0, 0, RECIPE.scan.height_m])
    turn = np.linalg.inv(ego[:, :-1]) @ ego[:, 1:]
    angle = np.arctan2(turn[..., 1, 0], turn[..., 0, 0])
    rate = angle / RULE.frame_s
    assert np.abs(rate).max() <= RULE.yaw_rate_rad_per_s + 1e-9
    chord = np.linalg.norm(turn[..., :3, 3], axis=-1)
    speed = chord / np.sinc(angle / (2 * np.pi)) / RULE.frame_s
    low, high = RULE.ego_speed_m_per_s
    assert low <= speed.min() <= speed.max() <= high
    assert speed[:, 0].mean() == pytest.approx(5, abs=4 * 10 / np.sqrt(12 * len(names)))


def test_the_share_at_rest_and_the_speeds_are_those_of_the_rule():
    poses = np.stack([draw(f"street/{number:06d}", np.arange(2)) for number in range(150)])
    moved = np.linalg.norm(poses[:, 1, :NUM_OBJECTS, :3, 3] - poses[:, 0, :NUM_OBJECTS, :3, 3], axis=-1)
    still = (moved < 1e-9).mean()
    assert still == pytest.approx(RULE.resting, abs=4 * np.sqrt(0.24 / moved.size))
    speeds = moved[moved > 1e-9] / RULE.frame_s
    assert speeds.max() <= 15
    assert speeds.mean() == pytest.approx(7.5, abs=4 * 15 / np.sqrt(12 * len(speeds)))


def test_an_arc_is_what_many_small_steps_give():
    place, yaw, speed, rate = np.array([1.0, 2.0]), np.array(0.7), np.array(8.0), np.array(-0.4)
    tracks = drive(place, yaw, speed, rate, np.array([0.0, 1.5]))
    steps = 200_000
    heading = 0.7 - 0.4 * (np.arange(steps) + 0.5) * 1.5 / steps
    end = place + 8.0 * 1.5 / steps * np.array([np.cos(heading).sum(), np.sin(heading).sum()])
    assert np.allclose(tracks.place[1], end, atol=1e-8)
    assert np.allclose(tracks.place[0], place)
    assert tracks.yaw[1] == pytest.approx(0.1)


def test_a_view_does_not_depend_on_the_others():
    whole = draw()
    for views in ([5], [23, 0, 11], [7, 7]):
        assert np.array_equal(draw(views=np.array(views)), whole[views])
    assert not np.array_equal(draw("street/000002"), whole)


def test_compositions_are_of_the_seed_and_the_counts_alone():
    first = draw_street_composition(RECIPE, "street/000004", 40)
    low, high = RULE.objects
    assert low <= len(first.places) <= high
    assert all(0 <= place < 40 for place in first.places)
    assert all(0.9 <= scale <= 1.1 for scale in first.scales)
    moved = RECIPE.replace(street={"speed_m_per_s": {"low": 1, "high": 2}, "area_m": 30})
    again = draw_street_composition(moved, "street/000004", 40)
    assert (again.places, again.scales, again.walls) == (first.places, first.scales, first.walls)
    other = draw_street_composition(RECIPE.replace(seed=1), "street/000004", 40)
    assert (other.places, other.scales) != (first.places, first.scales)
    counts = {len(draw_street_composition(RECIPE, f"street/{n:06d}", 9).places) for n in range(200)}
    assert counts == set(range(low, high + 1))
