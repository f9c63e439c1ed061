"""Scans: what rays meet, in closed form; noise and losses; exact flow and boxes; the same by any way."""

import re
import sys

import numpy as np
import pytest
import trimesh

from tests.support.quick_run import check_workers_and_resume
from tests.support.scans import OBJECTS, STREET, make_set, move, select_instances, to_meters
from turntable import geometry
from turntable.datasets import load_recipe, open_dataset, verify_dataset
from turntable.datasets.draws import draw_sensor_poses
from turntable.datasets.labels import CLUTTER_INSTANCE, GROUND_INSTANCE, ScanRule
from turntable.errors import MeshError, MissingExtraError
from turntable.installation import format_install_command
from turntable.renderer import open_recipe_source, render_views
from turntable.renderer.backends.embree import EmbreeBackend
from turntable.renderer.meshes import Mesh, from_trimesh, join_parts
from turntable.renderer.meshes.sources import ZooSource, load_mesh
from turntable.renderer.meshes.sources.scene_meshes import as_one_piece
from turntable.renderer.meshes.sources.street_meshes import fit_street_mesh
from turntable.renderer.replay import rerender
from turntable.renderer.scanning import ScannedViews
from turntable.renderer.scanning.frames import ScanFrame
from turntable.renderer.scanning.rays import draw_rays, make_directions
from turntable.renderer.scanning.returns import find_nearest_hits, make_returns
from turntable.renderer.scanning.traced_parts import TracedParts
from turntable.renderer.views import pose_views

QUIET = {"noise_m": 0, "dropout": 0}
RULE = ScanRule(beams=16, azimuth_step_deg=2, elevation_deg=(-30, 20), noise_m=0, dropout=0)


def make_frame(part_pose, height=1.7, yaw=0.0, place=(0, 0)):
    ego = at(*place, height, angles=(0, 0, yaw))
    return ScanFrame(np.array(part_pose, dtype=np.float64).reshape(-1, 4, 4), ego)


def at(*place, angles=(0, 0, 0)):
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = geometry.euler_to_matrix(np.array(angles, dtype=np.float64)), place
    return pose


def make_ball(radius):
    return from_trimesh(trimesh.creation.icosphere(6, radius), diagonal=None)


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return make_set(tmp_path_factory.mktemp("scans") / "street", STREET, 3)


def test_rays_are_even_in_both_angles():
    directions = make_directions(RULE).reshape(180, 16, 3)
    assert np.allclose(np.linalg.norm(directions, axis=-1), 1, atol=1e-15)
    azimuth = np.rad2deg(np.arctan2(directions[..., 1], directions[..., 0])) % 360
    assert np.allclose(azimuth, 2 * np.arange(180)[:, None], atol=1e-9)
    elevation = np.rad2deg(np.arcsin(directions[..., 2]))
    assert np.allclose(elevation, np.linspace(-30, 20, 16), atol=1e-9)
    assert make_directions(ScanRule(beams=1, elevation_deg=(-5, -5)))[0, 2] == pytest.approx(-0.0871557)


def test_the_ground_is_a_plane_in_closed_form():
    far = TracedParts(make_ball(0.01))
    frame = make_frame(at(0, 0, 900), height=1.7, yaw=0.3)
    hits = find_nearest_hits(RULE, far, frame, 1.0)
    down = -make_directions(RULE)[:, 2]
    expected = np.where(down > 0, 1.7 / np.where(down > 0, down, 1), np.inf)
    expected[expected > RULE.range_m] = np.inf
    assert np.allclose(hits.distance_m, expected, rtol=1e-12)
    met = np.isfinite(expected)
    assert 0 < met.sum() < len(met)
    assert np.allclose(hits.cosine[met], down[met])
    assert set(hits.part) == {1}


