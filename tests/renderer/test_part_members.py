"""Assemblies from mesh to batch: rendered, sharded, verified, drawn again, loaded; by any way the same."""

from dataclasses import replace

import numpy as np
import pytest

from tests.renderer.test_flow import compute_mismatch
from tests.support.assemblies import BACKEND, HingedBoxes, RayCaster
from tests.support.quick_run import InProcess, check_workers_and_resume
from turntable.datasets import load_recipe, open_dataset, verify_dataset
from turntable.datasets.draws import ObjectQuery, RenderBlocks, RenderSetup, ViewRequest
from turntable.datasets.labels import FLOW_SEEN
from turntable.datasets.objects import compute_joint_motions, get_rest_poses
from turntable.datasets.shards import ShardWriter
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Loader, Pairs, Views
from turntable.loaders.fields import DataDescription, explain_missing_fields, resolve_fields
from turntable.renderer import generate, online, open_backend, render_views
from turntable.renderer.backends import get_quality
from turntable.renderer.extra_outputs import begin_outputs, list_drawn_views
from turntable.renderer.meshes.sources import ZooSource, load_mesh
from turntable.renderer.online import ViewRenderer, take_inventory
from turntable.renderer.posing import PartPoses
from turntable.renderer.replay import rerender
from turntable.renderer.scene import scenes_from_labels

SIZE, VIEWS, LENGTH = 32, 4, 2
OUTPUTS = ("rgb", "mask", "depth", "coordinates", "parts", "flow")
SOURCE = HingedBoxes(count=5, plain=2)
RECIPE = load_recipe("sequences").replace(
    source="folder",
    views=VIEWS,
    image_size_px=SIZE,
    quality="fast",
    objects_per_shard=3,
    val_fraction=0.0,
    outputs=list(OUTPUTS),
    sequence={"length": LENGTH, "motion": "constant", "speed_rad": {"low": 0.2, "high": 0.3}},
)


def make(folder, **how):
    generate(RECIPE, SOURCE, folder, backend=BACKEND, **how)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("assemblies") / "set", engine=InProcess())


@pytest.fixture
def split(folder):
    with open_dataset(folder).open_split("train") as split:
        yield split


def test_what_is_stored_is_what_is_rendered(folder, split):
    for row, record in enumerate(split.objects):
        mesh = load_mesh(SOURCE, record.id)
        assert record.parts == mesh.parts
        views = render_views(RayCaster(), RECIPE, record.id, mesh, range(VIEWS))
        if views.parts is None:
            assert split.read_part_pose(row) is None
        else:
            assert (split.read_part_pose(row) == views.parts.part_pose).all()
            assert (split.read_joint_values(row) == views.parts.joint_values).all()
        for view in range(VIEWS):
            assert (split.read_output(row, view, "parts") == views.extras["parts"][view]).all()
            flow = split.read_output(row, view, "flow")
            assert np.abs(flow - views.extras["flow"][view]).max() <= 0.5 / 64
            assert flow[..., 2].any() == (view % LENGTH != LENGTH - 1)
    assert {len(item.parts) for item in split.objects} == {0, 2, 4}
    assert open_dataset(folder).manifest.max_parts == 4


def test_objects_of_one_piece_are_part_0(split):
    row = next(row for row, item in enumerate(split.objects) if not item.parts)
    mask, parts = (split.read_output(row, 1, name) for name in ("mask", "parts"))
    assert mask.any()
    assert (parts == np.where(mask > 0, 0, 255)).all()


def test_it_verifies_and_is_drawn_again(folder):
    report = verify_dataset(folder, deep=True)
    assert report.problems == ()
    assert rerender(folder, SOURCE, RayCaster(), num_views=4).problems == ()


def test_a_subset_of_views_is_rendered_the_same(split):
    record = split.objects[0]
    mesh = load_mesh(SOURCE, record.id)
    whole = render_views(RayCaster(), RECIPE, record.id, mesh, range(VIEWS))
    some = render_views(RayCaster(), RECIPE, record.id, mesh, [2, 0])
    assert len(some.rgb) == len(some.labels) == 2
    assert (some.labels == whole.labels[[2, 0]]).all()
    for name, array in some.extras.items():
        assert (array == whole.extras[name][[2, 0]]).all(), name
    assert (some.parts is None) == (not mesh.parts)
    assert some.parts is None or (some.parts.part_pose == whole.parts.part_pose[[2, 0]]).all()


