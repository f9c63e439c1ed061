"""Mirror images of meshes on pixels, and sets with a mirrored twin of every object, from plan to replay."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.quick_run import InProcess, contents
from turntable import geometry
from turntable.datasets import Dataset, Recipe, load_recipe, open_dataset, verify_dataset
from turntable.datasets.draws import ObjectQuery, RenderBlocks, RenderSetup, ViewRequest
from turntable.datasets.files import decode_jpeg
from turntable.datasets.objects import Joint, ObjectPart, compute_joint_motions, get_rest_poses
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer import generate, open_backend
from turntable.renderer.backends import Backend, get_quality
from turntable.renderer.meshes import (
    Mesh,
    compute_face_normals,
    join_parts,
    measure_symmetry,
    mirror_mesh,
    mirror_points,
    move_parts,
)
from turntable.renderer.meshes.sources import (
    SolidsSource,
    SymmetryFinder,
    SymmetrySource,
    ZooSource,
    load_mesh,
    with_twins,
)
from turntable.renderer.online import ViewRenderer, take_inventory
from turntable.renderer.posing import PartPoses, pose_parts
from turntable.renderer.replay import rerender
from turntable.renderer.runs import ObjectSelection, plan_run
from turntable.renderer.scene import scenes_from_labels
from turntable.service.rendering.jobs import RenderJob
from turntable.service.rendering.worker import RenderWorker
from turntable.testing.backends import make_box

CHIRAL = ("guitar/000001", "mug/000000")
RECIPE = load_recipe("zoo").replace(
    views=3, image_size_px=64, quality="fast", points=64, mirrored=True, outputs=["rgb", "mask"]
)
NUM_OBJECTS = 6
REFLECTION = np.diag([-1.0, 1.0, 1.0])
SIZE_PX = 80


@pytest.fixture(scope="module")
def embree() -> Iterator[Backend]:
    with open_backend("embree") as backend:
        yield backend


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A set of zoo objects and their twins."""
    return open_dataset(make_twins(tmp_path_factory.mktemp("twins") / "set"))


def make_twins(folder: Path, recipe: Recipe = RECIPE) -> Path:
    generate(
        recipe, ZooSource(NUM_OBJECTS), folder, num_objects=NUM_OBJECTS, engine=InProcess(), backend="embree"
    )
    return folder


def read_pairs(dataset: Dataset) -> dict[str, tuple[tuple[str, int], tuple[str, int]]]:
    """Split and row of every object and of its twin, by the object's id."""
    places = {}
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            places |= {record.id: (name, row) for row, record in enumerate(split.objects)}
    return {key: (place, places[f"{key}~mirrored"]) for key, place in places.items() if "~" not in key}


def test_twice_mirrored_is_the_mesh_again() -> None:
    mesh = load_mesh(ZooSource(60), "mug/000000")
    image = mirror_mesh(mesh)
    again = mirror_mesh(image)
    for name in ("positions", "normals", "triangles", "texcoords", "material_index"):
        assert (getattr(again, name) == getattr(mesh, name)).all(), name
    assert (image.positions[:, 0] == -mesh.positions[:, 0]).all()
    assert image.materials is mesh.materials
    # The winding still agrees with the normals.
    for shown in (mesh, image):
        flat = compute_face_normals(shown.positions, shown.triangles)
        along = np.einsum("tx,tx->t", flat, shown.normals[shown.triangles].mean(axis=1))
        assert (along > 0).mean() > 0.999


