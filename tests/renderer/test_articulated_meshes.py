"""Tests that articulated objects are sound meshes of rigid parts, moved by their joints as stated."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from turntable.datasets import load_recipe
from turntable.datasets.objects import compute_joint_motions, list_joints
from turntable.errors import InvalidInputError
from turntable.renderer import quality_from_recipe
from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Mesh, compute_mesh_digest, get_part_of_vertices, move_parts
from turntable.renderer.meshes.zoo.articulated import FAMILIES, make_articulated_mesh
from turntable.renderer.scene import DEFAULT_CAMERA, Scenes, scenes_from_labels

Array = NDArray[np.float64]

REACH = 0.85


def corners_of(mesh: Mesh, part: int) -> Array:
    return mesh.positions.astype(np.float64)[mesh.triangles[mesh.part_index == part]]


def joint_limits(mesh: Mesh) -> tuple[Array, Array]:
    joints = list_joints(mesh.parts)
    return np.array([joint.low for joint in joints]), np.array([joint.high for joint in joints])


def draw_values(mesh: Mesh, count: int) -> Array:
    """Both ends of all joints, and values between: [count + 2, J]."""
    low, high = joint_limits(mesh)
    between = low + np.random.default_rng(0).integers(0, 3, (count, len(low))) / 2 * (high - low)
    return np.concatenate([[low, high], between])


def turn_about(point: Array, axis: Array, origin: Array, angle: float) -> Array:
    """Rodrigues' formula, independent of the package's exponential map."""
    arm = point - origin
    along = axis * (arm @ axis)[..., None]
    return origin + along + np.cos(angle) * (arm - along) + np.sin(angle) * np.cross(axis, arm)


def move_by_hand(mesh: Mesh, values: Array) -> Array:
    """Move the vertices [N, 3] of an assembly joint by joint, the last part of a chain first."""
    positions, part = mesh.positions.astype(np.float64).copy(), get_part_of_vertices(mesh)
    columns = [index for index, item in enumerate(mesh.parts) if item.joint is not None]
    for column in reversed(range(len(columns))):
        joint, moved = mesh.parts[columns[column]].joint, {columns[column]}
        assert joint is not None
        for index, item in enumerate(mesh.parts):
            moved |= {index} if item.parent in moved else set()
        mask = np.isin(part, list(moved))
        axis, origin = np.array(joint.axis), np.array(joint.origin)
        if joint.kind == "slide":
            positions[mask] += values[column] * axis
        else:
            positions[mask] = turn_about(positions[mask], axis, origin, float(values[column]))
    return positions


def test_there_are_at_least_ten_families_in_order() -> None:
    assert len(FAMILIES) >= 10
    assert list(FAMILIES) == sorted(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_hang_together_by_one_to_four_joints(family: str) -> None:
    for instance in range(3):
        mesh = make_articulated_mesh(family, instance)
        assert mesh.part_index is not None
        assert set(mesh.part_index.tolist()) == set(range(len(mesh.parts)))
        assert 1 <= len(list_joints(mesh.parts)) <= 4
        assert (mesh.parts[0].parent, mesh.parts[0].joint) == (None, None)
        for part in mesh.parts[1:]:
            assert part.parent is not None
            assert part.joint is not None
            assert part.joint.low <= 0 <= part.joint.high
            assert part.joint.high - part.joint.low > (0.3 if part.joint.kind == "hinge" else 0.1)
            assert np.array(part.rest_pose)[:3, 3].tolist() == list(part.joint.origin)


@pytest.mark.parametrize("family", FAMILIES)
def test_at_rest_the_box_is_centered_and_its_diagonal_is_one(family: str) -> None:
    for instance in range(3):
        positions = make_articulated_mesh(family, instance).positions
        low, high = positions.min(axis=0), positions.max(axis=0)
        np.testing.assert_allclose(low, -high, atol=2e-6)
        assert np.linalg.norm(high - low) == pytest.approx(1, abs=5e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_is_closed_and_its_normals_point_outward(family: str) -> None:
    for instance in range(2):
        mesh = make_articulated_mesh(family, instance)
        assert 500 <= len(mesh.triangles) <= 6000
        assert np.isfinite(mesh.positions).all()
        for part in range(len(mesh.parts)):
            corners = corners_of(mesh, part)
            a, b, c = corners.transpose(1, 0, 2)
            area_vectors = np.cross(b - a, c - a) / 2
            area = np.linalg.norm(area_vectors, axis=1)
            assert area.min() > 1e-8
            # Gauss: the area vectors of closed surfaces cancel, and the volume within is positive.
            np.testing.assert_allclose(area_vectors.sum(axis=0), 0, atol=1e-4)
            assert np.einsum("tk,tk->", corners.mean(axis=1), area_vectors) > 0
            normals = mesh.normals[mesh.triangles[mesh.part_index == part]]
            assert np.einsum("td,tkd->tk", area_vectors / area[:, None], normals).min() > 0.3


@pytest.mark.parametrize("family", FAMILIES)
def test_no_joint_moves_a_point_too_far_out(family: str) -> None:
    for instance in range(2):
        mesh = make_articulated_mesh(family, instance)
        for motions in compute_joint_motions(mesh.parts, draw_values(mesh, 10)):
            assert np.linalg.norm(move_parts(mesh, motions).positions, axis=1).max() < REACH


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_do_not_pass_through_each_other(family: str) -> None:
    mesh = make_articulated_mesh(family, 0)
    triangles = [corners_of(mesh, part) for part in range(len(mesh.parts))]
    points = [sample_points(corners, 60) for corners in triangles]
    rest = compute_shares_inside(triangles, points, np.tile(np.eye(4), (len(triangles), 1, 1)))
    for motions in compute_joint_motions(mesh.parts, draw_values(mesh, 4)):
        # Pins and bushes of joints lie in each other, at rest too.
        assert (compute_shares_inside(triangles, points, motions) - rest).max() < 0.12


def test_parts_that_pass_through_each_other_are_found() -> None:
    mesh = make_articulated_mesh("laptop", 0)
    triangles = [corners_of(mesh, part) for part in range(2)]
    points = [sample_points(corners, 60) for corners in triangles]
    motions = compute_joint_motions(mesh.parts, np.array([[2.0]]))[0]
    rest = compute_shares_inside(triangles, points, np.tile(np.eye(4), (2, 1, 1)))
    assert (compute_shares_inside(triangles, points, motions) - rest).max() > 0.12


def sample_points(corners: Array, count: int) -> Array:
    """Points [count, 3] uniform on triangles."""
    rng = np.random.default_rng(1)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = corners[rng.choice(len(corners), count, p=area / area.sum())]
    weights = rng.dirichlet((1, 1, 1), count)
    return np.einsum("pk,pkd->pd", weights, chosen)


def compute_shares_inside(triangles: list[Array], points: list[Array], motions: Array) -> Array:
    """Shares [K, K] of the points of each part that lie inside another, by its winding numbers."""
    shares = np.zeros((len(points), len(points)))
    for i, j in np.argwhere(~np.eye(len(points), dtype=np.bool_)):
        relative = np.linalg.inv(motions[j]) @ motions[i]
        moved = points[i] @ relative[:3, :3].T + relative[:3, 3]
        low, high = triangles[j].min(axis=(0, 1)), triangles[j].max(axis=(0, 1))
        near = moved[((moved > low) & (moved < high)).all(axis=1)]
        shares[i, j] = (np.abs(compute_windings(near, triangles[j])) > 0.5).sum() / len(moved)
    return shares


def compute_windings(points: Array, triangles: Array) -> Array:
    """Winding numbers [P] of closed surfaces, by van Oosterom and Strackee's formula of solid angles."""
    a, b, c = (triangles[None, :, k] - points[:, None] for k in range(3))
    x, y, z = (np.linalg.norm(edge, axis=-1) for edge in (a, b, c))
    over = np.einsum("ptd,ptd->pt", a, np.cross(b, c))
    ab, bc, ca = (np.einsum("ptd,ptd->pt", u, v) for u, v in ((a, b), (b, c), (c, a)))
    return 2 * np.arctan2(over, x * y * z + ab * z + bc * x + ca * y).sum(axis=1) / (4 * np.pi)