@pytest.mark.slow
def test_two_workers_and_a_resume_make_the_same_bytes(folder, tmp_path):
    check_workers_and_resume(make, folder, tmp_path)


@pytest.mark.parametrize("name", ["part_pose", "joint_values"])
def test_other_poses_than_the_recipe_gives_are_noticed(tmp_path, monkeypatch, name):
    """The shard agrees with itself, but not with what the recipe gives for the mesh."""
    plain = ShardWriter.add

    def add(self, record, labels, jpegs, extras=None, arrays=None):
        changed = dict(arrays or {})
        if name in changed:
            changed[name] = changed[name].copy()
            changed[name][1] += 0.01
        plain(self, record, labels, jpegs, extras, changed)

    monkeypatch.setattr(ShardWriter, "add", add)
    generate(RECIPE, HingedBoxes(1), tmp_path / "set", backend=BACKEND, engine=InProcess())
    (problem, *_) = rerender(tmp_path / "set", HingedBoxes(1), RayCaster(), num_views=1).problems
    assert f"object boxes/000: its {name} is not what the recipe gives for its mesh" in problem


def test_poses_of_too_few_parts_are_noticed(tmp_path, monkeypatch):
    plain = ShardWriter.add

    def add(self, record, labels, jpegs, extras=None, arrays=None):
        changed = dict(arrays or {})
        changed["part_pose"] = changed["part_pose"][:, :1]
        plain(self, record, labels, jpegs, extras, changed)

    monkeypatch.setattr(ShardWriter, "add", add)
    generate(RECIPE, HingedBoxes(1), tmp_path / "set", backend=BACKEND, engine=InProcess())
    (problem,) = rerender(tmp_path / "set", HingedBoxes(1), RayCaster(), num_views=1).problems
    assert "object boxes/000: its part_pose is of other parts than its mesh has" in problem


def test_a_mesh_with_other_parts_is_noticed(folder):
    moved = replace(load_mesh(SOURCE, "boxes/000").parts[1], name="flap")

    class Renamed(HingedBoxes):
        def load(self, object_id):
            mesh = super().load(object_id)
            return replace(mesh, parts=(mesh.parts[0], moved, *mesh.parts[2:])) if mesh.parts else mesh

        def compute_digest(self, object_id, mesh):
            return super().compute_digest(object_id, HingedBoxes.load(self, object_id))

    problems = rerender(folder, Renamed(5, 2), RayCaster(), num_views=VIEWS * 7).problems
    assert len([text for text in problems if "its parts are not those of its mesh" in text]) == 5


def draw_with(values, mesh, recipe=RECIPE):
    """The outputs of a sequence of views of one pose in which joints have given values."""
    labels = np.zeros((len(values), len(recipe.schema.scene_names)), np.float32)
    scenes = scenes_from_labels(recipe.schema.scene_names, labels)
    poses = scenes.object_to_world[:, None] @ compute_joint_motions(mesh.parts, values)
    parts = PartPoses((poses @ get_rest_poses(mesh.parts)).astype(np.float32), values)
    scenes = parts.add_to_scenes(mesh, scenes)
    drawn = list_drawn_views(recipe, range(len(values)))
    return begin_outputs(RayCaster(), mesh, scenes, SIZE, get_quality("fast", None), OUTPUTS, drawn)()[1]


def test_only_the_part_that_moves_has_flow():
    mesh = load_mesh(SOURCE, "boxes/000")
    extras = draw_with(np.array([[0.0, 0.0], [0.3, 0.0]], np.float32), mesh)
    speed = np.linalg.norm(extras["flow"][0, ..., :2], axis=-1)
    lid = extras["parts"][0] == 1
    assert lid.sum() > 20
    assert speed[lid].max() > 0.5
    assert speed[~lid].max() < 1e-4


def test_loaders_give_parts_and_flow(folder, split):
    fields = ["parts", "flow", "flow_state", "part_pose", "part_count"]
    (batch,) = Loader(
        folder,
        BatchConfig(
            sampler=Views(shuffled=False), batch_size=64, fields=fields, last_batch="short", output="numpy"
        ),
    )
    for at, (row, view) in enumerate(zip(batch["object_index"], batch["view_index"], strict=True)):
        flow = split.read_output(int(row), int(view), "flow")
        assert (batch["flow"][at] == flow[..., :2].transpose(2, 0, 1)).all()
        assert (batch["flow_state"][at, 0] == flow[..., 2]).all()
        assert (batch["parts"][at, 0] == split.read_output(int(row), int(view), "parts")).all()
        shown = set(batch["parts"][at].ravel().tolist()) - {255}
        assert shown <= set(range(batch["part_count"][at]))
    assert (batch["parts"].dtype, batch["flow"].dtype, batch["flow_state"].dtype) == (
        np.uint8,
        np.float32,
        np.uint8,
    )
    pairs = next(iter(Loader(folder, BatchConfig(sampler=Pairs(), batch_size=2, fields=fields))))
    assert pairs["flow_1"].shape == pairs["flow_2"].shape == (2, 2, SIZE, SIZE)
    assert pairs["flow_state_2"].shape == (2, 1, SIZE, SIZE)