@pytest.mark.parametrize("scale", [1.0, 25.0])
def test_a_ball_in_closed_form(scale):
    """Nearest of both roots of |t d - c| = r; the icosphere's chords leave 2e-5 m of a radius of 0.5 m."""
    ball = TracedParts(make_ball(0.5 / scale))
    turned = at(3, 1, 1.9, angles=(0.4, 1.2, -2.0))
    frame = make_frame(turned, yaw=0.5, place=(0.2, -0.1))
    hits = find_nearest_hits(RULE, ball, frame, scale)
    center = move(np.linalg.inv(frame.ego_pose), turned[None, :3, 3])[0]
    along = make_directions(RULE) @ center
    root = along**2 - center @ center + 0.25
    met = hits.part == 0
    assert met.sum() > 20
    assert (root[met] > 0).all()
    assert not met[root < -1e-3].any()
    inside = (root > 0.1) & (along > 0)  # not at grazing incidence, where a chord's error grows
    assert met[inside].all()
    assert np.abs(hits.distance_m - (along - np.sqrt(np.maximum(root, 0))))[inside].max() < 1e-4
    assert np.abs(hits.cosine - np.sqrt(np.maximum(root, 0)) / 0.5)[inside].max() < 0.02


def test_the_nearest_hit_wins():
    balls = [trimesh.creation.icosphere(3, radius) for radius in (0.4, 0.4, 3.0)]
    mesh = join_balls(balls)
    near_behind_far = [at(4, 0, 1.7), at(2, 0, 1.7), at(12, 0, 1.7)]
    frame = make_frame(near_behind_far)
    rule = ScanRule(beams=33, elevation_deg=(-16, 16), azimuth_step_deg=1)
    hits = find_nearest_hits(rule, TracedParts(mesh), frame, 1.0)
    forward = np.flatnonzero((np.abs(make_directions(rule)[:, 1:]) < 1e-9).all(axis=1))
    ahead = forward[make_directions(rule)[forward, 0] > 0]
    assert hits.part[ahead].tolist() == [1]
    assert hits.distance_m[ahead] == pytest.approx([1.6], abs=0.01)
    swapped = make_frame([near_behind_far[i] for i in (1, 0, 2)])
    again = find_nearest_hits(rule, TracedParts(mesh), swapped, 1.0)
    assert again.part[ahead].tolist() == [0]
    assert np.allclose(again.distance_m, hits.distance_m, atol=1e-5)
    assert (hits.part == 2).sum() > 100  # seen around the near one
    assert not (hits.part == 0).any()  # hidden behind an equal one


def join_balls(balls) -> Mesh:
    from turntable.datasets.objects import ObjectPart, to_pose_rows

    parts = [
        ObjectPart(f"ball-{n}", "ball", rest_pose=to_pose_rows(at(3 * n, 0, 0))) for n in range(len(balls))
    ]
    return join_parts([from_trimesh(ball, diagonal=None) for ball in balls], parts, "balls")


def test_noise_and_dropout_have_their_statistics():
    rule = ScanRule(beams=64, azimuth_step_deg=0.2, noise_m=0.05, dropout=0.1)
    draws = draw_rays(rule, "digest", "object", 3)
    count = rule.num_rays
    assert abs(draws.noise_m.mean()) < 4 * 0.05 / np.sqrt(count)
    assert draws.noise_m.std() == pytest.approx(0.05, rel=4 / np.sqrt(2 * count))
    assert np.mean((draws.noise_m / 0.05) ** 4) == pytest.approx(3, abs=0.1)  # normal, not uniform
    assert draws.is_lost.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / count))
    assert abs(np.corrcoef(draws.noise_m[1:], draws.noise_m[:-1])[0, 1]) < 4 / np.sqrt(count)
    assert not np.array_equal(draw_rays(rule, "digest", "object", 4).noise_m, draws.noise_m)
    assert np.array_equal(draw_rays(rule, "digest", "object", 3).noise_m, draws.noise_m)


def test_noise_moves_returns_along_their_rays():
    frame = make_frame(at(3, 1, 1.9))
    ball = TracedParts(make_ball(0.5))
    rule = ScanRule(beams=16, azimuth_step_deg=2, noise_m=0.2, dropout=0.3)
    hits = find_nearest_hits(rule, ball, frame, 1.0)
    draws = draw_rays(rule, "digest", "object", 0)
    returns = make_returns(rule, hits, draws, (7,), frame, None)
    kept = np.isfinite(hits.distance_m) & ~draws.is_lost
    assert len(returns) == kept.sum() < np.isfinite(hits.distance_m).sum()
    ranges = hits.distance_m[kept] + draws.noise_m[kept]
    assert np.abs(returns[:, :3] - make_directions(rule)[kept] * ranges[:, None]).max() < 4e-5
    assert np.array_equal(returns[:, 4], np.where(hits.part[kept] == 0, 7, GROUND_INSTANCE))
    assert np.allclose(returns[:, 3], hits.cosine[kept], atol=1e-6)
    assert not returns[:, 5:].any()