@pytest.mark.parametrize("family", ["robot_arm", "cabinet", "door", "pocket_knife"])
def test_joints_move_parts_as_by_hand(family: str) -> None:
    mesh = make_articulated_mesh(family, 1)
    values = draw_values(mesh, 4)
    for row, motions in zip(values, compute_joint_motions(mesh.parts, values), strict=True):
        np.testing.assert_allclose(move_parts(mesh, motions).positions, move_by_hand(mesh, row), atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_joint_keeps_its_axis_fixed_and_a_part_rigid(family: str) -> None:
    mesh = make_articulated_mesh(family, 0)
    motions = compute_joint_motions(mesh.parts, draw_values(mesh, 3))
    for index, part in enumerate(mesh.parts[1:], start=1):
        assert part.joint is not None
        assert part.parent is not None
        axis, origin = np.array(part.joint.axis), np.array(part.joint.origin)
        own, carrier = motions[:, index], motions[:, part.parent]
        for point in (origin, origin + 0.3 * axis):
            by_own, by_carrier = (m[:, :3, :3] @ point + m[:, :3, 3] for m in (own, carrier))
            shift = by_own - by_carrier
            if part.joint.kind == "slide":
                shift = np.cross(shift, carrier[:, :3, :3] @ axis)
            np.testing.assert_allclose(shift, 0, atol=1e-12)
    part_of = get_part_of_vertices(mesh)
    rest = mesh.positions[part_of == len(mesh.parts) - 1][:40].astype(np.float64)
    moved = move_parts(mesh, motions[1]).positions[part_of == len(mesh.parts) - 1][:40]
    gaps = [np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (rest, moved.astype(np.float64))]
    np.testing.assert_allclose(*gaps, atol=1e-6)


def test_a_moved_arm_lands_on_its_pixels(gl_backend: Backend) -> None:
    mesh = make_articulated_mesh("robot_arm", 2)
    recipe = load_recipe("zoo").replace(image_size_px=96, quality="fast")
    label = np.array([[0.1, -0.2, 0.8, 0.5, 0.3, 1.0, 0.1]], dtype=np.float32)
    scenes = scenes_from_labels(recipe.schema.scene_names, label)
    low, high = joint_limits(mesh)
    for values, others in ((low, high), (high, low)):
        motions = compute_joint_motions(mesh.parts, values[None])[0]
        whole = replace(move_parts(mesh, motions), parts=(), part_index=None)
        pixels = gl_backend.begin(whole, scenes, 96, quality_from_recipe(recipe), ("rgb", "mask"))()
        assert pixels.mask is not None
        # The renderer centers a mesh of one piece, so the same is done here.
        center = (whole.positions.min(axis=0) + whole.positions.max(axis=0)).astype(np.float64) / 2
        near = grow(pixels.mask[0] > 0)
        shares = [
            compute_share_on(near, move_by_hand(mesh, row) - center, scenes) for row in (values, others)
        ]
        assert shares[0] == 1
        assert shares[1] < 0.9


def grow(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the pixels beside those of a mask: vertices on its border may lie in them."""
    padded = np.pad(mask, 1)
    shifted = [np.roll(padded, (row, column), (0, 1)) for row in (-1, 0, 1) for column in (-1, 0, 1)]
    return np.any(shifted, axis=0)[1:-1, 1:-1]


def compute_share_on(mask: NDArray[np.bool_], points: Array, scenes: Scenes) -> float:
    """Share of points, in the object's frame, that are seen on pixels of the mask."""
    rotation, shift = scenes.object_to_world[0, :3, :3], scenes.object_to_world[0, :3, 3]
    column, row = DEFAULT_CAMERA.project(points @ rotation.T + shift, len(mask)).T.astype(np.int64)
    return float(mask[row, column].mean())


@pytest.mark.parametrize("family", FAMILIES)
def test_an_object_follows_from_its_family_number_and_seed(family: str) -> None:
    digest = compute_mesh_digest(make_articulated_mesh(family, 5))
    others = (make_articulated_mesh(family, 6), make_articulated_mesh(family, 5, seed=1))
    assert digest == compute_mesh_digest(make_articulated_mesh(family, 5))
    assert len({digest, *map(compute_mesh_digest, others)}) == 3


def test_objects_are_what_they_were() -> None:
    digests = {name: compute_mesh_digest(make_articulated_mesh(name, 3)) for name in ("laptop", "cabinet")}
    assert digests == {
        "laptop": "677dc1f906d59d3924ee23022affd2a7c77a337198585a55c22f71d5278bcba3",
        "cabinet": "567709aa29f4976973881b411635f0f24453ecf9160916f1cfa0d075b3b23e43",
    }


def test_bad_names_and_numbers_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="unknown family of articulated objects 'mug'"):
        make_articulated_mesh("mug", 0)
    with pytest.raises(InvalidInputError, match="numbered from 0"):
        make_articulated_mesh("laptop", -1)
