"""Tracks of keypoints: where independent rotations put them, and as fast as a finer motion has them."""

import numpy as np
import pytest
from scipy.linalg import expm, logm
from scipy.spatial.transform import Rotation

from tests.support.assemblies import HingedBoxes
from turntable.datasets import load_recipe
from turntable.renderer import open_backend, open_recipe_source, render_views
from turntable.renderer.meshes import mirror_mesh
from turntable.renderer.meshes.sources import ZooSource
from turntable.renderer.scene import Camera
from turntable.renderer.tracks.keypoints import sample_object_keypoints

KEYPOINTS = load_recipe("keypoints").replace(
    views=20, sequence=load_recipe("keypoints").to_dict()["sequence"] | {"length": 10}
)
MUG = ZooSource(1, ("mug",)).load("mug/000000")
BOXES = HingedBoxes(4).load("boxes/003")  # with a lid, a drawer, and a knob on the drawer
JOINTED = KEYPOINTS.replace(source="folder", joints={"range": "full"}, tracks={"keypoints": 12})
TURNING = load_recipe("scenes").replace(
    views=20,
    sequence={"length": 10, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.3}},
    dynamics={"law": "twist"},
    tracks={"keypoints": 12},
    outputs=[],
    val_fraction=0.0,
)
STEP = 1e-4
"""Share of a frame over which finer motions are differenced."""


def get_angles(recipe, labels, view):
    columns = [recipe.schema.names.index(f"rotation_{axis}_rad") for axis in "xyz"]
    return labels[view, columns].astype(float)


def hat(twist):
    matrix = np.zeros((4, 4))
    matrix[:3, :3] = np.cross(np.eye(3), twist[:3])
    matrix[:3, 3] = twist[3:]
    return matrix


def read_twist(recipe, labels, view):
    """The twist that the labels give the sequence of a view, as a matrix."""
    length = recipe.sequence.length
    names = [f"twist_{kind}_{axis}" + "_rad" * (kind == "omega") for kind in ("omega", "v") for axis in "xyz"]
    columns = [recipe.schema.names.index(name) for name in names]
    return hat(labels[view - view % length + 1, columns].astype(float))


@pytest.mark.parametrize("motion", ["screw", "constant", "in-plane"])
def test_tracks_of_one_piece_are_the_labels_poses_by_scipy(track, motion):
    sequence = {"length": 10, "motion": motion, "speed_rad": {"low": 0.1, "high": 0.4}}
    recipe = KEYPOINTS.replace(sequence=sequence)
    arrays, _, _, labels = track(recipe, "mug/000000", MUG)
    own = sample_object_keypoints(recipe, "mug/000000", MUG).places
    shift = [name in recipe.schema.names for name in ("translation_x", "translation_y", "translation_z")]
    for view in range(20):
        turn = Rotation.from_euler("xyz", get_angles(recipe, labels, view))
        if all(shift):
            columns = [recipe.schema.names.index(f"translation_{axis}") for axis in "xyz"]
            expected = turn.apply(own + labels[view, columns].astype(float))
        else:
            expected = turn.apply(own)
        assert np.abs(arrays["tracks"][view] - expected).max() < 1e-6
    assert arrays["tracks"].dtype == arrays["velocities"].dtype == np.float32
    assert arrays["track_part"].tolist() == [0] * 16
    assert set(arrays) == {"tracks", "velocities", "track_part"}


@pytest.mark.parametrize("motion", ["screw", "constant", "in-plane"])
def test_velocities_are_those_of_the_labels_twist(track, motion):
    sequence = {"length": 10, "motion": motion, "speed_rad": {"low": 0.1, "high": 0.4}}
    recipe = KEYPOINTS.replace(sequence=sequence)
    arrays, pose, _, labels = track(recipe, "mug/000000", MUG)
    own = np.c_[sample_object_keypoints(recipe, "mug/000000", MUG).places, np.ones(16)]
    for view in (0, 1, 9, 10, 19):
        twist = read_twist(recipe, labels, view)
        before, after = (pose[view] @ expm(sign * STEP * twist) @ own.T for sign in (-1, 1))
        finer = ((after - before) / (2 * STEP)).T[:, :3]
        assert np.abs(arrays["velocities"][view] - finer).max() < 1e-6
    # Between frames the speed is about the distance: a label of another frame, or unit, would not be.
    steps = np.linalg.norm(np.diff(arrays["tracks"][:10], axis=0), axis=-1)
    speeds = np.linalg.norm(arrays["velocities"][:9], axis=-1)
    assert np.abs(steps / speeds - 1).max() < 0.03


