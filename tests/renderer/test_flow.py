"""Flow from view to view: closed forms, and pixels that are carried onto the next view, drawn on its own."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.assemblies import RayCaster, hinged_boxes
from turntable import geometry
from turntable.datasets import load_recipe
from turntable.datasets.labels import FLOW_HIDDEN, FLOW_SEEN, PRINCIPAL_POINT_NAMES, REQUIRED_FACTORS
from turntable.datasets.objects import compute_joint_motions
from turntable.errors import InvalidInputError
from turntable.renderer.backends import get_quality
from turntable.renderer.extra_outputs import DrawnViews, begin_outputs, list_drawn_views
from turntable.renderer.scene import DEFAULT_CAMERA, Camera, SeenSurface, compute_flow, scenes_from_labels

SIZE = 64
FOCAL = DEFAULT_CAMERA.compute_intrinsics(SIZE)[0, 0]
GRID = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), axis=-1)
TO_WORLD = geometry.invert_pose(DEFAULT_CAMERA.world_to_camera)
OUTPUTS = ("rgb", "mask", "depth", "coordinates", "parts", "flow")


def make_scenes(poses, **columns):
    """Scenes with these poses of the object, and further factors of each view."""
    names = (*REQUIRED_FACTORS, *columns)
    labels = np.zeros((len(poses), len(names)))
    for column, values in enumerate(columns.values(), len(REQUIRED_FACTORS)):
        labels[:, column] = values
    return replace(scenes_from_labels(names, labels), object_to_world=np.array(poses))


def see_plane(pose, depth=2.0):
    """A plane parallel to the picture, whose frame has the pose in the camera, at a depth."""
    rays = DEFAULT_CAMERA.compute_directions(GRID, SIZE) * depth
    inverse = geometry.invert_pose(pose)
    points = rays @ inverse[:3, :3].T + inverse[:3, 3]
    shape = (SIZE, SIZE)
    return SeenSurface(np.ones(shape, bool), np.zeros(shape, np.uint8), points, np.full(shape, depth))


def turn_about_axis(angle):
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0, 0], [sin, cos, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def plane_flow(motion):
    """The flow of the plane that moves by a motion in the camera's frame."""
    start = geometry.make_pose(np.eye(3), [0.05, -0.1, 2.0])
    poses = [start, motion @ start]
    scenes = make_scenes([TO_WORLD @ pose for pose in poses])
    return compute_flow(scenes, 0, 1, see_plane(poses[0]), see_plane(poses[1]))


def test_a_plane_that_turns_in_the_picture():
    angle = 0.3
    flow = plane_flow(turn_about_axis(angle))
    centered = GRID - SIZE / 2
    turned = centered @ turn_about_axis(angle)[:2, :2].T
    assert np.allclose(flow[..., :2], turned - centered, atol=1e-9)
    inside = (np.abs(turned) < SIZE / 2).all(axis=-1)
    assert (flow[..., 2] == np.where(inside, FLOW_SEEN, FLOW_HIDDEN)).all()
    assert 0.6 < inside.mean() < 0.95


def test_a_plane_that_is_shifted():
    shift = np.array([0.1, -0.25])
    motion = np.eye(4)
    motion[:2, 3] = shift
    flow = plane_flow(motion)
    assert np.allclose(flow[..., :2], FOCAL * shift / 2.0, atol=1e-9)
    places = GRID + FOCAL * shift / 2.0
    inside = ((places >= 0) & (places < SIZE)).all(axis=-1)
    assert (flow[..., 2] == np.where(inside, FLOW_SEEN, FLOW_HIDDEN)).all()


def test_a_plane_that_goes_behind_the_camera_or_out_of_range_has_no_flow():
    motion = np.eye(4)
    motion[2, 3] = -2.5
    assert not plane_flow(motion).any()
    motion[0, 3], motion[2, 3] = 3.0, -1.7  # at a tenth of the depth, and far aside
    flow = plane_flow(motion)
    assert FOCAL * 3.0 / 0.3 > 511
    assert not flow.any()


