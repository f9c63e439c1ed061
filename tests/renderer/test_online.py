"""A renderer beside a trainer: what it draws is what a data set would hold, whoever asks for it and when."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.meshes import write_glb
from tests.support.quick_run import InProcess
from turntable.datasets import Dataset, Recipe, draw_factors, load_recipe, open_dataset
from turntable.datasets.draws import ObjectQuery, RenderBlocks, RenderSetup, ViewRequest
from turntable.datasets.files import decode_jpeg
from turntable.errors import DeviceLostError, IntegrityError, InvalidInputError, MeshError
from turntable.renderer import generate, online, open_backend, open_recipe_source
from turntable.renderer.backends import Backend
from turntable.renderer.meshes import Material, Mesh, Texture
from turntable.renderer.meshes.sources import MeshSource, ZooSource
from turntable.renderer.online import ViewRenderer, compute_mesh_bytes, take_inventory
from turntable.renderer.runs import LoadedObject
from turntable.testing.backends import make_box

RECIPE = load_recipe("zoo").replace(
    views=4,
    image_size_px=32,
    quality="fast",
    objects_per_shard=2,
    val_fraction=0.25,
    channel_order="bgr",
    outputs=["rgb", "mask", "depth", "normals"],
)
OBJECTS = 6
CATEGORIES = ("chair", "mug")
ALL_AT_ONCE = RenderBlocks(2, 2, 2)
"""Two samples of two views: the four of the data set."""


@pytest.fixture(scope="module", params=["embree", pytest.param("moderngl", marks=pytest.mark.gl)])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Dataset]:
    """A backend's name, and a data set that it has drawn."""
    folder = tmp_path_factory.mktemp(request.param) / "set"
    generate(RECIPE, ZooSource(OBJECTS, CATEGORIES), folder, engine=InProcess(), backend=request.param)
    return request.param, open_dataset(folder)