def iter_frames(folder):
    with open_dataset(folder).open_split("train") as split:
        for row in range(split.num_objects):
            poses, ego = (split.read_array(row, name) for name in ("part_pose", "ego_pose"))
            yield split, row, to_meters(STREET, poses), ego.astype(np.float64), split.read_array(row, "boxes")


def test_flow_moves_every_return_with_its_body(street):
    """By the stored poses alone: to the part's own frame, and from there to the next sensor's frame."""
    num_moving = 0
    for split, row, poses, ego, boxes in iter_frames(street):
        num_objects = boxes.shape[1]
        for view in range(0, split.num_views, 2):
            scan = split.read_output(row, view, "scan").astype(np.float64)
            points, flow, instance = scan[:, :3], scan[:, 5:], scan[:, 4].astype(int)
            assert len(scan) > 500
            for number in np.unique(instance):
                rows = instance == number
                now, then = (poses[v, number] if number >= 0 else np.eye(4) for v in (view, view + 1))
                body = move(np.linalg.inv(now), move(ego[view], points[rows]))
                expected = move(np.linalg.inv(ego[view + 1]), move(then, body))
                assert np.abs(points[rows] + flow[rows] - expected).max() < 1e-5
                own = np.abs(move(then, body) - move(now, body)).max()
                num_moving += own > 0.05
            assert instance.max() < num_objects
            assert not split.read_output(row, view + 1, "scan")[:, 5:].any()  # the last frame of a pair
    assert num_moving > 3


def test_ground_and_clutter_stand_still_in_the_world(street):
    for split, row, _, ego, _ in iter_frames(street):
        for view in range(0, split.num_views, 2):
            scan = split.read_output(row, view, "scan").astype(np.float64)
            still = select_instances(scan, [GROUND_INSTANCE, CLUTTER_INSTANCE])
            before = move(ego[view], scan[still, :3])
            after = move(ego[view + 1], scan[still, :3] + scan[still, 5:])
            assert np.abs(after - before).max() < 1e-5
            ground = select_instances(scan, [GROUND_INSTANCE])
            height = move(ego[view], scan[ground, :3])[:, 2]
            assert np.abs(height).max() < 0.15  # the noise of 2 cm along the ray
            assert ground.sum() > 0.5 * len(scan)


def test_boxes_hold_the_returns_of_their_objects():
    """Noise off; the boxes turned back by hand."""
    recipe = STREET.replace(scan={"beams": 32, "azimuth_step_deg": 1, **QUIET})
    source = open_recipe_source(recipe, None, 2)
    mesh = load_mesh(source, "street/000001")
    posed = pose_views(recipe, "street/000001", mesh, range(2))
    scanned = ScannedViews(recipe, "street/000001", mesh, posed.parts.part_pose)
    num_seen = 0
    for scan, boxes in zip(scanned.build_scanner().scan_all(), scanned.compute_boxes(), strict=True):
        for number, (x, y, z, length, width, height, yaw) in enumerate(boxes.astype(np.float64)):
            points = scan[scan[:, 4] == number, :3] - [x, y, z]
            ahead = points[:, 0] * np.cos(yaw) + points[:, 1] * np.sin(yaw)
            left = points[:, 1] * np.cos(yaw) - points[:, 0] * np.sin(yaw)
            for values, size in ((ahead, length), (left, width), (points[:, 2], height)):
                assert np.abs(values).max(initial=0) <= size / 2 + 1e-3
            if len(points) > 20:  # and no box is much too large: some return is near a side
                assert np.abs(left).max() > 0.2 * width
                num_seen += 1
            category = mesh.parts[number].category
            assert length == pytest.approx(dict(recipe.street.lengths_m)[category], rel=0.11)
            assert z - height / 2 == pytest.approx(-recipe.scan.height_m, abs=1e-4)  # stands on the ground
    assert num_seen >= 2


