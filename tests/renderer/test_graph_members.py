"""Graphs from mesh to batch: in shards, verified, made again, loaded, exported; by any way the same."""

from contextlib import closing

import numpy as np
import pytest
import torch
import trimesh

from tests.support.quick_run import InProcess, check_workers_and_resume
from turntable.cli import main
from turntable.datasets import Recipe, load_recipe, open_dataset, verify_dataset
from turntable.datasets.convert import export_form
from turntable.datasets.objects import get_rest_poses
from turntable.datasets.shards import ShardWriter
from turntable.errors import InvalidInputError, RecipeError
from turntable.geometry import invert_pose
from turntable.graphs import list_edges, make_knn_graph, make_undirected, pack_graphs, to_dense
from turntable.loaders import BatchConfig, GraphOptions, Loader, Pairs, Tuples, Views
from turntable.loaders.fields import DataDescription, explain_missing_fields
from turntable.renderer import generate, open_recipe_source
from turntable.renderer.meshes.sources import load_mesh
from turntable.renderer.replay import rerender
from turntable.renderer.surface_graphs import make_surface_graph

OBJECTS, VIEWS = 4, 3
RECIPE = load_recipe("graphs").replace(
    views=VIEWS, points=40, objects_per_shard=2, val_fraction=0.5, graph={"vertices": 90}
)
JOINTED = RECIPE.replace(source="articulated", splits=["train"], val_fraction=0.0, joints={"range": "full"})
ARRAYS = ("vertices", "edges", "faces", "vertex_permutation")
FIELDS = [
    "vertices", "object_vertices", "vertex_mask", "vertex_count", "vertex_permutation", "edges", "edge_count",
    "faces", "face_count", "pose",
]  # fmt: skip


def make(folder, recipe=RECIPE, **how):
    generate(recipe, open_recipe_source(recipe, None, OBJECTS), folder, num_objects=OBJECTS, **how)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("graphs") / "set", engine=InProcess())


@pytest.fixture(scope="module")
def jointed(tmp_path_factory):
    return make(tmp_path_factory.mktemp("graphs") / "jointed", JOINTED, engine=InProcess())


def load(folder, sampler=None, **changes):
    config = BatchConfig(
        **{
            "sampler": sampler or Views(shuffled=False),
            "batch_size": 6,
            "fields": FIELDS,
            "last_batch": "short",
            "output": "numpy",
            "split": "train",
            **changes,
        }
    )
    with closing(Loader(folder, config)) as loader:
        return list(loader)


def test_what_is_stored_is_what_the_mesh_gives(folder):
    source = open_recipe_source(RECIPE, None, OBJECTS)
    sizes = {"vertices": 0, "edges": 0, "faces": 0}
    for name in ("train", "val"):
        with open_dataset(folder).open_split(name) as split:
            for row, record in enumerate(split.objects):
                graph = make_surface_graph(RECIPE, record.id, load_mesh(source, record.id))
                stored = {array: split.read_array(row, array) for array in ARRAYS}
                assert np.array_equal(stored["vertices"], graph.vertices)
                assert np.array_equal(stored["edges"], graph.edges)
                assert np.array_equal(stored["faces"], graph.faces)
                assert np.array_equal(stored["vertex_permutation"], graph.permutation)
                sizes = {axis: max(size, len(stored[axis])) for axis, size in sizes.items()}
    manifest = open_dataset(folder).manifest
    assert manifest.arrays == tuple(sorted(ARRAYS))
    assert manifest.array_sizes == sizes
    assert all(name in manifest.conventions for name in ARRAYS)


def test_it_verifies_and_is_made_again(folder, jointed):
    for path, recipe in ((folder, RECIPE), (jointed, JOINTED)):
        assert not verify_dataset(path, deep=True).problems
        report = rerender(path, open_recipe_source(recipe, None, OBJECTS), None, num_views=99)
        assert not report.problems
        assert report.num_views == OBJECTS * VIEWS


