"""Symmetric solids: their surfaces in closed form, their groups, and pictures that show both."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from turntable import geometry
from turntable.datasets import ObjectRecord, load_recipe, open_dataset, verify_dataset
from turntable.datasets.files import JsonFields
from turntable.datasets.objects import ObjectSymmetry
from turntable.errors import InvalidInputError
from turntable.renderer import generate, open_backend, open_source
from turntable.renderer.backends import Backend, get_quality
from turntable.renderer.meshes import Mesh, compute_bounds, compute_face_normals, measure_symmetry
from turntable.renderer.meshes.solids import SOLID_NAMES, get_solid_facts, make_solid_mesh
from turntable.renderer.meshes.sources import SolidsSource, SymmetrySource, load_mesh
from turntable.renderer.replay import rerender
from turntable.renderer.scene import scenes_from_labels

Array = NDArray[np.float64]
UNMARKED = tuple(name for name in SOLID_NAMES if get_solid_facts(name, 0).hidden_symmetry is None)
MARKED = ("cylO", "sphereX", "tetX")
SIZE_PX = 64
GOLDEN = (1 + 5**0.5) / 2


@pytest.fixture(scope="module")
def embree() -> Iterator[Backend]:
    with open_backend("embree") as backend:
        yield backend


def take_pictures(backend: Backend, mesh: Mesh, rotations: Array) -> tuple[Array, Array]:
    """Pictures [N, S, S, 3] and masks [N, S, S] of a mesh in rotations [N, 3, 3], under one light."""
    names = load_recipe("solids").schema.names
    rest = [0.6, 0.5, 0.7, 0.1, 1.7]
    angles = geometry.matrix_to_euler(rotations)
    labels = np.concatenate([angles, np.tile(rest, (len(angles), 1))], axis=1).astype(np.float32)
    scenes = scenes_from_labels(names, labels)
    pixels = backend.render(mesh, scenes, SIZE_PX, get_quality("standard"), ("rgb", "mask"))
    assert pixels.mask is not None
    return pixels.rgb.astype(np.float64), pixels.mask.astype(np.float64)


def share_of_pixels_that_differ(pictures: tuple[Array, Array]) -> float:
    """Largest share of the object's pixels by which a picture differs from the first one.

    A pixel differs by more than 12 of 255 in some channel. An edge moves by a millionth of a pixel, so few
    samples see the other side of it.
    """
    rgb, mask = pictures
    differs = (np.abs(rgb - rgb[0]).max(axis=-1) > 12) | (mask != mask[0])
    return float((differs.sum(axis=(1, 2)) / (mask[0] > 0).sum()).max())


def draw_turned_by(symmetry: ObjectSymmetry, start: Rotation) -> Array:
    """Rotations of an object after every element of its group, the identity first; of SO3 after some."""
    if symmetry.group == "SO3":
        return np.stack([start.as_matrix(), *Rotation.random(6, random_state=1).as_matrix()])
    group = geometry.quaternion_to_matrix(symmetry.list_rotations(turns=12))
    return start.as_matrix() @ group


def count_open_edges(mesh: Mesh) -> int:
    """Number of directed edges whose opposite is not there exactly once, with equal points as one."""
    _, point = np.unique(np.rint(mesh.positions * 1e5).astype(np.int64), axis=0, return_inverse=True)
    corners = point.reshape(-1)[mesh.triangles].astype(np.int64)
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    keys, counts = np.unique(edges @ [len(point), 1], return_counts=True)
    opposite = np.unique(edges[:, ::-1] @ [len(point), 1])
    return int((counts != 1).sum() + len(np.setxor1d(keys, opposite)))


def volume_of(mesh: Mesh) -> float:
    a, b, c = mesh.positions.astype(np.float64)[mesh.triangles].transpose(1, 0, 2)
    return float(np.einsum("tx,tx->", a, np.cross(b, c)) / 6)


@pytest.mark.parametrize("name", SOLID_NAMES)
@pytest.mark.parametrize("instance", [0, 5])
def test_a_solid_is_closed_turned_outward_and_of_unit_size(name: str, instance: int) -> None:
    mesh = make_solid_mesh(name, instance)
    low, high = compute_bounds(mesh)
    assert np.abs(low + high).max() < 1e-6
    assert np.linalg.norm(high - low) == pytest.approx(1, abs=3e-6)
    assert count_open_edges(mesh) == 0
    flat = compute_face_normals(mesh.positions, mesh.triangles)
    for corner in range(3):
        assert np.einsum("tx,tx->t", flat, mesh.normals[mesh.triangles[:, corner]]).min() > 0.99
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-5)


def test_volumes_are_those_of_the_textbook() -> None:
    edge = {"tetrahedron": (2 / 3) ** 0.5, "cube": 1 / 3**0.5, "octahedron": 1 / 6**0.5}
    expected = {
        "tetrahedron": edge["tetrahedron"] ** 3 / (6 * 2**0.5),
        "cube": edge["cube"] ** 3,
        "octahedron": edge["octahedron"] ** 3 * 2**0.5 / 3,
        # The box around the icosahedron has edges of golden ratio times the edge; that of the dodecahedron,
        # of its square.
        "icosahedron": 5 * (3 + 5**0.5) / 12 / (3**0.5 * GOLDEN) ** 3,
        "dodecahedron": (15 + 7 * 5**0.5) / 4 / (3**0.5 * GOLDEN**2) ** 3,
        "sphere": 4 / 3 * np.pi / (2 * 3**0.5) ** 3,
    }
    for name, volume in expected.items():
        assert volume_of(make_solid_mesh(name, 0)) == pytest.approx(volume, rel=2e-3), name
    assert expected["tetrahedron"] == pytest.approx(expected["cube"] / 3)


def test_cones_and_cylinders_have_their_own_proportions_and_all_their_own_colors() -> None:
    for name in ("cone", "cylinder", "cylO"):
        heights = {round(float(np.ptp(make_solid_mesh(name, i).positions[:, 2])), 4) for i in range(6)}
        assert len(heights) == 6, name
    for name in SOLID_NAMES:
        meshes = [make_solid_mesh(name, instance) for instance in range(6)]
        assert len({mesh.materials[0].base_color for mesh in meshes}) == 6, name
    assert len(make_solid_mesh("tetX", 0).materials) == 2


@pytest.mark.parametrize("name", UNMARKED)
def test_a_measurement_finds_the_group_of_a_solid(name: str) -> None:
    exact = get_solid_facts(name, 3).symmetry
    found = measure_symmetry(make_solid_mesh(name, 3)).symmetry
    assert found.group == exact.group
    assert found.center == pytest.approx(exact.center, abs=1e-4)
    if exact.axis is not None:
        assert found.axis is not None
        assert abs(np.dot(found.axis, exact.axis)) == pytest.approx(1, abs=1e-5)
        return
    products = np.abs(np.array(found.rotations) @ np.array(exact.rotations).T)
    assert products.max(axis=0) == pytest.approx(1, abs=1e-4)
    assert len(found.rotations) == len(exact.rotations) == {"T": 12, "O": 24, "I": 60}.get(exact.group, 1)


@pytest.mark.parametrize("name", MARKED)
def test_a_mark_leaves_a_part_of_the_group(name: str) -> None:
    facts = get_solid_facts(name, 2)
    shape = {"cylO": "cylinder", "sphereX": "sphere", "tetX": "tetrahedron"}[name]
    assert facts.hidden_symmetry == get_solid_facts(shape, 2).symmetry
    assert facts.symmetry.group == {"cylO": "C1", "sphereX": "C1", "tetX": "C3"}[name]


@pytest.mark.parametrize("name", SOLID_NAMES)
def test_a_solid_looks_the_same_under_its_group(name: str, embree: Backend) -> None:
    symmetry = get_solid_facts(name, 1).symmetry
    turned = draw_turned_by(symmetry, Rotation.from_rotvec([0.4, -0.9, 0.3]))
    pictures = take_pictures(embree, make_solid_mesh(name, 1), turned)
    assert (
        len(turned)
        == {"T": 12, "O": 24, "I": 60, "Cinf": 12, "Dinf": 24, "SO3": 7, "C3": 3, "C1": 1}[symmetry.group]
    )
    assert share_of_pixels_that_differ(pictures) < 0.01


@pytest.mark.parametrize("name", [name for name in UNMARKED if name != "sphere"])
def test_a_solid_looks_different_under_other_rotations(name: str, embree: Backend) -> None:
    start = Rotation.from_rotvec([0.4, -0.9, 0.3])
    turned = np.stack([start.as_matrix(), (start * Rotation.from_rotvec([0.3, 0.3, 0])).as_matrix()])
    assert share_of_pixels_that_differ(take_pictures(embree, make_solid_mesh(name, 1), turned)) > 0.1


@pytest.mark.gl
@pytest.mark.parametrize("name", ["icosahedron", "cone", "tetX"])
def test_it_does_in_another_backend(name: str, gl_backend: Backend) -> None:
    symmetry = get_solid_facts(name, 1).symmetry
    turned = draw_turned_by(symmetry, Rotation.from_rotvec([0.4, -0.9, 0.3]))
    pictures = take_pictures(gl_backend, make_solid_mesh(name, 1), turned)
    assert share_of_pixels_that_differ(pictures) < 0.02


TOWARDS_CAMERA = np.array([0.0, 1.0, 1.0]) / 2**0.5
"""Direction of the camera from the object."""
MARK_DIRECTIONS = {"cylO": [0.0, 1, 0], "sphereX": [0.0, 1, 0], "tetX": [1.0, 1, -1]}


@pytest.mark.parametrize("name", MARKED)
def test_a_mark_breaks_the_symmetry_only_where_it_is_seen(name: str, embree: Backend) -> None:
    facts = get_solid_facts(name, 1)
    assert facts.hidden_symmetry is not None
    hidden = facts.hidden_symmetry
    candidates = draw_turned_by(hidden, Rotation.from_rotvec([0.4, -0.9, 0.3]))
    if hidden.group == "SO3":
        candidates = Rotation.random(40, random_state=5).as_matrix()
    direction = np.array(MARK_DIRECTIONS[name]) / np.linalg.norm(MARK_DIRECTIONS[name])
    facing = candidates @ direction @ TOWARDS_CAMERA
    mesh = make_solid_mesh(name, 1)
    away, seen = candidates[facing < -0.55], candidates[facing > 0.4]
    assert len(away) > 2
    assert len(seen) > 0
    assert share_of_pixels_that_differ(take_pictures(embree, mesh, away)) < 0.01
    for rotation in seen:
        both = np.stack([away[0], rotation])
        assert share_of_pixels_that_differ(take_pictures(embree, mesh, both)) > 0.02


def test_the_source_shares_instances_out_evenly() -> None:
    items = open_source("solids", None).list_objects()
    counts = np.unique([item.category for item in items], return_counts=True)
    assert counts[0].tolist() == list(SOLID_NAMES)
    assert set(counts[1]) == {25}
    assert {item.id for item in SolidsSource(20).list_objects()} < {item.id for item in items}
    with pytest.raises(InvalidInputError, match="--objects 1 or more"):
        SolidsSource(0).list_objects()


@pytest.mark.parametrize("wrong", ["cube/seven", "cube", "ball/000001", "cube/-1"])
def test_an_id_of_no_solid_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidInputError, match=r"cube/000007|unknown solid 'ball'"):
        SolidsSource(1).load(wrong)


def test_solids_read_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="source 'solids' generates its meshes"):
        open_source("solids", tmp_path)


def test_what_is_known_is_not_measured() -> None:
    source = SymmetrySource(SolidsSource(22))
    mesh = load_mesh(source, "tetX/000001")
    facts = source.find_symmetry("tetX/000001", mesh, source.compute_digest("tetX/000001", mesh))
    assert facts == get_solid_facts("tetX", 1)
    assert "symmetry" not in source.describe()


def test_a_record_with_a_hidden_symmetry_comes_back_from_its_table() -> None:
    facts = get_solid_facts("cylO", 0)
    record = ObjectRecord(
        "cylO/000000",
        "cylO",
        "train",
        "solids",
        "00",
        symmetry=facts.symmetry,
        hidden_symmetry=facts.hidden_symmetry,
    )
    assert ObjectRecord.from_fields(JsonFields(record.to_dict())) == record


def test_a_set_of_solids_has_their_groups(tmp_path: Path, embree: Backend) -> None:
    recipe = load_recipe("solids").replace(views=2, image_size_px=32, quality="fast")
    generate(recipe, SolidsSource(22), tmp_path / "set", num_objects=22, backend="embree")
    assert verify_dataset(tmp_path / "set", deep=True).problems == ()
    dataset = open_dataset(tmp_path / "set")
    records: list[ObjectRecord] = []
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            records += split.objects
    assert len(records) == 22
    for record in records:
        facts = get_solid_facts(record.category, int(record.id[-6:]))
        assert (record.symmetry, record.hidden_symmetry) == (facts.symmetry, facts.hidden_symmetry)
        assert record.mirror_residual == 0
    assert rerender(tmp_path / "set", SolidsSource(22), embree, num_views=4).problems == ()