def compute_boxes(values, keypoints):
    """Places of the keypoints of boxes in the object's frame at the values of lid and drawer, by hand."""
    places = keypoints.places.copy()
    hinge = np.array([0.0, 0.2, 0.06])
    lid, drawer = keypoints.parts == 1, keypoints.parts >= 2
    places[lid] = Rotation.from_rotvec([-values[0], 0, 0]).apply(places[lid] - hinge) + hinge
    places[drawer] += [0, -values[1], 0]
    return places


@pytest.mark.parametrize(
    "rule", [{"range": "full"}, {"range": "full", "motion": "held"}, {"range": "full", "per": "object"}]
)
def test_joints_move_keypoints_as_by_hand(track, rule):
    recipe = JOINTED.replace(joints=rule)
    arrays, pose, parts, labels = track(recipe, "boxes/003", BOXES)
    keypoints = sample_object_keypoints(recipe, "boxes/003", BOXES)
    assert set(arrays["track_part"].tolist()) == {0, 1, 2, 3}
    for view in (0, 4, 9, 10, 15):
        values = parts.joint_values[view].astype(float)
        first, last = (parts.joint_values[view - view % 10 + step].astype(float) for step in (0, 9))
        rate, twist = (last - first) / 9, read_twist(recipe, labels, view)

        def place(time, values=values, rate=rate, twist=twist, view=view):
            own = compute_boxes(values + time * rate, keypoints)
            return ((pose[view] @ expm(time * twist))[:3] @ np.c_[own, np.ones(12)].T).T

        assert np.abs(arrays["tracks"][view] - place(0)).max() < 1e-6
        finer = (place(STEP) - place(-STEP)) / (2 * STEP)
        assert np.abs(arrays["velocities"][view] - finer).max() < 2e-6
    moved = np.ptp(parts.joint_values[:10], axis=0).min()
    assert (moved > 0.005) == (rule == {"range": "full"})


def test_parts_of_a_scene_move_by_twists_of_their_own(track):
    source = open_recipe_source(TURNING, None, 1, num_base_objects=20)
    scene = source.list_objects()[0].id
    mesh = source.load(scene)
    arrays, pose, parts, labels = track(TURNING, scene, mesh)
    in_object = np.linalg.inv(pose)[:, None] @ parts.part_pose.astype(float)
    for view in (0, 5, 10, 18):
        twist = read_twist(TURNING, labels, view)
        for agent, part in enumerate(arrays["track_part"].tolist()):
            here = in_object[view, part]
            own = np.linalg.solve(pose[view] @ here, np.append(arrays["tracks"][view, agent], 1))
            turn = np.real(logm(np.linalg.solve(here, in_object[view + 1, part])))
            before, after = (
                pose[view] @ expm(time * twist) @ here @ expm(time * turn) @ own for time in (-STEP, STEP)
            )
            finer = ((after - before) / (2 * STEP))[:3]
            assert np.abs(arrays["velocities"][view, agent] - finer).max() < 5e-5
    assert len(set(arrays["track_part"].tolist())) == len(mesh.parts)