def test_another_size_has_the_flow_of_that_size(folder):
    config = BatchConfig(
        sampler=Views(shuffled=False), batch_size=8, fields=["flow", "flow_state"], output="numpy"
    )
    whole = next(iter(Loader(folder, config)))
    half = next(iter(Loader(folder, replace(config, image_size=SIZE // 2))))
    assert np.abs(whole["flow"]).max() > 0.5
    assert np.allclose(half["flow"], whole["flow"][..., 1::2, 1::2] / 2)
    assert (half["flow_state"] == whole["flow_state"][..., 1::2, 1::2]).all()


def test_views_drawn_during_training_have_the_same_flow(monkeypatch, folder, split):
    """Also where the next view of a sample's last view is not part of the sample."""
    monkeypatch.setattr(online, "open_recipe_source", lambda *_, **__: SOURCE)
    recipe = RECIPE.replace(outputs=["rgb", "parts", "flow"])
    query = ObjectQuery(recipe, None, "train", backend="embree")
    setup = RenderSetup(query, take_inventory(query), RenderBlocks(1, LENGTH, 1))
    arrays = {
        "images": np.zeros((1, 2, SIZE, SIZE, 3), np.uint8),
        "parts": np.zeros((1, 2, 1, SIZE, SIZE), np.uint8),
        "flow": np.zeros((1, 2, 2, SIZE, SIZE), np.float32),
        "latents": np.zeros((1, 2, len(recipe.factors)), np.float32),
        "view_index": np.zeros((1, 2), np.int64),
        "object_index": np.zeros(2, np.int64),
    }
    renderer = ViewRenderer(setup, lambda name, device: RayCaster())
    renderer.fill(arrays, ViewRequest(np.arange(2), np.array([0, 3]), np.array([[0], [2]]), 0))
    ids = [item.id for item in split.objects]
    for at, (row, view) in enumerate([(0, 0), (3, 2)]):
        stored = ids.index(setup.inventory.object_ids[row])
        flow = split.read_output(stored, view, "flow")
        assert flow.any()
        assert (arrays["flow"][0, at] == flow[..., :2].transpose(2, 0, 1)).all()
        assert (arrays["parts"][0, at, 0] == split.read_output(stored, view, "parts")).all()


def test_flow_is_missed_by_name():
    still, moving = (DataDescription.from_recipe(load_recipe(name)) for name in ("zoo", "sequences"))
    (told,) = explain_missing_fields(["flow_state", "flow"], still, 1)
    assert "no flow_state and no flow in this data set" in told
    assert "render it with a recipe that has sequences, such as sequences, with --outputs" in told
    assert told.endswith("parts,flow")
    assert [item.name for item in resolve_fields(["parts", "flow_state"], moving, 1).stored] == [
        "parts",
        "flow_state",
    ]
    with pytest.raises(InvalidInputError, match="no flow_state in this data set"):
        resolve_fields(["flow_state"], still, 1)


def test_flow_of_a_backend_carries_pixels():
    """An object of one piece, drawn by embree: the flow of its views leads to the same points."""
    recipe = load_recipe("sequences").replace(
        source="zoo", views=2, image_size_px=64, quality="fast", outputs=list(OUTPUTS),
        sequence={"length": 2, "motion": "constant", "speed_rad": {"low": 0.2, "high": 0.2}},
    )  # fmt: skip
    source = ZooSource(1, ("mug",))
    (item,) = source.list_objects()
    with open_backend("embree") as backend:
        views = render_views(backend, recipe, item.id, load_mesh(source, item.id), range(2))
    seen = (views.extras["mask"][0] > 0) & (views.extras["flow"][0, ..., 2] == FLOW_SEEN)
    error = compute_mismatch(views.extras, 0)[seen]
    assert seen.sum() > 300
    assert np.median(error) < 0.1
    assert np.median(compute_mismatch(views.extras, 0, still=True)[seen]) > 0.5