@pytest.mark.parametrize("object_id", CHIRAL)
@pytest.mark.parametrize("name", ["embree", pytest.param("moderngl", marks=pytest.mark.gl)])
def test_a_twin_in_the_mirrored_scene_is_the_mirror_image_of_the_picture(name: str, object_id: str) -> None:
    """The camera stands at x = 0, so the mirror image of the scene is that of the picture."""
    schema = load_recipe("3diebench").schema
    labels = np.array([[0.3, -0.4, 0.5, 0.6, 0.5, 0.7, 0.1]], np.float32)
    mirrored = labels.copy()
    mirrored[:, :3] = geometry.matrix_to_euler(REFLECTION @ schema.compute_rotations(labels) @ REFLECTION)
    mirrored[:, 5] = np.pi - labels[:, 5]
    source = with_twins(ZooSource(60), mirrored=True)
    meshes = [load_mesh(source, item) for item in (object_id, f"{object_id}~mirrored")]
    with open_backend(name) as backend:
        base, image, plain = (
            backend.render(
                mesh,
                scenes_from_labels(schema.names, values),
                SIZE_PX,
                get_quality("standard"),
                ("rgb", "mask", "depth"),
            )
            for mesh, values in ((meshes[0], labels), (meshes[1], mirrored), (meshes[1], labels))
        )
    assert (image.mask[:, :, ::-1] == base.mask).all()
    assert (plain.mask != base.mask).any()
    assert np.where(base.mask > 0, image.depth[:, :, ::-1] - base.depth, 0) == pytest.approx(0, abs=1e-4)
    # The samples within a pixel are not mirrored, so colors at edges and soft shadows differ a little.
    difference = np.abs(image.rgb[:, :, ::-1].astype(int) - base.rgb).max(axis=-1)
    assert difference.mean() < 1
    assert (difference > 24).mean() < 0.002


def make_box_with_lid() -> Mesh:
    """An assembly of a body, a lid on a hinge and a slide in it, at oblique places."""
    tilt = np.eye(4)
    tilt[:3, :3], tilt[:3, 3] = geometry.exp_so3(np.array([0.3, 0.5, -0.2])), [0.2, 0.1, 0.3]
    pose = tuple(map(tuple, tilt.tolist()))
    hinge = Joint("hinge", (0.6, 0.0, 0.8), (0.2, -0.1, 0.1), -1, 1)
    slide = Joint("slide", (0.0, 0.6, -0.8), (0.0, 0.0, 0.0), 0, 1)
    parts = (
        ObjectPart("body", "body"),
        ObjectPart("lid", "lid", 0, hinge, pose),
        ObjectPart("bolt", "bolt", 1, slide),
    )
    meshes = [make_box((0.5, 0.3, 0.2)), make_box((0.3, 0.3, 0.1)), make_box((0.1, 0.2, 0.05))]
    return join_parts(meshes, parts, "a box with a lid")


def test_the_joints_of_a_twin_move_it_as_the_mirror_image() -> None:
    mesh, values = make_box_with_lid(), np.array([[0.7, 0.4], [-0.9, 0.1]])
    image = mirror_mesh(mesh)
    for motions, mirrored in zip(
        compute_joint_motions(mesh.parts, values), compute_joint_motions(image.parts, values), strict=True
    ):
        moved, expected = move_parts(image, mirrored), mirror_mesh(move_parts(mesh, motions))
        assert moved.positions == pytest.approx(expected.positions, abs=1e-6)
        assert moved.normals == pytest.approx(expected.normals, abs=1e-6)
        assert not np.allclose(moved.positions, image.positions, atol=0.05)


def test_the_part_poses_of_a_twin_place_it_as_the_mirror_image() -> None:
    mesh, values = make_box_with_lid(), np.array([[0.7, 0.4], [-0.9, 0.1]])
    motions = compute_joint_motions(mesh.parts, values)
    motions[:, 0, :3, 3] = [0.1, 0.2, -0.4]  # a part that moves without a joint
    world = geometry.make_pose(
        geometry.exp_so3(np.array([[0.3, 1.0, 2.0], [0.1, 0.2, 0.3]])), np.full((2, 3), 0.1)
    )
    poses = world[:, None] @ motions @ get_rest_poses(mesh.parts)
    own = PartPoses(poses.astype(np.float32), values.astype(np.float32))
    image = mirror_mesh(mesh)
    reflection = np.diag([-1.0, 1, 1, 1])
    found = own.mirror(world).compute_motions(image, world)
    assert found == pytest.approx(reflection @ own.compute_motions(mesh, world) @ reflection, abs=1e-5)
    assert own.mirror(world).mirror(world).part_pose == pytest.approx(own.part_pose, abs=1e-5)
    # The joints of a twin have the values of its object's.
    recipe, views = RECIPE, np.arange(2)
    posed = pose_parts(recipe, "a/b~mirrored", image, views, world)
    assert posed is not None
    base = pose_parts(recipe, "a/b", mesh, views, world)
    assert base is not None
    assert posed.compute_motions(image, world) == pytest.approx(
        reflection @ base.compute_motions(mesh, world) @ reflection, abs=1e-5
    )