@pytest.fixture(autouse=True)
def _small_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two categories, so that a few objects make two splits."""

    def opened(
        recipe: Recipe, meshes: Path | None, count: int | None, links_under: tuple[str, ...]
    ) -> MeshSource:
        if recipe.source == "zoo":
            return ZooSource(count or OBJECTS, CATEGORIES)
        return open_recipe_source(recipe, meshes, count, links_under=links_under)

    monkeypatch.setattr(online, "open_recipe_source", opened)


@pytest.fixture(scope="module")
def embree() -> Iterator[Backend]:
    with open_backend("embree") as backend:
        yield backend


def zoo(**changes: object) -> ObjectQuery:
    return replace(ObjectQuery(RECIPE, None, "train", OBJECTS, backend="embree"), **changes)


def setup_of(query: ObjectQuery, blocks: RenderBlocks = ALL_AT_ONCE, **more: object) -> RenderSetup:
    return RenderSetup(query, take_inventory(query), blocks, **more)


def batch_for(setup: RenderSetup, rows: int) -> dict[str, np.ndarray]:
    """Empty arrays."""
    recipe, lead = setup.query.recipe, (setup.blocks.num_views, rows)
    size = (recipe.image_size_px, recipe.image_size_px)
    return {
        "images": np.zeros((*lead, *size, 3), np.uint8),
        "mask": np.zeros((*lead, 1, *size), np.uint8),
        "depth": np.zeros((*lead, 1, *size), np.float32),
        "normals": np.zeros((*lead, 3, *size), np.float32),
        "latents": np.full((*lead, len(recipe.factors)), np.nan, np.float32),
        "view_index": np.full(lead, -1),
        "object_index": np.full(rows, -1),
    }


def request(objects: list[int], views: list[list[int]], rows: list[int] | None = None) -> ViewRequest:
    at = np.arange(len(objects)) if rows is None else np.array(rows)
    return ViewRequest(at, np.array(objects), np.array(views), 0)


def test_the_inventory_is_the_split_of_a_data_set(drawn: tuple[str, Dataset]) -> None:
    name, dataset = drawn
    for split in ("train", "val"):
        found = take_inventory(zoo(split=split, backend=name))
        with dataset.open_split(split) as stored:
            assert found.object_ids == tuple(stored.get_object_id(row) for row in range(stored.num_objects))
            assert found.category_indices.tolist() == stored.category_indices.tolist()
        assert found.categories == dataset.categories
        assert found.backend == name


def test_an_inventory_of_some_objects_keeps_their_order_split_and_classes() -> None:
    whole = take_inventory(zoo())
    some = take_inventory(zoo(object_ids=(whole.object_ids[2], whole.object_ids[0])))
    assert some.object_ids == (whole.object_ids[0], whole.object_ids[2])
    assert some.category_indices.tolist() == whole.category_indices[[0, 2]].tolist()
    assert some.categories == whole.categories
    held_out = take_inventory(zoo(split="val")).object_ids[0]
    with pytest.raises(InvalidInputError, match=f"1 of 2 objects are not in the split train.*{held_out}"):
        take_inventory(zoo(object_ids=(whole.object_ids[0], held_out)))


def test_a_split_without_objects_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="none of the 1 objects is in the split 'val'"):
        take_inventory(zoo(split="val", max_objects=1))


def test_equal_meshes_are_on_one_side(tmp_path: Path) -> None:
    for number in range(12):
        write_glb(tmp_path / "boxes" / f"{number:02d}.glb", size=(1 + number // 6, 1, 1))
    recipe = RECIPE.replace(source="folder", val_fraction=0.5)
    sides = [
        take_inventory(ObjectQuery(recipe, str(tmp_path), split, backend="embree")).object_ids
        for split in ("train", "val")
    ]
    assert sorted(map(sorted, sides)) == [
        [f"boxes/{number:02d}" for number in numbers] for numbers in (range(6), range(6, 12))
    ]


def test_lists_may_divide_the_objects(tmp_path: Path) -> None:
    query = folder_with_broken_objects(tmp_path, broken=[])
    np.save(tmp_path / "val_images.npy", np.array([["boxes", "2"], ["boxes", "0"]]))
    lists = (str(tmp_path / "val_images.npy"),)
    assert sorted(take_inventory(replace(query, split_files=lists, split="val")).object_ids) == [
        "boxes/0",
        "boxes/2",
    ]
    assert sorted(take_inventory(replace(query, split_files=lists)).object_ids) == ["boxes/1", "boxes/3"]


@pytest.mark.slow
def test_views_are_those_of_the_data_set_to_the_byte(drawn: tuple[str, Dataset]) -> None:
    name, dataset = drawn
    setup = setup_of(zoo(backend=name))
    count = len(setup.inventory.object_ids)
    renderer = ViewRenderer(setup, open_backend)
    arrays = batch_for(setup, 2 * count)
    order = np.random.default_rng(0).permutation(2 * count)
    objects, firsts = np.repeat(np.arange(count), 2)[order], 2 * (np.arange(2 * count) % 2)[order]
    views = np.stack([firsts, firsts + 1], axis=1)
    for half in np.split(np.arange(2 * count), [count]):  # the second one's are partly drawn already
        assert renderer.fill(arrays, ViewRequest(half, objects[half], views[half], 0)).unusable == ()
    assert arrays["object_index"].tolist() == objects.tolist()
    assert arrays["view_index"].tolist() == views.T.tolist()
    with dataset.open_split("train") as split:
        for at in range(2 * count):
            for number, view in enumerate(views[at].tolist()):
                row, place = int(objects[at]), (number, at)
                stored = decode_jpeg(split.read_jpeg(row, view))
                assert (arrays["images"][place] == stored).all()
                assert (arrays["latents"][place] == split.get_labels(np.array([row]), np.array([view]))).all()
                assert (arrays["mask"][place][0] == split.read_output(row, view, "mask") // 255).all()
                assert (arrays["depth"][place][0] == split.read_output(row, view, "depth")).all()
                normals = split.read_output(row, view, "normals").transpose(2, 0, 1)
                assert (arrays["normals"][place] == normals).all()


@pytest.mark.slow
def test_without_jpeg_pictures_have_no_loss(embree: Backend) -> None:
    setup = setup_of(zoo(), through_jpeg=False)
    arrays, lossy = batch_for(setup, 1), batch_for(setup, 1)
    ViewRenderer(setup, lambda name, device: embree).fill(arrays, request([1], [[0, 1]]))
    ViewRenderer(replace(setup, through_jpeg=True), lambda name, device: embree).fill(
        lossy, request([1], [[0, 1]])
    )
    mesh = ZooSource(OBJECTS, CATEGORIES).load(setup.inventory.object_ids[1])
    exact = online.begin_views(embree, RECIPE, setup.inventory.object_ids[1], mesh, [0, 1])().rgb[..., ::-1]
    assert (arrays["images"][:, 0] == exact).all()
    difference = np.abs(lossy["images"][:, 0].astype(int) - exact)
    assert 0 < difference.mean() < 3


def test_a_block_is_drawn_once_and_only_the_asked_rows_are_written(
    embree: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    begin = online.begin_views

    def begin_views(backend, recipe, object_id, mesh, views, *more):
        begun.append((object_id, views))
        return begin(backend, recipe, object_id, mesh, views, *more)

    monkeypatch.setattr(online, "begin_views", begin_views)
    setup = setup_of(zoo())
    renderer = ViewRenderer(setup, lambda name, device: embree)
    arrays = batch_for(setup, 5)
    renderer.fill(arrays, request([2, 0], [[0, 1], [6, 7]], rows=[3, 1]))
    renderer.fill(arrays, request([2], [[2, 3]], rows=[4]))
    ids = setup.inventory.object_ids
    assert begun == [(ids[0], [4, 5, 6, 7]), (ids[2], [0, 1, 2, 3])]
    assert arrays["object_index"].tolist() == [-1, 0, -1, 2, 2]
    assert not arrays["images"][:, [0, 2]].any()
    assert (arrays["latents"][:, 4] == draw_factors(RECIPE, ids[2], [2, 3])).all()


def folder_with_broken_objects(root: Path, broken: list[int], count: int = 4) -> ObjectQuery:
    """Boxes in a folder of which some are damaged, by row in the inventory."""
    for number in range(count):
        write_glb(root / "boxes" / f"{number}.glb", size=(1 + number, 1, 1))
    recipe = RECIPE.replace(source="folder", val_fraction=0)
    query = ObjectQuery(recipe, str(root), "train", backend="embree")
    ids = take_inventory(query).object_ids
    for row in broken:
        (root / f"{ids[row]}.glb").write_bytes(b"no mesh at all")
    return query


def test_the_next_object_takes_the_place_of_one_that_cannot_be_drawn(tmp_path: Path, embree: Backend) -> None:
    setup = setup_of(folder_with_broken_objects(tmp_path, broken=[1, 2]))
    renderer = ViewRenderer(setup, lambda name, device: embree)
    arrays = batch_for(setup, 4)
    unusable = renderer.fill(arrays, request([1, 3, 1, 2], [[0, 1], [0, 1], [6, 7], [0, 1]])).unusable
    assert {(item.row, item.view) for item in unusable} == {(1, 0), (1, 6), (2, 0)}
    assert all(setup.inventory.object_ids[item.row] in item.reason for item in unusable)
    # All by the one object that can be drawn behind them, and no view twice.
    assert arrays["object_index"].tolist() == [3, 3, 3, 3]
    assert len(set(arrays["view_index"].ravel().tolist())) == 8
    assert arrays["view_index"][:, 1].tolist() == [0, 1]
    for row in range(4):
        views = arrays["view_index"][:, row].tolist()
        assert (arrays["latents"][:, row] == draw_factors(RECIPE, setup.inventory.object_ids[3], views)).all()
    # Another renderer, asked otherwise, says the same.
    again = batch_for(setup, 1)
    ViewRenderer(setup, lambda name, device: embree).fill(again, request([1], [[6, 7]]))
    assert (again["images"][:, 0] == arrays["images"][:, 2]).all()


def test_the_warnings_of_an_object_are_reported_once(tmp_path: Path, embree: Backend) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.obj").write_text(f"mtllib no-{name}.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    query = ObjectQuery(RECIPE.replace(source="folder", val_fraction=0), str(tmp_path), "train")
    setup = setup_of(replace(query, backend="embree"))
    renderer = ViewRenderer(setup, lambda name, device: embree)
    reports = [
        renderer.fill(batch_for(setup, 1), request([row], [views]))
        for row, views in ((0, [0, 1]), (0, [4, 5]), (1, [0, 1]))
    ]
    found = [[(item.object, item.kind) for item in report.warnings] for report in reports]
    first, second = setup.inventory.object_ids
    assert found == [[(first, "file-missing")], [], [(second, "file-missing")]]


def test_problems_of_the_folder_are_among_the_warnings_of_the_inventory(tmp_path: Path) -> None:
    query = folder_with_broken_objects(tmp_path, broken=[])
    (tmp_path / "chair.fbx").write_bytes(b"Kaydara FBX Binary")
    (text,) = [text for text in take_inventory(query).warnings if "chair.fbx" in text]
    assert text.startswith("format-unsupported: 1 warning: ")


def test_when_nothing_can_be_drawn_it_is_not_the_objects_fault(tmp_path: Path, embree: Backend) -> None:
    setup = setup_of(folder_with_broken_objects(tmp_path, broken=[0, 1, 2, 3]))
    renderer = ViewRenderer(setup, lambda name, device: embree)
    with pytest.raises(IntegrityError, match="4 consecutive objects cannot be drawn"):
        renderer.fill(batch_for(setup, 1), request([2], [[0, 1]]))


def test_an_object_that_the_device_refuses_is_unusable_too(
    embree: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = setup_of(zoo())
    victim, begin = setup.inventory.object_ids[0], online.begin_views

    def begin_views(backend, recipe, object_id, mesh, views, *more):
        if object_id == victim:
            raise MeshError(f"{object_id}: more than the device has", reason="too large")
        return begin(backend, recipe, object_id, mesh, views, *more)

    monkeypatch.setattr(online, "begin_views", begin_views)
    arrays = batch_for(setup, 1)
    (item,) = ViewRenderer(setup, lambda name, device: embree).fill(arrays, request([0], [[0, 1]])).unusable
    assert "more than the device has" in item.reason
    assert arrays["object_index"].tolist() == [1]


def test_renderers_take_devices_in_turn_and_a_lost_one_is_told() -> None:
    opened = []

    class Lost(Backend):
        device = None
        begin = None

        def __enter__(self):
            raise DeviceLostError("it fell off the bus")

        def close(self):
            pass

    def open_lost(name: str, device: int | None) -> Backend:
        opened.append((name, device))
        return Lost()

    setup = setup_of(zoo())
    setup = replace(setup, inventory=replace(setup.inventory, backend="moderngl", devices=(4, 7)))
    for number in range(3):
        with pytest.raises(DeviceLostError, match="fell off the bus"):
            ViewRenderer(setup, open_lost).fill(
                batch_for(setup, 1), replace(request([0], [[0, 1]]), renderer_index=number)
            )
    assert opened == [("moderngl", 4), ("moderngl", 7), ("moderngl", 4)]


class CountingLoader:
    """A loader of boxes that notes the ids it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def iter_loaded(self, object_ids: list[str]) -> Iterator[LoadedObject | MeshError]:
        for object_id in object_ids:
            self.asked.append(object_id)
            yield MeshError(object_id) if object_id == "bad" else LoadedObject(make_box(), "")