def test_the_floor_stands_still_while_the_camera_moves():
    elevations = np.array([0.7, 0.6])
    distances = np.array([2.5, 2.2])
    scenes = make_scenes([np.eye(4)] * 2, camera_elevation_rad=elevations, camera_distance=distances)
    cameras = [Camera(d, np.pi / 2 - e) for d, e in zip(distances, elevations, strict=True)]
    rays = cameras[0].compute_rays(GRID, SIZE)
    depth = np.where(rays[..., 2] < 0, (-1 - cameras[0].position[2]) / rays[..., 2], np.inf)
    world = cameras[0].position + rays * np.where(np.isfinite(depth), depth, 1)[..., None]
    blank = np.zeros((SIZE, SIZE))
    seen = SeenSurface(blank.astype(bool), blank.astype(np.uint8), np.zeros((SIZE, SIZE, 3)), depth)
    there = replace(seen, depth=np.full((SIZE, SIZE), np.inf))
    flow = compute_flow(scenes, 0, 1, seen, there)
    assert np.isfinite(depth).all()
    assert np.allclose(flow[..., :2], cameras[1].project(world, SIZE) - GRID, atol=1e-7)
    assert np.abs(flow[..., :2]).max() > 2
    sky = replace(seen, depth=np.full((SIZE, SIZE), np.inf))
    assert not compute_flow(scenes, 0, 1, sky, there).any()


def moving_boxes(num_views=6):
    """Boxes that turn while the lid opens, the drawer slides and the camera comes nearer."""
    mesh = hinged_boxes(drawer=True)
    step = np.arange(num_views)
    poses = geometry.make_pose(geometry.exp_so3([0.4, 0.2, 0.5]), np.zeros(3)) @ geometry.exp_se3(
        step[:, None] * np.array([0.03, 0.05, 0.12, 0.01, 0.0, 0.01])
    )
    scenes = make_scenes(poses, camera_distance=1.7 - 0.04 * step)
    values = np.stack([0.25 * step, 0.05 * step], axis=-1)
    return mesh, replace(scenes, part_motions=compute_joint_motions(mesh.parts, values))


@pytest.fixture(scope="module")
def carried():
    """For each step: the flow of a view, its outputs, and those of the next one."""
    mesh, scenes = moving_boxes()
    drawn = DrawnViews(tuple(range(6)), (1, 2, 3, 4, 5, None))
    quality = get_quality("fast", None)
    _, extras = begin_outputs(RayCaster(), mesh, scenes, SIZE, quality, OUTPUTS, drawn)()
    return extras


def compute_mismatch(extras, view, still=False):
    """How far each pixel's point is, in px, from the point that the next view shows where the flow leads.

    Infinite where the four pixels around that place do not show the same part.
    """
    flow, there = (
        extras["flow"][view].astype(np.float64),
        {name: array[view + 1] for name, array in extras.items()},
    )
    places = GRID + (0 if still else flow[..., :2])
    corner = np.floor(places - 0.5).astype(int)
    inside = ((corner >= 0) & (corner < SIZE - 1)).all(axis=-1)
    corner = np.where(inside[..., None], corner, 0)
    share = places - 0.5 - corner
    same, point = inside.copy(), np.zeros((SIZE, SIZE, 3))
    for right in (0, 1):
        for down in (0, 1):
            at = corner[..., 1] + down, corner[..., 0] + right
            weight = np.abs(1 - right - share[..., 0]) * np.abs(1 - down - share[..., 1])
            point += weight[..., None] * there["coordinates"][at]
            same &= there["parts"][at] == extras["parts"][view]
    apart = np.linalg.norm(point - extras["coordinates"][view], axis=-1)
    return np.where(same, apart * FOCAL / extras["depth"][view], np.inf)


def test_pixels_are_carried_onto_the_same_points_of_the_next_view(carried):
    errors, still, moved = [], [], []
    for view in range(5):
        seen = (carried["mask"][view] > 0) & (carried["flow"][view, ..., 2] == FLOW_SEEN)
        errors.append(compute_mismatch(carried, view)[seen])
        still.append(compute_mismatch(carried, view, still=True)[seen])
        moved.append(np.linalg.norm(carried["flow"][view, ..., :2], axis=-1)[seen])
    error = np.concatenate(errors)
    assert len(error) > 2500
    assert np.median(error) < 0.05
    # Beyond that, the four pixels around the place lie across an edge of a part or a box.
    assert (error < 0.5).mean() > 0.7
    assert np.median(np.concatenate(moved)) > 1
    assert np.median(np.concatenate(still)) > 0.9


