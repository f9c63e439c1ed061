"""Point clouds of batches, on arrays: frames, faults, the choice of pixels, and overlap."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from turntable.datasets.draws import pairs_to_normals
from turntable.errors import InvalidInputError
from turntable.geometry import make_pose, move_cloud, move_cloud_parts
from turntable.loaders import BatchConfig, CloudOptions, PointCorruption
from turntable.loaders.clouds import (
    PointDraws,
    compute_overlap,
    compute_point_frames,
    draw_corrupted_clouds,
    find_overlap_bin,
)
from turntable.loaders.clouds.pixel_choice import choose_farthest, choose_uniform

ALL_FAULTS = PointCorruption(regions=2, noise=0.003, outliers=0.1, dropout=0.2)


def make_clouds(num_samples: int = 2, num_views: int = 2, num_points: int = 300) -> np.ndarray:
    """Clouds on an ellipsoid off the origin, with its normals."""
    rng = np.random.default_rng(0)
    unit = rng.normal(size=(num_samples, num_views, num_points, 3))
    unit /= np.linalg.norm(unit, axis=-1, keepdims=True)
    axes = np.array([0.5, 0.3, 0.2])
    normals = unit / axes
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.concatenate([unit * axes + [0.1, 0.2, 0.3], normals], axis=-1).astype(np.float32)


def make_draws(num_samples: int = 2, num_views: int = 2, seed: int = 0, first: int = 0) -> PointDraws:
    return PointDraws(seed, 3, np.arange(first, first + num_samples), num_views)


def turn(points: np.ndarray, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Clouds after one rigid motion, and its rotation."""
    rotation = Rotation.random(random_state=seed).as_matrix()
    moved = np.concatenate([points[..., :3] @ rotation.T + [3, -2, 1], points[..., 3:] @ rotation.T], -1)
    return moved.astype(np.float32), rotation


class TestFrames:
    def test_rows_are_right_handed_and_the_last_is_the_normal(self) -> None:
        points = make_clouds()
        frames, is_valid = compute_point_frames(points)
        assert np.allclose(frames @ frames.swapaxes(-1, -2), np.eye(3), atol=1e-9)
        assert np.allclose(np.linalg.det(frames), 1)
        assert np.allclose(frames[..., 2, :], points[..., 3:], atol=1e-7)
        toward = points[..., :3].mean(axis=2, keepdims=True) - points[..., :3]
        assert np.allclose((frames[..., 1, :] * toward).sum(-1)[is_valid], 0, atol=1e-6)
        assert ((frames[..., 0, :] * toward).sum(-1)[is_valid] >= 0).all()
        assert is_valid.all()

    def test_they_turn_with_the_cloud(self) -> None:
        points = make_clouds()
        moved, rotation = turn(points)
        before, after = (compute_point_frames(cloud)[0] for cloud in (points, moved))
        assert np.allclose(before @ rotation.T, after, atol=1e-4)

    def test_a_normal_through_the_centroid_gives_the_largest_axis_and_is_flagged(self) -> None:
        places = np.concatenate([np.eye(3), -np.eye(3)])
        frames, is_valid = compute_point_frames(np.concatenate([places, places], axis=-1))
        assert not is_valid.any()
        assert np.array_equal(frames[0, 0], [0, 1, 0])  # of y and z, which are as long, the first
        assert np.allclose(frames @ frames.swapaxes(-1, -2), np.eye(3))