def test_a_set_has_a_twin_of_every_object_with_its_labels(twins: Dataset) -> None:
    assert twins.manifest.totals.objects == 2 * NUM_OBJECTS
    assert twins.schema.names[-1] == "handedness"
    assert verify_dataset(str(twins.path_or_url), deep=True).problems == ()
    pairs = read_pairs(twins)
    assert len(pairs) == NUM_OBJECTS
    assert set(twins.splits) == {"train", "val"}
    for (name, row), (twin_name, twin_row) in pairs.values():
        assert twin_name == name
        with twins.open_split(name) as split:
            own, other = split.labels[row], split.labels[twin_row]
            assert own[:, :-1].tobytes() == other[:, :-1].tobytes()
            assert (set(own[:, -1]), set(other[:, -1])) == ({1}, {-1})
            assert (split.read_points(twin_row) == mirror_points(split.read_points(row))).all()
            records = split.objects[row], split.objects[twin_row]
            assert records[0].category == records[1].category
            assert records[0].source_sha256 != records[1].source_sha256


def test_objects_have_the_digests_labels_and_points_of_a_set_without_twins(
    twins: Dataset, tmp_path: Path
) -> None:
    plain = open_dataset(make_twins(tmp_path / "plain", RECIPE.replace(mirrored=False)))
    pairs = read_pairs(twins)
    for name in plain.splits:
        with plain.open_split(name) as split, twins.open_split(name) as other:
            for row, record in enumerate(split.objects):
                place, _ = pairs[record.id]
                assert place[0] == name
                assert other.objects[place[1]].source_sha256 == record.source_sha256
                assert (other.labels[place[1], :, :-1] == split.labels[row]).all()
                assert (other.read_points(place[1]) == split.read_points(row)).all()
                for view in range(3):
                    assert other.read_jpeg(place[1], view) == split.read_jpeg(row, view)