@pytest.mark.slow
def test_two_workers_and_a_resume_make_the_same_bytes(folder, tmp_path):
    check_workers_and_resume(make, folder, tmp_path)


def test_labels_are_those_of_a_set_without_graphs():
    plain = RECIPE.to_dict()
    del plain["graph"]
    without = Recipe.from_dict(plain)
    assert without.label_digest == RECIPE.label_digest
    assert without.digest != RECIPE.digest
    assert Recipe.from_toml(RECIPE.to_toml()) == RECIPE
    for bad, words in (({"vertices": 7}, "7 is below 8"), ({"vertexes": 9}, "did you mean vertices")):
        with pytest.raises(RecipeError, match=words):
            RECIPE.replace(graph=bad)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("edges", lambda edges: edges[::-1].copy(), "its edges are not those of its faces"),
        ("faces", lambda faces: faces + 60, "its faces have vertices that there are not"),
        ("vertex_permutation", lambda order: order * 0, "is no permutation of its vertices"),
        ("vertices", lambda vertices: vertices * 2, "the normals of its vertices are not of unit length"),
    ],
)
def test_another_graph_than_the_mesh_gives_is_noticed(tmp_path, monkeypatch, name, change, words):
    plain = ShardWriter.add

    def add(self, record, labels, jpegs, extras=None, arrays=None):
        plain(self, record, labels, jpegs, extras, {**arrays, name: change(arrays[name])})

    monkeypatch.setattr(ShardWriter, "add", add)
    recipe = RECIPE.replace(splits=["train"], val_fraction=0.0)
    generate(recipe, open_recipe_source(recipe, None, 1), tmp_path / "set", num_objects=1, engine=InProcess())
    (problem, *_) = verify_dataset(tmp_path / "set", deep=True).problems
    assert words in problem
    problems = rerender(tmp_path / "set", open_recipe_source(recipe, None, 1), None, num_views=1).problems
    assert f"its {name} is not the one that its mesh gives" in problems[0]


def test_batches_hold_the_graphs_posed_as_the_views_show_them(folder):
    (batch,) = load(folder)
    sizes = open_dataset(folder).manifest.array_sizes
    assert {name: batch[name].shape[1:] for name in FIELDS[:-1]} == {
        "vertices": (sizes["vertices"], 6),
        "object_vertices": (sizes["vertices"], 6),
        "vertex_mask": (sizes["vertices"],),
        "vertex_count": (),
        "vertex_permutation": (sizes["vertices"],),
        "edges": (sizes["edges"], 2),
        "edge_count": (),
        "faces": (sizes["faces"], 3),
        "face_count": (),
    }
    with open_dataset(folder).open_split("train") as split:
        for at, row in enumerate(batch["object_index"].tolist()):
            stored = {name: split.read_array(row, name) for name in ARRAYS}
            n, e, f = (len(stored[name]) for name in ("vertices", "edges", "faces"))
            assert (batch["vertex_count"][at], batch["edge_count"][at], batch["face_count"][at]) == (n, e, f)
            assert batch["vertex_mask"][at].sum() == n
            assert batch["vertex_mask"][at, :n].all()
            assert np.array_equal(batch["object_vertices"][at, :n], stored["vertices"])
            assert np.array_equal(batch["edges"][at, :e], stored["edges"])
            assert np.array_equal(batch["faces"][at, :f], stored["faces"])
            assert np.array_equal(batch["vertex_permutation"][at, :n], stored["vertex_permutation"])
            for name, count in (("edges", e), ("faces", f), ("vertex_permutation", n)):
                assert (batch[name][at, count:] == -1).all()
            pose = batch["pose"][at].astype(np.float64)
            expected = stored["vertices"][:, :3] @ pose[:3, :3].T + pose[:3, 3]
            assert np.allclose(batch["vertices"][at, :n, :3], expected, atol=1e-6)
            assert np.allclose(
                batch["vertices"][at, :n, 3:], stored["vertices"][:, 3:] @ pose[:3, :3].T, atol=1e-6
            )
            assert not batch["vertices"][at, n:].any()