class TestFaults:
    def test_points_move_along_their_normals_by_the_law_of_the_regions(self) -> None:
        points = make_clouds(8, 1, 3000)
        found = draw_corrupted_clouds(PointCorruption(), points, make_draws(8, 1))
        shift = found.points[..., :3].astype(float) - points[..., :3]
        assert np.allclose(shift, found.point_displacement[..., None] * points[..., 3:], atol=1e-6)
        distance = np.linalg.norm(points[..., :3] - found.corruption_center, axis=-1)
        share = distance / found.corruption_radius
        assert (found.point_displacement[share >= 1] == 0).all()
        inside = share < 0.99
        scale = found.corruption_amplitude * np.sqrt(np.clip(1 - share, 0, None))
        normal = (found.point_displacement / np.where(inside, scale, 1))[inside]
        assert abs(normal.mean()) < 0.05
        assert abs(normal.std() - 1) < 0.05
        assert ((found.corruption_radius >= 0.1) & (found.corruption_radius <= 0.4)).all()
        assert ((found.corruption_amplitude >= 0.01) & (found.corruption_amplitude <= 0.05)).all()
        assert (distance.min(axis=-1) == 0).all()  # a center is a point of the cloud

    def test_quality_follows_from_the_distance(self) -> None:
        points = make_clouds()
        for faults in (PointCorruption(), PointCorruption(noise=0.02, regions=0), ALL_FAULTS):
            found = draw_corrupted_clouds(faults, points, make_draws())
            kept = found.point_mask
            distance = np.linalg.norm(found.points[..., :3].astype(float) - points[..., :3], axis=-1)
            assert np.allclose(found.point_quality[kept], np.exp(-((distance[kept] / 0.02) ** 2)), atol=1e-5)
            means = [
                quality[mask].mean()
                for quality, mask in zip(
                    found.point_quality.reshape(-1, 300), kept.reshape(-1, 300), strict=True
                )
            ]
            assert np.allclose(found.cloud_quality.ravel(), means)

    def test_outliers_and_dropped_points_are_those_of_the_masks(self) -> None:
        points = make_clouds(4, 2, 2000)
        found = draw_corrupted_clouds(ALL_FAULTS, points, make_draws(4))
        assert abs(found.point_mask.mean() - 0.8) < 0.01
        assert abs(found.point_outlier.mean() - 0.08) < 0.01
        is_displaced = found.point_displacement != 0
        assert not (is_displaced & (found.point_outlier | ~found.point_mask)).any()
        for cloud, mask in zip(
            found.points.reshape(-1, 2000, 6), found.point_mask.reshape(-1, 2000), strict=True
        ):
            assert (cloud[~mask] == cloud[mask.argmax()]).all()
        centroid = points[..., :3].mean(axis=2, keepdims=True)
        reach = np.linalg.norm(points[..., :3] - centroid, axis=-1).max(axis=-1, keepdims=True)
        away = np.linalg.norm(found.points[..., :3] - centroid, axis=-1) / reach
        assert away[found.point_outlier].max() <= 1 + 1e-5
        # Uniform in a ball: the cube of the distance is uniform.
        assert abs((away[found.point_outlier] ** 3).mean() - 0.5) < 0.03
        assert np.allclose(np.linalg.norm(found.points[..., 3:], axis=-1), 1, atol=1e-5)

    def test_the_faults_turn_with_the_cloud(self) -> None:
        points = make_clouds()
        faults = PointCorruption(regions=3)
        moved, rotation = turn(points)
        before, after = (draw_corrupted_clouds(faults, cloud, make_draws()) for cloud in (points, moved))
        assert np.allclose(before.point_displacement, after.point_displacement, atol=1e-6)
        assert np.allclose(before.points[..., :3] @ rotation.T + [3, -2, 1], after.points[..., :3], atol=1e-5)

    def test_one_fault_does_not_change_another_and_a_longer_cloud_begins_as_a_shorter(self) -> None:
        points = make_clouds()
        plain, more = (
            draw_corrupted_clouds(faults, points, make_draws())
            for faults in (PointCorruption(), PointCorruption(dropout=0.3))
        )
        assert np.array_equal(plain.points[more.point_mask], more.points[more.point_mask])
        draws = make_draws()
        assert np.array_equal(draws.draw_units("a", 50, 3), draws.draw_units("a", 90, 3)[:, :, :50])

    def test_numbers_depend_on_seed_epoch_position_and_place_alone(self) -> None:
        whole = make_draws(6).draw_units("a", 20)
        assert np.array_equal(whole[2:4], make_draws(2, first=2).draw_units("a", 20))
        assert np.array_equal(whole[:, :1], make_draws(6, 1).draw_units("a", 20))
        others = [make_draws(6, seed=1).draw_units("a", 20), make_draws(6).draw_units("b", 20)]
        assert not any((whole == other).any() for other in (*others, whole[::-1]))
        normal = pairs_to_normals(*np.moveaxis(make_draws(50).draw_units("a", 200, 2), -1, 0))
        assert abs(normal.mean()) < 0.02
        assert abs(normal.std() - 1) < 0.02

    def test_of_a_cloud_without_points_one_is_left(self) -> None:
        found = draw_corrupted_clouds(PointCorruption(dropout=0.999), make_clouds(num_points=5), make_draws())
        assert (found.point_mask.sum(axis=-1) >= 1).all()
        assert np.isfinite(found.cloud_quality).all()

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"regions": -1}, "regions -1: must be at least 0"),
            ({"radius": (0.4, 0.1)}, "radius .*the smallest must be above 0 and at most the largest"),
            ({"amplitude": 0.1}, "amplitude 0.1: give two numbers"),
            ({"dropout": 1.0}, "dropout 1: must be at least 0 and below 1"),
            ({"noise": -0.1}, "noise -0.1: must be at least 0"),
            ({"quality_scale": 0}, "quality_scale 0: must be above 0"),
        ],
    )
    def test_wrong_values_are_named(self, wrong: dict[str, object], told: str) -> None:
        with pytest.raises(InvalidInputError, match=told):
            PointCorruption(**wrong)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"num_points": 0}, "num_points 0: must be at least 1"),
        ({"choice": "nearest"}, "nearest"),
        ({"voxel": 0}, "voxel 0: must be above 0"),
        ({"corruption": PointCorruption}, "give a PointCorruption"),
    ],
)
def test_wrong_options_are_named(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        CloudOptions(**wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match="give CloudOptions"):
        BatchConfig(clouds=3)  # pyright: ignore[reportArgumentType]


def test_clouds_move_as_each_point_by_itself() -> None:
    cloud = make_clouds(1, 1, 40)[0, 0]
    rotations = Rotation.random(6, random_state=0)
    motions = make_pose(rotations.as_matrix(), np.random.default_rng(1).normal(size=(6, 3)))
    for moved, motion in zip(move_cloud(cloud, motions), motions, strict=True):
        expected = [[*(motion[:3, :3] @ p[:3] + motion[:3, 3]), *(motion[:3, :3] @ p[3:])] for p in cloud]
        assert np.allclose(moved, expected, atol=1e-12)
    parts = np.arange(40) % 3
    moved = move_cloud_parts(cloud, parts, motions.reshape(2, 3, 4, 4))
    for view in range(2):
        for part in range(3):
            alone = move_cloud(cloud[parts == part], motions[3 * view + part, None])[0]
            assert np.allclose(moved[view, parts == part], alone)


class TestChoice:
    def test_farthest_points_are_those_of_the_definition(self) -> None:
        places = make_clouds(1, 1, 60)[0, 0, :, :3].astype(float)
        chosen = choose_farthest(places, 12).tolist()
        expected = [0]
        while len(expected) < 12:
            distance = np.linalg.norm(places[:, None] - places[expected], axis=-1).min(axis=1)
            expected.append(int(distance.argmax()))
        assert chosen == expected
        assert sorted(choose_farthest(places, 100).tolist()) == list(range(60))

    def test_a_uniform_choice_takes_all_alike_and_begins_as_a_shorter_one(self) -> None:
        random = np.random.Philox(key=3)
        counts = np.zeros(30)
        for _ in range(2000):
            words = random.random_raw(30)
            chosen = choose_uniform(words, 10)
            assert len(set(chosen.tolist())) == 10
            assert np.array_equal(choose_uniform(words, 30)[:10], chosen)
            counts[chosen] += 1
        assert abs(counts / 2000 - 1 / 3).max() < 0.05


def test_overlap_is_that_of_a_search_tree() -> None:
    rng = np.random.default_rng(2)
    motion = make_pose(Rotation.random(random_state=1).as_matrix(), rng.normal(size=3))
    for size, spread in ((700, 0.3), (100, 0.05), (1, 0.01)):
        first = rng.normal(scale=spread, size=(size, 3))
        second = first[: size // 2 + 1] + rng.normal(scale=0.03, size=(size // 2 + 1, 3))
        expected = (cKDTree(first).query(second)[0] <= 0.04).mean()
        moved_back = (second - motion[:3, 3]) @ motion[:3, :3]
        assert compute_overlap(first, moved_back, motion, 0.04) == pytest.approx(expected, abs=1e-9)
    assert compute_overlap(first, np.empty((0, 3)), motion, 0.04) == 0
    assert find_overlap_bin(np.array([0, 0.1, 0.11, 0.3, 0.31, 1])).tolist() == [0, 0, 1, 1, 2, 2]