def test_a_set_is_rendered_again_and_what_is_not_mirrored_is_noticed(
    twins: Dataset, embree: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, source = str(twins.path_or_url), ZooSource(NUM_OBJECTS)
    found = rerender(folder, source, embree, num_views=12)
    assert found.problems == ()
    assert found.worst_psnr_db > 45
    monkeypatch.setattr("turntable.renderer.meshes.sources.twins.mirror_mesh", lambda mesh: mesh)
    found = rerender(folder, source, embree, num_views=12)
    assert found.problems
    assert all("~mirrored" in text for text in found.problems)


def test_a_run_that_lost_shards_makes_the_same_bytes(twins: Dataset, tmp_path: Path) -> None:
    folder = make_twins(tmp_path / "set")
    before = contents(folder)
    assert before == contents(Path(str(twins.path_or_url)))
    for path in (folder / "manifest.json", *(folder / "train").glob("shard-000001.*")):
        path.unlink()
    make_twins(folder)
    assert contents(folder) == before


def test_a_trainer_gets_the_pictures_of_the_set(twins: Dataset) -> None:
    recipe = RECIPE.replace(outputs=["rgb"], points=0)
    query = ObjectQuery(recipe, None, "train", NUM_OBJECTS, backend="embree")
    inventory = take_inventory(query)
    with twins.open_split("train") as split:
        assert inventory.object_ids == tuple(record.id for record in split.objects)
        row = next(row for row, name in enumerate(inventory.object_ids) if name.endswith("~mirrored"))
        blocks = RenderBlocks(3, 3, 1)
        renderer = ViewRenderer(RenderSetup(query, inventory, blocks), lambda name, _: open_backend(name))
        batch = {
            "images": np.zeros((3, 1, 64, 64, 3), np.uint8),
            "latents": np.zeros((3, 1, len(recipe.factors)), np.float32),
            "view_index": np.zeros((3, 1), np.int64),
            "object_index": np.zeros(1, np.int64),
        }
        request = ViewRequest(np.arange(1), np.array([row]), np.array([[0, 1, 2]]), 0)
        assert renderer.fill(batch, request).unusable == ()
        assert (batch["latents"][:, 0] == split.labels[row]).all()
        for view in range(3):
            assert (batch["images"][view, 0] == decode_jpeg(split.read_jpeg(row, view))).all()


def test_a_service_renders_a_stored_view_of_a_twin_again(twins: Dataset) -> None:
    with twins.open_split("train") as split:
        row = next(row for row, record in enumerate(split.objects) if record.id == "bicycle/000000~mirrored")
        record, label = split.objects[row], tuple(split.labels[row, 1].tolist())
        size = twins.manifest.image_size_px
        job = RenderJob(
            twins.manifest.recipe, None, NUM_OBJECTS, record.id, record.source_sha256, 1, label, size
        )
        again = decode_jpeg(RenderWorker("embree", "auto").render_jpeg(job))
        assert np.abs(again.astype(int) - decode_jpeg(split.read_jpeg(row, 1))).max() <= 8


def test_a_number_of_objects_counts_them_without_twins() -> None:
    planned = plan_run(RECIPE, ZooSource(60), ObjectSelection(4))
    ids = {record.id for shard in planned.shards for record in shard.objects}
    assert len(ids) == 8
    assert {name.removesuffix("~mirrored") for name in ids} == {name for name in ids if "~" not in name}


def test_a_mesh_with_the_id_of_a_twin_is_refused() -> None:
    class OddNames(ZooSource):
        __slots__ = ()

        def list_objects(self):
            return tuple(replace(item, id=f"{item.id}~mirrored") for item in ZooSource(2).list_objects())

    with pytest.raises(InvalidInputError, match="rename the object, or leave mirrored out"):
        plan_run(RECIPE, OddNames(2))


class BadMug(ZooSource):
    """A zoo, one of whose meshes cannot be loaded the first time that it is asked for."""

    __slots__ = ()

    def load(self, object_id: str) -> Mesh:
        if object_id == "bed/000000" and not LOADED:
            LOADED.append(object_id)
            raise MeshError("no luck this time", reason="unreadable")
        return ZooSource.load(self, object_id)


LOADED: list[str] = []


def test_an_object_that_is_left_out_leaves_the_fate_of_its_twin_to_itself(tmp_path: Path) -> None:
    LOADED.clear()
    manifest = generate(
        RECIPE, BadMug(6), tmp_path / "set", num_objects=6, engine=InProcess(), backend="embree"
    )
    assert manifest.quarantined == 1
    assert manifest.totals.objects == 11
    assert verify_dataset(tmp_path / "set", deep=True).problems == ()


def test_the_facts_of_a_twin_are_those_of_its_mesh() -> None:
    source = with_twins(SymmetrySource(ZooSource(60)), mirrored=True)
    assert isinstance(source, SymmetryFinder)
    name = "guitar/000001~mirrored"
    mesh = load_mesh(source, name)
    facts = source.find_symmetry(name, mesh, source.compute_digest(name, mesh))
    assert facts is not None
    measured = measure_symmetry(mesh)
    assert facts.symmetry.group == measured.symmetry.group
    assert facts.symmetry.center == pytest.approx(measured.symmetry.center, abs=2e-3)
    assert facts.mirror_residual == pytest.approx(measured.mirror_residual, abs=2e-3)
    solids = with_twins(SolidsSource(22), mirrored=True)
    marked = solids.find_symmetry("tetX/000001~mirrored", mesh, "")
    assert marked is not None
    assert marked.hidden_symmetry is not None
    assert marked.symmetry.group == "C3"
    plain = with_twins(ZooSource(60), mirrored=True)
    assert plain.find_symmetry(name, mesh, "") is None
    assert with_twins(ZooSource(60), mirrored=False) == ZooSource(60)