def test_the_box_of_a_turned_object_holds_it():
    recipe = OBJECTS.replace(
        rotation={"kind": "uniform"},
        factors={k: v for k, v in OBJECTS.to_dict()["factors"].items() if "rotation" not in k},
    )
    mesh = load_mesh(open_recipe_source(recipe, None, 3), "airplane/000000")
    posed = pose_views(recipe, "airplane/000000", mesh, range(2))
    scanned = ScannedViews(recipe, "airplane/000000", mesh, posed.scenes.object_to_world[:, None])
    pose = to_meters(recipe, posed.scenes.object_to_world)
    for view, box in enumerate(scanned.compute_boxes()[:, 0].astype(np.float64)):
        vertices = move(pose[view], recipe.meters_per_unit * mesh.positions.astype(np.float64))
        vertices = move(np.linalg.inv(scanned.ego_pose[view].astype(np.float64)), vertices) - box[:3]
        cosine, sine = np.cos(box[6]), np.sin(box[6])
        aligned = vertices @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        assert (np.abs(aligned).max(axis=0) <= box[3:6] / 2 + 1e-4).all()
        assert np.linalg.norm(box[3:6]) < 2 * recipe.meters_per_unit


def test_a_scan_agrees_with_the_depth_of_a_picture():
    """Rays through the pixels of the picture's camera: distances are depths times the rays' lengths."""
    recipe = STREET.replace(outputs=["rgb", "mask", "depth", "parts", "scan"], image_size_px=48)
    mesh = load_mesh(open_recipe_source(recipe, None, 1), "street/000000")
    with EmbreeBackend() as backend:
        drawn = render_views(backend, recipe, "street/000000", mesh, range(1))
    posed = pose_views(recipe, "street/000000", mesh, range(1))
    to_camera, intrinsics = posed.scenes.world_to_camera[0], posed.scenes.compute_intrinsics(48)[0]
    row, column = np.mgrid[:48, :48].reshape(2, -1) + 0.5
    rays = np.stack([column, row, np.ones_like(row)], -1) @ np.linalg.inv(intrinsics).T
    length = np.linalg.norm(rays, axis=1)
    parts_to_camera = to_camera @ posed.parts.part_pose[0].astype(np.float64)
    nearest, part = np.full(len(rays), np.inf), np.full(len(rays), 255)
    for index, hits in enumerate(TracedParts(mesh).iter_hits(rays / length[:, None], parts_to_camera, 9.0)):
        nearer = hits.distance < nearest[hits.ray]
        nearest[hits.ray[nearer]], part[hits.ray[nearer]] = hits.distance[nearer], index
    seen = drawn.extras["mask"][0].ravel() > 0
    assert seen.sum() > 5
    assert np.array_equal(np.isfinite(nearest), seen)
    assert np.array_equal(part, drawn.extras["parts"][0].ravel())
    assert np.abs(nearest / length - drawn.extras["depth"][0].ravel())[seen].max() < 1e-4


@pytest.mark.parametrize("category", ["dog", "bicycle"])
def test_objects_head_along_x(category):
    """The head of a dog and the handlebar of a bicycle are their highest parts, and in front."""
    mesh = as_one_piece(ZooSource(100).load(f"{category}/000000"))
    fitted = fit_street_mesh(mesh, 0.5, STREET.street.front).positions
    low, high = fitted.min(axis=0), fitted.max(axis=0)
    assert np.allclose(low + high, 0, atol=1e-6)
    assert high[0] - low[0] == pytest.approx(0.5)
    assert fitted[fitted[:, 2] > low[2] + 0.93 * (high[2] - low[2]), 0].mean() > 0.05


def test_fronts_are_turned_about_the_vertical():
    mesh = as_one_piece(ZooSource(100).load("dog/000000"))
    ahead, behind, right = (fit_street_mesh(mesh, 0.5, front).positions for front in ("+y", "-y", "+x"))
    assert np.allclose(ahead * [-1, -1, 1], behind, atol=1e-6)
    scale = np.ptp(ahead[:, 0]) / np.ptp(ahead[:, 1])
    assert np.allclose(right[:, :2], scale * np.stack([-ahead[:, 1], ahead[:, 0]], 1), atol=1e-5)
    center = (mesh.positions.min(axis=0) + mesh.positions.max(axis=0)) / 2
    same = fit_street_mesh(mesh, float(np.ptp(mesh.positions[:, 0])), "+x").positions
    assert np.allclose(same, mesh.positions - center, atol=1e-6)