def test_vertices_of_parts_move_with_their_parts(jointed):
    (batch,) = load(jointed, batch_size=64, fields=[*FIELDS, "vertex_parts", "part_pose"])
    with open_dataset(jointed).open_split("train") as split:
        moved = 0
        for at, row in enumerate(batch["object_index"].tolist()):
            rest = get_rest_poses(split.objects[row].parts)
            motions = batch["part_pose"][at, : len(rest)] @ invert_pose(rest)
            vertices, parts = split.read_array(row, "vertices"), split.read_array(row, "vertex_parts")
            assert set(parts.tolist()) == set(range(len(rest)))
            assert np.array_equal(batch["vertex_parts"][at, : len(parts)], parts)
            for vertex, part in enumerate(parts):
                expected = motions[part] @ [*vertices[vertex, :3], 1]
                assert np.allclose(batch["vertices"][at, vertex, :3], expected[:3], atol=1e-5)
            apart = np.abs(motions[:, None] - motions[None]).max()
            moved += apart > 0.1
        assert moved > 3


def test_any_workers_give_the_same_batches(folder):
    options = {"graphs": GraphOptions(permute=True), "sampler": Pairs(), "batch_size": 2}
    alone, two = load(folder, **options), load(folder, **options, num_workers=2)
    assert all(
        np.array_equal(one[name], other[name]) for one, other in zip(alone, two, strict=True) for name in one
    )
    assert alone[0]["vertices_1"].shape == alone[0]["vertices_2"].shape


def test_a_drawn_order_is_recorded_and_changes_nothing_else(folder):
    plain = {(b["object_index"][i], b["view_index"][i]): (b, i) for b in load(folder) for i in range(6)}
    orders = []
    for batch in load(folder, graphs=GraphOptions(permute=True)):
        for at, key in enumerate(zip(batch["object_index"], batch["view_index"], strict=True)):
            own, there = plain[key]
            n, e, f = (batch[name][at] for name in ("vertex_count", "edge_count", "face_count"))
            order, stored = batch["vertex_permutation"][at, :n], own["vertex_permutation"][there, :n]
            orders.append(tuple(order.tolist()))
            assert orders[-1] != tuple(stored.tolist())
            undone = np.empty((n, 6)), np.empty((n, 6))
            undone[0][order], undone[1][stored] = batch["vertices"][at, :n], own["vertices"][there, :n]
            assert np.array_equal(*undone)
            assert np.array_equal(
                make_undirected(order[batch["edges"][at, :e]]),
                make_undirected(stored[own["edges"][there, :e]]),
            )
            assert np.array_equal(batch["edges"][at, :e], list_edges(batch["faces"][at, :f]))
            assert len(batch["edges"][at, :e]) == own["edge_count"][there]
    assert len(set(orders)) == len(orders)  # each sample has its own


def test_epochs_and_seeds_draw_other_orders(folder):
    config = BatchConfig(
        sampler=Views(shuffled=False),
        batch_size=6,
        fields=FIELDS,
        output="numpy",
        graphs=GraphOptions(permute=True),
    )
    with closing(Loader(folder, config)) as loader:
        first, second = next(iter(loader)), next(iter(loader))
    assert not np.array_equal(first["vertex_permutation"], second["vertex_permutation"])
    (other,) = load(folder, graphs=GraphOptions(permute=True), seed=1)
    assert not np.array_equal(first["vertex_permutation"], other["vertex_permutation"])
    (again,) = load(folder, graphs=GraphOptions(permute=True))
    assert np.array_equal(first["vertex_permutation"], again["vertex_permutation"])