def test_hidden_points_are_not_what_the_next_view_shows(carried):
    errors, parts = [], set()
    for view in range(5):
        flow = carried["flow"][view]
        places = GRID + flow[..., :2]
        inside = ((places >= 0) & (places < SIZE)).all(axis=-1)
        hidden = (carried["mask"][view] > 0) & (flow[..., 2] == FLOW_HIDDEN) & inside
        errors.append(compute_mismatch(carried, view)[hidden])
        parts |= set(carried["parts"][view][hidden].tolist())
    error = np.concatenate(errors)
    assert len(error) > 25
    assert len(parts) > 1
    assert (error > 0.5).mean() > 0.9


def test_the_last_view_of_a_sequence_has_no_flow(carried):
    assert not carried["flow"][5].any()


def test_the_next_views_are_drawn_too():
    recipe = load_recipe("sequences").replace(outputs=["rgb", "flow"])
    assert list_drawn_views(recipe, range(20)) == DrawnViews(
        tuple(range(20)), (*range(1, 10), None, *range(11, 20), None)
    )
    assert list_drawn_views(recipe, [9, 3, 7, 4]) == DrawnViews((9, 3, 7, 4, 8, 5), (None, 3, 4, 5))
    plain = recipe.replace(outputs=["rgb", "parts"])
    assert list_drawn_views(plain, [3, 7]) == DrawnViews((3, 7), (None, None))


def test_a_subset_of_views_has_the_same_flow(carried):
    mesh, scenes = moving_boxes()
    rows = np.array([2, 4, 3, 5])
    chosen = replace(scenes, **{name: getattr(scenes, name)[rows] for name in scenes.__slots__})
    drawn = DrawnViews((2, 4, 3, 5), (2, 3))
    _, extras = begin_outputs(RayCaster(), mesh, chosen, SIZE, get_quality("fast", None), OUTPUTS, drawn)()
    for name in extras:
        assert (extras[name] == carried[name][[2, 4]]).all()


class Unaware(RayCaster):
    """A backend that does not know of parts."""

    def begin(self, mesh, scenes, image_size_px, quality, outputs=("rgb",)):
        asked = [name for name in outputs if name != "parts"]
        return super().begin(mesh, scenes, image_size_px, quality, asked)


def test_a_backend_without_parts_is_named_only_where_they_matter():
    mesh, scenes = moving_boxes(2)
    setting = SIZE, get_quality("fast", None), ("rgb", "parts"), DrawnViews((0, 1), (None, None))
    with pytest.raises(InvalidInputError, match="does not draw the output parts"):
        begin_outputs(Unaware(), mesh, scenes, *setting)()
    whole = replace(mesh, parts=(), part_index=None)
    still = replace(scenes, part_motions=None)
    _, extras = begin_outputs(Unaware(), whole, still, *setting)()
    masks = RayCaster().render(whole, still, *setting[:2], ("mask",)).mask
    assert masks is not None
    assert (extras["parts"] == np.where(masks > 0, 0, 255)).all()
    assert (masks > 0).any()


@pytest.mark.parametrize("on_object", [True, False])
def test_cameras_that_roll_and_shift_move_the_whole_picture(on_object):
    """The content turns about the principal point and moves with it, whatever the picture shows."""
    rolls, lenses = np.array([0.2, -0.7]), np.array([[3.0, -2.0], [-4.5, 6.0]])
    pose = geometry.make_pose(np.eye(3), [0.05, -0.1, 2.0])
    columns = dict(zip(PRINCIPAL_POINT_NAMES, lenses.T, strict=True))
    scenes = make_scenes([TO_WORLD @ pose] * 2, camera_roll_rad=rolls, **columns)
    rays = DEFAULT_CAMERA.compute_directions(GRID - lenses[0], SIZE) * 2.0  # a plane of depth 2
    to_object = np.linalg.inv(scenes.world_to_camera[0] @ scenes.object_to_world[0])
    points = rays @ to_object[:3, :3].T + to_object[:3, 3]
    shape = (SIZE, SIZE)
    seen = SeenSurface(np.full(shape, on_object), np.zeros(shape, np.uint8), points, np.full(shape, 2.0))
    flow = compute_flow(scenes, 0, 1, seen, seen)
    turn = turn_about_axis(rolls[1] - rolls[0])[:2, :2]
    expected = (GRID - SIZE / 2 - lenses[0]) @ turn.T + SIZE / 2 + lenses[1]
    assert np.allclose(flow[..., :2], expected - GRID, atol=1e-9)
    inside = ((expected >= 0) & (expected < SIZE)).all(axis=-1)
    assert (flow[..., 2] == np.where(inside, FLOW_SEEN, FLOW_HIDDEN)).all()