def test_meshes_are_loaded_once_while_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "MESH_CACHE_BYTES", 2 * compute_mesh_bytes(make_box()))
    loader = CountingLoader()
    meshes = online._MeshCache(loader)  # type: ignore[arg-type]
    assert [isinstance(item, Mesh) for item in meshes.iter_meshes(["a", "a", "bad", "b"])] == [
        True,
        True,
        False,
        True,
    ]
    assert loader.asked == ["a", "bad", "b"]
    list(meshes.iter_meshes(["a", "bad"]))
    assert loader.asked == ["a", "bad", "b"]
    list(meshes.iter_meshes(["c", "a"]))  # what was used last stays
    list(meshes.iter_meshes(["b"]))
    assert loader.asked == ["a", "bad", "b", "c", "b"]


def test_the_memory_of_a_mesh_counts_each_texture_once() -> None:
    texture = Texture(np.zeros((8, 8, 3), np.uint8))
    plain = make_box()
    painted = replace(plain, materials=(Material(texture=texture), Material(texture=texture)))
    assert compute_mesh_bytes(painted) - compute_mesh_bytes(plain) == 8 * 8 * 3


@given(st.integers(1, 4), st.integers(0, 3), st.integers(1, 4), st.integers(0, 40), st.integers(0, 5))
def test_views_are_found_in_their_block(k: int, more: int, samples: int, number: int, row: int) -> None:
    blocks = RenderBlocks(k, k + more, samples)
    views = number * blocks.stride + np.arange(k)
    first = blocks.get_block_start(int(views[0]))
    assert (blocks.list_rendered_views(first)[blocks.compute_positions(views)] == views).all()
    assert (
        len(blocks.list_rendered_views(first)) == len(set(blocks.list_rendered_views(first))) == samples * k
    )
    assert blocks.list_rendered_views(first).max() < first + blocks.size
    moved = views + blocks.compute_replacement_offset(row)
    assert (blocks.compute_positions(moved) == blocks.compute_positions(views)).all()
    assert (
        blocks.compute_replacement_offset(row + 1) - blocks.compute_replacement_offset(row)
        == blocks.compute_replacement_offset(0)
        > 10**7
    )