def test_branches_change_the_velocity_from_the_frame_that_shows_them(track):
    recipe = TURNING.replace(dynamics={"law": "branching", "branch_at": 5, "branches": 2})
    source = open_recipe_source(recipe, None, 3, num_base_objects=20)
    for item in source.list_objects():
        arrays, pose, parts, labels = track(recipe, item.id, source.load(item.id))
        in_object = np.linalg.inv(pose)[:, None] @ parts.part_pose.astype(float)
        for view in (4, 5, 14, 15):  # by the twist from the frame before
            agent, part, twist = 0, int(arrays["track_part"][0]), read_twist(recipe, labels, view)
            here = in_object[view, part]
            own = np.linalg.solve(pose[view] @ here, np.append(arrays["tracks"][view, agent], 1))
            turn = np.real(logm(np.linalg.solve(in_object[view - 1, part], here)))
            before, after = (
                pose[view] @ expm(time * twist) @ here @ expm(time * turn) @ own for time in (-STEP, STEP)
            )
            finer = ((after - before) / (2 * STEP))[:3]
            assert np.abs(arrays["velocities"][view, agent] - finer).max() < 5e-5


def test_a_twin_is_tracked_as_the_mirror_image(track):
    recipe = TURNING.replace(
        mirrored=True,
        rotation=None,
        sequence={"length": 10, "motion": "still"},
        factors=TURNING.to_dict()["factors"] | {f"rotation_{axis}_rad": {"value": 0} for axis in "xyz"},
    )
    source = open_recipe_source(recipe, None, 1, num_base_objects=20)
    scene = source.list_objects()[0].id
    own, *_ = track(recipe, scene, source.load(scene))
    twin, *_ = track(recipe, f"{scene}~mirrored", mirror_mesh(source.load(scene)))
    for name in ("tracks", "velocities"):
        assert np.abs(twin[name] - own[name] * [-1, 1, 1]).max() < 1e-6
    assert np.abs(own["velocities"]).max() > 0.01


def test_tracks_turn_with_the_object(track):
    turns = [
        {f"rotation_{axis}_rad": {"value": angle} for axis, angle in zip("xyz", angles, strict=True)}
        for angles in ((0, 0, 0), (0.4, -0.8, 2.0))
    ]
    recipes = [
        JOINTED.replace(
            rotation=None,
            sequence={"length": 10, "motion": "still"},
            joints={"range": "full", "per": "object"},
            factors=JOINTED.to_dict()["factors"] | turn,
            seed=3,
        )
        for turn in turns
    ]
    plain, turned = (track(recipe, "boxes/003", BOXES) for recipe in recipes)
    turn = Rotation.from_euler("xyz", [0.4, -0.8, 2.0])
    own = compute_boxes(
        turned[2].joint_values[0].astype(float), sample_object_keypoints(recipes[1], "boxes/003", BOXES)
    )
    assert np.abs(turned[0]["tracks"][0] - turn.apply(own)).max() < 1e-6
    assert (
        np.abs(
            plain[0]["tracks"][0]
            - compute_boxes(
                plain[2].joint_values[0].astype(float),
                sample_object_keypoints(recipes[0], "boxes/003", BOXES),
            )
        ).max()
        < 1e-6
    )
    assert (plain[0]["track_part"] == turned[0]["track_part"]).all()


@pytest.mark.gl
def test_keypoints_are_projected_onto_the_mask(track):
    near = {"length": 10, "motion": "screw", "speed_rad": {"low": 0.1, "high": 0.4}}
    near |= {"offset": {"low": 0.05, "high": 0.1}, "travel": {"low": -0.1, "high": 0.1}}
    recipe = JOINTED.replace(image_size_px=64, quality="fast", outputs=["rgb", "mask"], sequence=near)
    with open_backend() as backend:
        masks = render_views(backend, recipe, "boxes/003", BOXES, range(20)).extras["mask"] > 0
    tracks = track(recipe, "boxes/003", BOXES)[0]["tracks"]
    pixels = Camera().project(tracks.astype(float), 64)
    inside = ((pixels > 1) & (pixels < 63)).all(axis=-1)
    for view in range(20):
        mask = masks[view]
        for axis, shift in (
            (0, 1),
            (0, -1),
            (1, 1),
            (1, -1),
        ):  # a keypoint on the outline may lie half a pixel out
            mask = mask | np.roll(masks[view], shift, axis)
        x, y = pixels[view, inside[view]].astype(int).T
        assert mask[y, x].all()
    assert inside.mean() > 0.9
    assert masks.mean() < 0.4