def test_scanners_of_one_recipe_see_the_same_scenes():
    """The numbers of the scanner change neither the labels nor where the sensor stands."""
    other = STREET.replace(scan={"beams": 4, "azimuth_step_deg": 10, "noise_m": 0.5})
    assert other.label_digest == STREET.label_digest
    assert other.digest != STREET.digest
    views = np.arange(4)
    assert np.array_equal(
        draw_sensor_poses(other, "street/000003", views), draw_sensor_poses(STREET, "street/000003", views)
    )
    poses = draw_sensor_poses(OBJECTS, "car/000000", np.arange(200))
    away = np.linalg.norm(poses[:, :2, 3], axis=1)
    assert away.min() >= 3
    assert away.max() <= 4
    assert np.allclose(
        poses[:, :3, 0] * away[:, None], -poses[:, :3, 3] * [1, 1, 0], atol=1e-9
    )  # it faces it
    assert (poses[:, 2, 3] == OBJECTS.scan.height_m).all()


def test_a_view_is_scanned_the_same_whatever_is_scanned_with_it(street):
    with open_dataset(street).open_split("train") as split:
        row = split.num_objects - 1
        name = split.get_object_id(row)
        mesh = load_mesh(open_recipe_source(STREET, None, 3), name)
        posed = pose_views(STREET, name, mesh, range(2))
        scanned = ScannedViews(STREET, name, mesh, posed.parts.part_pose)
        for view, scan in enumerate(scanned.build_scanner().scan_all()):
            assert np.array_equal(scan, split.read_output(row, view, "scan"))


def test_sets_of_scans_are_verified_and_rendered_again(street):
    source = open_recipe_source(STREET, None, 3)
    report = verify_dataset(street, deep=True)
    assert report.ok, report.problems
    again = rerender(street, source, None, num_views=2)
    assert again.ok, again.problems
    manifest = open_dataset(street).manifest
    assert manifest.outputs == ("scan",)
    assert manifest.arrays == ("boxes", "ego_pose")
    assert manifest.array_sizes["boxes"] >= 5
    assert "a unit of the world is 20 m" in manifest.conventions["meters_per_unit"]


@pytest.mark.slow
def test_two_workers_and_a_resumed_run_make_the_same_bytes(street, tmp_path):
    def make(out, engine=None, **how):
        make_set(out, STREET, 3, engine=engine, **how)

    check_workers_and_resume(make, street, tmp_path)


def test_single_objects_are_scanned_from_one_side(tmp_path):
    folder = make_set(tmp_path / "set", OBJECTS, 6)
    with open_dataset(folder).open_split("train") as split:
        for row in range(split.num_objects):
            box = split.read_array(row, "boxes")[:, 0]
            for view in range(2):
                scan = split.read_output(row, view, "scan")
                own = scan[scan[:, 4] == 0, :3]
                assert len(own) > 30
                assert set(scan[:, 4]) <= {0, GROUND_INSTANCE}
                assert (np.abs(own[:, :2] - box[view, :2]) < np.linalg.norm(box[view, 3:5])).all()
                assert box[view, 0] == pytest.approx(np.hypot(*box[view, :2]), rel=0.02)  # straight ahead
            assert not np.array_equal(box[0], box[1])
    assert verify_dataset(folder, deep=True).ok


def test_without_rays_nothing_is_scanned(monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.partition(".")[0] == "embreex"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "embreex", None)
    for work in (lambda: TracedParts(make_ball(1)), lambda: make_set(tmp_path / "set", STREET, 1)):
        with pytest.raises(MissingExtraError, match=re.escape(format_install_command("render"))):
            work()
    assert not list(tmp_path.glob("set/*"))


def test_a_street_without_place_is_left_out_by_name():
    recipe = STREET.replace(street={"objects": {"low": 24, "high": 24}, "area_m": 12, "tries": 2})
    mesh = load_mesh(open_recipe_source(recipe, None, 1), "street/000000")
    with pytest.raises(MeshError, match="no place was found for its 24 objects") as caught:
        pose_views(recipe, "street/000000", mesh, range(2))
    assert caught.value.reason == "no place in the street"


def test_the_shipped_streets_are_those_of_the_small_ones():
    """Only the scanner and the splits differ, so the labels are equal."""
    assert load_recipe("street").label_digest == STREET.label_digest
