"""Tests of the symmetry facts of meshes against closed forms, scipy's groups and searches by brute force."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tests.support.meshes import sphere
from turntable.errors import MeshError
from turntable.renderer.meshes import Material, Mesh, join_meshes, measure_symmetry, with_flat_normals
from turntable.renderer.meshes.symmetry.surface_discs import sample_surface_discs
from turntable.renderer.meshes.zoo import make_zoo_mesh
from turntable.testing.backends import make_box

Array = NDArray[np.float64]
TURNED = Rotation.from_rotvec([0.7, -1.1, 0.4])


def _mesh(shape: trimesh.Trimesh) -> Mesh:
    positions = np.asarray(shape.vertices, np.float32)
    triangles = np.asarray(shape.faces, np.int32)
    blank = np.zeros((len(positions), 2), np.float32)
    index = np.zeros(len(triangles), np.int32)
    mesh = Mesh(positions, triangles, np.zeros_like(positions), blank, index, (Material(),))
    return with_flat_normals(mesh)


def _moved(mesh: Mesh, rotation: Rotation = TURNED, scale: float = 7.0) -> Mesh:
    positions = rotation.apply(mesh.positions * scale) + np.array([3.0, -40.0, 12.0])
    return replace(mesh, positions=positions.astype(np.float32))


def _hull(points: Array) -> trimesh.Trimesh:
    return trimesh.convex.convex_hull(np.asarray(points, float))


def _prism(sides: int, height: float = 0.7) -> trimesh.Trimesh:
    angles = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angles), np.sin(angles), np.zeros(sides)], axis=-1) / 2
    return _hull(np.concatenate([ring, ring + np.array([0, 0, height])]))


def _pyramid() -> trimesh.Trimesh:
    return _hull(np.array([[1, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0], [0, 0, 1.5]]))


def _tetrahedron() -> trimesh.Trimesh:
    return _hull(np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))


def _octahedron() -> trimesh.Trimesh:
    return _hull(np.concatenate([np.eye(3), -np.eye(3)]))


def _propeller(blades: int) -> trimesh.Trimesh:
    parts = [trimesh.creation.cylinder(0.12, 0.2, sections=48)]
    for number in range(blades):
        blade = trimesh.creation.box((0.8, 0.2, 0.04))
        blade.apply_transform(trimesh.transformations.rotation_matrix(0.5, (1, 0, 0)))
        blade.apply_translation((0.45, 0, 0))
        turn = 2 * np.pi * number / blades
        blade.apply_transform(trimesh.transformations.rotation_matrix(turn, (0, 0, 1)))
        parts.append(blade)
    return trimesh.util.concatenate(parts)


def _boxes(*sizes_and_places: tuple[tuple[float, ...], tuple[float, ...]]) -> trimesh.Trimesh:
    parts = []
    for size, place in sizes_and_places:
        parts.append(trimesh.creation.box(size))
        parts[-1].apply_translation(place)
    return trimesh.util.concatenate(parts)


def _letter() -> trimesh.Trimesh:
    """The letter L: its own mirror image, without any rotation."""
    return _boxes(((1, 0.3, 0.3), (0, 0, 0)), ((0.3, 0.3, 0.7), (0.35, 0, 0.5)))


def _twisted() -> trimesh.Trimesh:
    """Three bars along three axes, one after the other: neither a rotation nor a mirror image."""
    return _boxes(
        ((1, 0.2, 0.2), (0, 0, 0)), ((0.2, 0.6, 0.2), (0.4, 0.3, 0)), ((0.2, 0.2, 0.4), (0.4, 0.5, 0.2))
    )


def _round(shape: str) -> trimesh.Trimesh:
    return {
        "cylinder": lambda: trimesh.creation.cylinder(0.4, 1, sections=64),
        "isotropic cylinder": lambda: trimesh.creation.cylinder(0.5, 0.85, sections=64),
        "cone": lambda: trimesh.creation.cone(0.5, 1, sections=64),
        "torus": lambda: trimesh.creation.torus(0.5, 0.15),
        "capsule": lambda: trimesh.creation.capsule(1, 0.3),
        "ball": lambda: trimesh.creation.icosphere(3),
    }[shape]()


SHAPES = {
    "box": (trimesh.creation.box((1, 0.7, 0.4)), "D2", 4),
    "square prism": (trimesh.creation.box((0.5, 0.5, 1)), "D4", 8),
    "almost a cube": (trimesh.creation.box((1, 1, 1.05)), "D4", 8),
    "cube": (trimesh.creation.box((1, 1, 1)), "O", 24),
    "pyramid": (_pyramid(), "C4", 4),
    **{f"{sides}-prism": (_prism(sides), f"D{sides}", 2 * sides) for sides in (3, 5, 6, 7, 9, 10, 11, 12)},
    "24-prism": (_prism(24), "Dinf", 2),
    "tetrahedron": (_tetrahedron(), "T", 12),
    "octahedron": (_octahedron(), "O", 24),
    "icosahedron": (trimesh.creation.icosahedron(), "I", 60),
    "dodecahedron": (_hull(trimesh.creation.icosahedron().triangles_center), "I", 60),
    "propeller of 2": (_propeller(2), "D2", 4),
    "propeller of 3": (_propeller(3), "D3", 6),
    "propeller of 5": (_propeller(5), "D5", 10),
    "letter": (_letter(), "C1", 1),
    "twisted": (_twisted(), "C1", 1),
    "cylinder": (_round("cylinder"), "Dinf", 2),
    "isotropic cylinder": (_round("isotropic cylinder"), "Dinf", 2),
    "cone": (_round("cone"), "Cinf", 1),
    "torus": (_round("torus"), "Dinf", 2),
    "capsule": (_round("capsule"), "Dinf", 2),
    "ball": (_round("ball"), "SO3", 1),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_have_their_groups_wherever_they_lie_and_however_large_they_are(name: str) -> None:
    shape, group, count = SHAPES[name]
    for mesh in (_mesh(shape), _moved(_mesh(shape))):
        symmetry = measure_symmetry(mesh).symmetry
        assert (symmetry.group, len(symmetry.rotations)) == (group, count)
        assert symmetry.rotations[0] == (0, 0, 0, 1)
        assert symmetry.residual <= 0.0045


@pytest.mark.parametrize(
    ("shape", "group"),
    [
        (_tetrahedron(), "T"),
        (_octahedron(), "O"),
        (trimesh.creation.box((1, 1, 1)), "O"),
        (trimesh.creation.box((1, 0.7, 0.4)), "D2"),
        (_prism(6), "D6"),
    ],
)
def test_the_rotations_are_those_of_scipys_group_turned_with_the_mesh(
    shape: trimesh.Trimesh, group: str
) -> None:
    symmetry = measure_symmetry(_moved(_mesh(shape))).symmetry
    expected = TURNED * Rotation.create_group(group, axis="Z") * TURNED.inv()
    found = Rotation.from_quat(symmetry.list_rotations())
    assert len(found) == len(expected)
    angles = np.array([(expected * one.inv()).magnitude() for one in found])
    assert np.degrees(angles.min(axis=1)).max() < 1.5
    assert len(set(angles.argmin(axis=1))) == len(expected)


def test_the_rotations_of_an_icosahedron_carry_its_corners_to_its_corners() -> None:
    shape = trimesh.creation.icosahedron()
    symmetry = measure_symmetry(_moved(_mesh(shape))).symmetry
    corners = TURNED.apply(shape.vertices)
    for rotation in Rotation.from_quat(symmetry.list_rotations()):
        gaps = np.linalg.norm(rotation.apply(corners)[:, None] - corners, axis=-1).min(axis=1)
        assert gaps.max() < 0.03
    products = Rotation.from_quat(symmetry.list_rotations(7)).as_matrix()
    assert np.unique(np.round(products, 3).reshape(-1, 9), axis=0).shape[0] == 60


@pytest.mark.parametrize("name", ["cylinder", "cone"])
def test_the_axis_of_every_turn_turns_with_the_mesh(name: str) -> None:
    symmetry = measure_symmetry(_moved(_mesh(SHAPES[name][0]))).symmetry
    assert symmetry.axis is not None
    assert abs(np.dot(symmetry.axis, TURNED.apply([0, 0, 1]))) > np.cos(np.radians(0.5))
    listed = Rotation.from_quat(symmetry.list_rotations(8))
    assert len(listed) == 8 * SHAPES[name][2]
    turned = listed.apply(symmetry.axis) @ np.array(symmetry.axis)
    # Half of Dinf turns the axis over.
    assert np.allclose(np.abs(turned), 1, atol=1e-5)
    assert (turned < 0).sum() == (8 if name == "cylinder" else 0)


def test_a_ball_has_no_list_of_rotations() -> None:
    with pytest.raises(ValueError, match="every rotation"):
        measure_symmetry(_mesh(_round("ball"))).symmetry.list_rotations()


def test_the_center_is_the_centroid_of_the_surface_from_the_middle_of_the_box() -> None:
    radius, height = 0.5, 1.0
    lateral, base = np.pi * radius * np.hypot(radius, height), np.pi * radius**2
    centroid = lateral * height / 3 / (lateral + base)  # above the base; the base's own is at 0
    diagonal = np.sqrt(8 * radius**2 + height**2)
    center = measure_symmetry(_mesh(trimesh.creation.cone(radius, height, sections=256))).symmetry.center
    assert np.allclose(center, [0, 0, (centroid - height / 2) / diagonal], atol=1e-4)


@pytest.mark.parametrize("sides", [(1.0, 0.7, 0.4), (0.5, 0.5, 1.0), (2.0, 1.9, 0.1)])
def test_the_eigen_gap_of_a_box_is_the_closed_form(sides: tuple[float, float, float]) -> None:
    values = []
    for axis in range(3):
        a, b, c = np.roll(sides, -axis)
        values.append(2 * b * c * a**2 / 4 + 2 * (a * b + a * c) * a**2 / 12)
    low, middle, high = sorted(values)
    expected = min(middle - low, high - middle) / high
    for mesh in (_mesh(trimesh.creation.box(sides)), _moved(_mesh(trimesh.creation.box(sides)))):
        assert measure_symmetry(mesh).eigen_gap == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", [name for name in SHAPES if "propeller" not in name and name != "twisted"])
def test_shapes_with_a_mirror_plane_are_their_own_mirror_image(name: str) -> None:
    assert measure_symmetry(_moved(_mesh(SHAPES[name][0]))).mirror_residual < 0.002


@pytest.mark.parametrize("name", ["propeller of 2", "propeller of 3", "propeller of 5", "twisted"])
def test_chiral_shapes_are_as_far_from_their_mirror_image_as_it_is_from_them(name: str) -> None:
    mesh = _mesh(SHAPES[name][0])
    image = replace(mesh, positions=mesh.positions * np.float32([-1, 1, 1]))
    one, other = (measure_symmetry(each).mirror_residual for each in (mesh, image))
    assert min(one, other) > 0.008
    assert one == pytest.approx(other, rel=0.2)


def test_an_object_with_an_inversion_but_no_mirror_plane_is_its_own_mirror_image() -> None:
    bars = _boxes(((0.5, 0.1, 0.1), (0.3, 0.25, 0.1)), ((0.1, 0.3, 0.1), (0.5, 0.1, 0.2)))
    points = np.asarray(bars.vertices)
    both = trimesh.util.concatenate([bars, trimesh.Trimesh(-points, np.asarray(bars.faces)[:, ::-1])])
    facts = measure_symmetry(_moved(_mesh(both)))
    assert facts.symmetry.group == "C1"
    assert facts.mirror_residual < 0.002


@pytest.mark.parametrize("category", ["mug", "camera", "desk_lamp"])
def test_no_plane_of_a_fine_search_mirrors_an_object_better(category: str) -> None:
    mesh = make_zoo_mesh(category, 0)
    surface = sample_surface_discs(mesh)
    height = (np.arange(400) + 0.5) / 400
    turn = np.arange(400) * np.pi * (3 - 5**0.5)
    flat = np.sqrt(1 - height**2)
    normals = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=-1)
    reflections = np.eye(3) - 2 * normals[:, :, None] * normals[:, None]
    least = min(surface.compute_residual(reflection) for reflection in reflections)
    assert measure_symmetry(mesh).mirror_residual <= least + 0.0005


@pytest.mark.parametrize("category", ["airplane", "table", "bicycle", "teapot", "truck"])
def test_objects_of_the_zoo_have_no_rotations(category: str) -> None:
    assert measure_symmetry(make_zoo_mesh(category, 1)).symmetry.group == "C1"


def test_another_tessellation_and_a_little_noise_change_no_group() -> None:
    cube = trimesh.creation.box((1, 1, 1)).subdivide().subdivide().subdivide()
    noise = np.random.default_rng(0).normal(0, 0.001, cube.vertices.shape)
    rough = trimesh.Trimesh(np.asarray(cube.vertices) + noise, np.asarray(cube.faces), process=False)
    assert measure_symmetry(_mesh(cube)).symmetry.group == "O"
    assert measure_symmetry(_mesh(rough)).symmetry.group == "O"
    # One face is cut into far more triangles than the others.
    dense = join_meshes([make_box((1, 1, 1)), make_box((1, 1, 1))])
    assert measure_symmetry(dense).symmetry.group == "O"


def test_a_mark_takes_away_what_it_breaks() -> None:
    knob = _boxes(((1, 1, 1), (0, 0, 0)), ((0.3, 0.3, 0.3), (0, 0, 0.6)))
    assert measure_symmetry(_mesh(knob)).symmetry.group == "C4"
    aside = _boxes(((1, 1, 1), (0, 0, 0)), ((0.3, 0.3, 0.3), (0.3, 0.1, 0.6)))
    assert measure_symmetry(_mesh(aside)).symmetry.group == "C1"


def test_the_facts_depend_on_the_geometry_alone_and_repeat() -> None:
    mesh = _mesh(_twisted())
    painted = replace(mesh, materials=(Material(base_color=(1, 0, 0), roughness=0.1),))
    assert measure_symmetry(mesh) == measure_symmetry(mesh) == measure_symmetry(painted)


def test_what_cannot_be_seen_does_not_count() -> None:
    hidden = make_box((0.1, 0.3, 0.1), (0.1, 0, 0), alpha=0.0)
    mesh = join_meshes([make_box((1.0, 1.0, 1.0)), hidden])
    assert measure_symmetry(mesh).symmetry.group == "O"
    with pytest.raises(MeshError, match="no area"):
        measure_symmetry(hidden)


def test_a_smooth_sphere_of_many_triangles_is_round() -> None:
    assert measure_symmetry(sphere(64, 128)).symmetry.group == "SO3"