def test_batches_pack_into_ragged_and_dense_graphs(folder):
    (batch,) = load(folder, output="torch")
    packed = pack_graphs(batch, ["vertices"])
    dense = to_dense(packed)
    assert isinstance(packed.edge_index, torch.Tensor)
    assert packed.ptr.tolist() == [0, *torch.cumsum(batch["vertex_count"], 0).tolist()]
    assert int(dense.adjacency.sum()) == int(batch["edge_count"].sum())
    assert torch.equal(dense.adjacency, dense.adjacency.transpose(1, 2))
    assert not torch.diagonal(dense.adjacency, dim1=1, dim2=2).any()
    lengths = packed.features["vertices"][packed.edge_index][..., :3].diff(dim=0).norm(dim=-1)
    assert 0 < float(lengths.min()) <= float(lengths.max()) < 1  # of the edges, in diagonals


def test_neighbors_are_those_of_the_points_of_each_view(folder):
    (batch,) = load(folder, fields=["knn_edges", "points"], graphs=GraphOptions(neighbors=5))
    assert batch["knn_edges"].shape == (6, 40, 5)
    for cloud, neighbors in zip(batch["points"], batch["knn_edges"], strict=True):
        assert np.array_equal(neighbors, make_knn_graph(cloud, 5))
    (triple,) = load(folder, Tuples(3), fields=["knn_edges", "edges"], batch_size=2)
    assert triple["knn_edges"].shape == (2, 3, 40, 14)
    assert triple["edges"].ndim == 3  # of objects, not of views


def test_what_a_set_lacks_is_refused_with_the_recipe_that_has_it(folder, tmp_path):
    clouds = RECIPE.to_dict()
    del clouds["graph"]
    make(tmp_path / "clouds", Recipe.from_dict(clouds), engine=InProcess())
    for options, words in (
        ({"fields": ["edges", "vertices"]}, "no edges and no vertices: .* no surface graphs; .* 'graphs'"),
        ({"fields": ["knn_edges"], "graphs": GraphOptions(neighbors=40)}, "40 neighbors of each point need"),
        ({"fields": ["edge"]}, "did you mean edges"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            load(tmp_path / "clouds", **options)
    with pytest.raises(InvalidInputError, match="no object of this data set has parts; render 'articulated'"):
        load(folder, fields=["vertex_parts"])
    with pytest.raises(
        InvalidInputError, match="no surface graphs, which OFF files hold; render one with 'graphs'"
    ):
        export_form(tmp_path / "clouds", tmp_path / "off", "off")
    online = DataDescription.from_recipe(RECIPE)
    (message,) = explain_missing_fields(["edges"], online, 1)
    assert "rendered during training have no graphs; render a data set with 'graphs'" in message
    for wrong in ({"neighbors": 0}, {"neighbors": 1.5}, {"permute": 1}):
        with pytest.raises(InvalidInputError, match=next(iter(wrong))):
            GraphOptions(**wrong)
    with pytest.raises(InvalidInputError, match=r"graphs True: give GraphOptions"):
        BatchConfig(graphs=True)


def test_off_files_are_read_back_by_trimesh(folder, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["convert", "export", str(folder), "--form", "off", "--out", str(tmp_path / "off")])
    assert ended.value.code == 0
    assert "4 objects as off" in capsys.readouterr().out
    total = 0
    for split_name, name in (("train", "train"), ("val", "test")):
        listed = (tmp_path / "off" / f"{name}.txt").read_text().split()
        with open_dataset(folder).open_split(split_name) as split:
            for row, (path, record) in enumerate(zip(listed, split.objects, strict=True)):
                assert path == f"{record.category}/{name}/{record.key}.off"
                mesh = trimesh.load_mesh(tmp_path / "off" / path, process=False)
                assert np.array_equal(np.float32(mesh.vertices), split.read_array(row, "vertices")[:, :3])
                assert np.array_equal(mesh.faces, split.read_array(row, "faces"))
                assert mesh.is_watertight
                total += 1
    assert total == len(list((tmp_path / "off").rglob("*.off"))) == OBJECTS


def test_inspect_tells_of_graphs(capsys):
    with pytest.raises(SystemExit):
        main(["inspect", "graphs"])
    assert "at most 200 vertices" in capsys.readouterr().out
