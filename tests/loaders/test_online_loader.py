"""Views rendered during training: the batches of a stored data set, and no view twice."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.batches import list_workers
from tests.support.processes import descendants, wait_until_gone
from tests.support.quick_run import InProcess
from turntable.datasets import draw_factors, load_recipe
from turntable.datasets.draws import RenderBlocks
from turntable.errors import DeviceError, DeviceLostError, IntegrityError, InvalidInputError, TurntableError
from turntable.loaders import (
    Augmentation,
    BatchConfig,
    Fixed,
    Fresh,
    Loader,
    OnlineLoader,
    Pairs,
    RandomCrops,
    Samples,
)
from turntable.loaders.online_loader import RendererScheduler
from turntable.renderer import generate
from turntable.renderer.meshes.sources import ZooSource

RECIPE = load_recipe("zoo").replace(views=4, image_size_px=32, quality="fast", val_fraction=0)
OBJECTS = 3
Batch = dict[str, Any]


def make_online_loader(sampler: Fresh | None = None, batch_size: int = 3, **more: Any) -> OnlineLoader:
    """Make a loader from arguments of its own and of its config."""
    how: dict[str, Any] = {"objects": OBJECTS, "backend": "embree", **more}
    recipe, meshes = how.pop("recipe", RECIPE), how.pop("meshes", None)
    names = {item.name for item in dataclasses.fields(BatchConfig)}
    wanted = {name: how.pop(name) for name in names & how.keys()}
    return OnlineLoader(recipe, meshes, BatchConfig(sampler=sampler, batch_size=batch_size, **wanted), **how)


def collect_batches(loader: OnlineLoader, count: int) -> list[Batch]:
    """Return the batches, and end the loader's processes."""
    batches = [batch for _ in range(count) for batch in loader]
    loader.close()
    return batches


def equal(first: Batch, second: Batch) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def list_views(batches: list[Batch]) -> list[tuple[int, int]]:
    """Return the object and the number of every view of pairs."""
    return [
        (row, view)
        for batch in batches
        for name in ("view_index_1", "view_index_2")
        for row, view in zip(batch["object_index"].tolist(), batch[name].tolist(), strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["embree", pytest.param("moderngl", marks=pytest.mark.gl)])
def test_batches_are_those_of_the_stored_data_set(tmp_path: Path, backend: str) -> None:
    recipe = RECIPE.replace(outputs=["rgb", "mask", "depth"], channel_order="bgr")
    generate(recipe, ZooSource(OBJECTS), tmp_path / "set", engine=InProcess(), backend=backend)
    fields = ["relative_quaternion", "rotation", "factors", "mask", "depth"]
    same: dict[str, Any] = {"fields": fields, "quaternion_sign": "canonical", "seed": 5}
    # Drawn together as in the data set, since OpenGL rounds a view by where it lies among others.
    fresh = make_online_loader(Fresh(2, samples_per_visit=2), 3, recipe=recipe, backend=backend, **same)
    batches = collect_batches(fresh, 1)
    assert (
        fresh.inventory.categories
        == Loader(tmp_path / "set", BatchConfig(split="train", batch_size=1)).dataset.categories
    )
    assert len(batches) == 2
    samples = [
        Samples(
            batch["object_index"].numpy(),
            torch.stack([batch["view_index_1"], batch["view_index_2"]], dim=1).numpy(),
        )
        for batch in batches
    ]
    assert sorted(list_views(batches)) == [(row, view) for row in range(OBJECTS) for view in range(4)]
    for batch, chosen in zip(batches, samples, strict=True):
        (stored,) = Loader(tmp_path / "set", BatchConfig(sampler=Fixed(chosen), batch_size=3, **same))
        assert {name: (value.shape, value.dtype) for name, value in batch.items()} == {
            name: (value.shape, value.dtype) for name, value in stored.items()
        }
        assert batch["view_1"].is_contiguous(memory_format=torch.channels_last)
        assert equal(batch, stored)


@pytest.mark.slow
def test_crops_are_pixels_of_rendered_views() -> None:
    crops = (RandomCrops(1, 32, (1.0, 1.0), (1.0, 1.0), view=2), RandomCrops(3, 12))
    (batch,) = collect_batches(
        make_online_loader(Fresh(2), augmentation=Augmentation.simclr(), crops=crops), 1
    )
    assert torch.equal(batch["crops_0"][:, 0], batch["view_2"])
    assert batch["crops_1"].shape == (3, 3, 3, 12, 12)
    assert batch["crops_1_brightness"].shape == (3, 3)
    image = Image.fromarray(batch["view_1"][1].permute(1, 2, 0).contiguous().numpy())
    top, left, height, width = batch["crops_1_box"][1, 2].tolist()
    cut = image.resize((12, 12), Image.Resampling.BILINEAR, (left, top, left + width, top + height))
    assert np.array_equal(batch["crops_1"][1, 2].permute(1, 2, 0).numpy(), np.asarray(cut))


@pytest.mark.slow
def test_no_view_comes_twice_on_any_rank_and_labels_are_drawn_by_number() -> None:
    ranks = [
        make_online_loader(Fresh(2, visits=2), 2, rank=rank, world_size=2, fields=["factors"], output="numpy")
        for rank in range(2)
    ]
    batches = [collect_batches(loader, 2) for loader in ranks]
    views = [list_views(of_rank) for of_rank in batches]
    assert len(views[0]) == len(views[1]) == 2 * 2 * OBJECTS
    assert len({*views[0], *views[1]}) == 4 * 2 * OBJECTS
    for batch in (batch for of_rank in batches for batch in of_rank):
        (row,) = batch["object_index"].tolist()
        numbers = [batch["view_index_1"][0], batch["view_index_2"][0]]
        drawn = draw_factors(RECIPE, ranks[0].inventory.object_ids[row], numbers)
        assert (np.concatenate([batch["factors_1"], batch["factors_2"]]) == drawn).all()
        assert batch["category"][0] == ranks[0].inventory.category_indices[row]


@pytest.mark.slow
@pytest.mark.gl
def test_workers_change_nothing_and_a_state_resumes_to_the_bit() -> None:
    """Compare on OpenGL, where a pixel may depend on what is drawn next to it."""
    how: dict[str, Any] = {
        "sampler": Fresh(2, samples_per_visit=2),
        "batch_size": 2,
        "backend": "moderngl",
        "augmentation": Augmentation.simclr(),
        "window_objects": 2,
    }
    whole = collect_batches(make_online_loader(**how, num_workers=2), 2)
    assert len(whole) == 6
    loader = make_online_loader(**how)
    running = iter(loader)
    for batch in whole[:2]:
        assert equal(next(running), batch)
    state = loader.state_dict()
    loader.close()  # with all that it has drawn ahead
    loader.load_state_dict(state)
    rest = collect_batches(loader, 2)
    assert len(rest) == 4
    assert all(map(equal, rest, whole[2:]))
    with pytest.raises(InvalidInputError, match="another seed"):
        loader.load_state_dict({**state, "seed": 1})


@pytest.mark.slow
def test_longer_samples_of_sequences_begin_new_ones() -> None:
    recipe = load_recipe("sequences").replace(image_size_px=16, quality="fast", val_fraction=0, source="zoo")
    assert recipe.sequence is not None
    length = recipe.sequence.length
    loader = make_online_loader(Fresh(3), recipe=recipe, fields=["twist", "relative_pose"], output="numpy")
    first, second = collect_batches(loader, 2)
    assert first["views"].shape == (3, 3, 16, 16, 3)
    assert first["relative_pose"].shape == (3, 2, 4, 4)
    assert first["view_index"].tolist() == [[0, 1, 2]] * 3
    assert second["view_index"].tolist() == [[length, length + 1, length + 2]] * 3
    assert not first["twist"][:, 0].any()
    assert first["twist"][:, 1:].any(axis=-1).all()


ALONE = """
import sys
from turntable.datasets.recipes.recipe import Recipe
from turntable.loaders import BatchConfig, Fresh
from turntable.loaders.online_loader import OnlineLoader
config = BatchConfig(sampler=Fresh(1), batch_size=3, output="numpy")
loader = OnlineLoader({recipe!r}, None, config, objects=3, backend="embree")
(batch,) = loader
assert batch["view"].any() and batch["rotation"].any()
foreign = ("moderngl", "trimesh", "embreex", "torch", "turntable.renderer")
print([name for name in sys.modules if name.startswith(foreign)])
"""


@pytest.mark.slow
def test_no_renderer_is_loaded_into_the_trainer_and_none_is_left(tmp_path: Path) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(RECIPE.to_toml())
    code = ALONE.format(recipe=str(file))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr.strip()) == ("[]", "")


@pytest.mark.slow
def test_a_killed_renderer_is_an_error_at_once_and_the_same_loader_goes_on() -> None:
    loader = make_online_loader(Fresh(2, visits=20), 2)
    running = iter(loader)
    next(running)
    state = loader.state_dict()
    expected = next(running)
    (renderer, *_) = list_workers(loader)
    family = [renderer, *descendants(renderer)]
    assert len(family) >= 2  # its loader of meshes too
    os.kill(renderer, signal.SIGKILL)
    began = time.monotonic()
    with pytest.raises(TurntableError, match=r"ended by SIGKILL.*last state_dict"):
        list(running)
    assert time.monotonic() - began < 10
    wait_until_gone(family)
    loader.load_state_dict(state)
    assert equal(next(iter(loader)), expected)
    loader.close()


def write_boxes(folder: Path, damaged: int) -> None:
    """Write five meshes of boxes, some of them broken."""
    import trimesh

    for number in range(5):
        path = folder / "boxes" / f"{number}.obj"
        path.parent.mkdir(exist_ok=True)
        if number < damaged:
            path.write_text(f"v 0 0 nothing {number}\n")
        else:
            path.write_text(trimesh.creation.box((1 + number, 1, 1)).export(file_type="obj"))


@pytest.mark.slow
def test_meshes_that_cannot_be_used_are_replaced_and_counted_once(tmp_path: Path) -> None:
    write_boxes(tmp_path, damaged=2)
    how: dict[str, Any] = {"recipe": RECIPE, "meshes": tmp_path, "source": "folder", "objects": None}
    loader = make_online_loader(Fresh(2, visits=2), 5, **how, max_corrupt_views=2, fields=["factors"])
    batches = collect_batches(loader, 2)
    assert len(batches) == 4
    assert len(set(list_views(batches))) == 4 * 5 * 2
    broken = {loader.inventory.object_ids.index(f"boxes/{number}") for number in range(2)}
    assert {row for row, _ in loader.corrupt_views} == broken
    assert len(loader.corrupt_views) == 2
    assert not broken & {row for row, _ in list_views(batches)}
    for batch in batches:
        for at, row in enumerate(batch["object_index"].tolist()):
            drawn = draw_factors(
                loader.recipe, loader.inventory.object_ids[row], int(batch["view_index_1"][at])
            )
            assert (batch["factors_1"][at].numpy() == drawn[0]).all()
    strict = make_online_loader(Fresh(2), 5, **how, max_corrupt_views=1)
    with pytest.raises(
        IntegrityError, match=r"rendered online: 2 views are unusable, and max_corrupt_views allows 1.*boxes/"
    ):
        list(strict)
    strict.close()


@pytest.mark.parametrize("name", ["3diebench-published", "3diebench-t-published"])
def test_recipes_that_end_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"the published stream has .* views of each object"):
        OnlineLoader(name, "/nowhere")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sampler": Pairs()}, "OnlineLoader needs Fresh"),
        ({"num_workers": -1}, "num_workers -1: must be at least 0"),
        ({"window_objects": 0}, "window_objects 0"),
        ({"fields": ["shadows"]}, "no field 'shadows'; .*outputs mask, depth, normals, coordinates"),
        ({"fields": ["translation"]}, "no label 'translation'"),
        ({"fields": ["points"]}, "rendered during training have no point clouds; render a data set with"),
        ({"recipe": "no-such"}, "no recipe 'no-such'"),
        ({"meshes": "/nowhere"}, "the zoo generates its meshes"),
        ({"meshes": "/nowhere", "source": "folder"}, "/nowhere does not exist"),
        ({"backend": "crayons"}, "unknown backend 'crayons'"),
        ({"objects": ["chair/999999"]}, "such as chair/999999"),
        ({"batch_size": 4}, "3 samples do not fill a batch of 4"),
        (
            {"recipe": "sequences", "source": "zoo", "sampler": Fresh(1000)},
            r"Fresh\(1000\): the sequences of sequences have",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_before_anything_is_drawn(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        make_online_loader(**changes)


def test_a_device_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises((DeviceError, InvalidInputError), match=r"egl:63|EGL"):
        make_online_loader(backend="moderngl", device="egl:63")


def test_a_lost_device_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = make_online_loader()

    def run(_: Any, jobs: Iterator[Any]) -> Iterator[Any]:
        next(jobs)
        raise DeviceLostError("it fell off the bus")
        yield

    monkeypatch.setattr("turntable.processes.WorkerPool.run", run)
    with pytest.raises(DeviceLostError, match=r"fell off the bus.*resume from the last state_dict"):
        list(loader)
    loader.close()


def test_renderers_share_evenly_and_an_object_stays_where_its_mesh_is() -> None:
    random = np.random.default_rng(0)
    routes, blocks = RendererScheduler(3, RenderBlocks(2, 2, 4)), RenderBlocks(2, 2, 4)
    objects = np.arange(60)
    first = routes.assign_rows(objects, np.zeros(60, np.int64))
    assert [len(rows) for rows in first] == [20, 20, 20]
    home = {int(objects[at]): worker for worker, rows in enumerate(first) for at in rows}
    # What has been drawn already costs nothing: it stays, however uneven that is.
    some = random.permutation(60)[:30]
    again = routes.assign_rows(some, np.full(30, 6))
    assert all(home[int(some[at])] == worker for worker, rows in enumerate(again) for at in rows)
    assert sorted(np.concatenate(again).tolist()) == list(range(30))
    # What must be drawn is shared evenly, and by those who have the mesh as far as that goes.
    new = routes.assign_rows(some, np.full(30, blocks.size))
    assert [len(rows) for rows in new] == [10, 10, 10]
    kept = sum(home[int(some[at])] == worker for worker, rows in enumerate(new) for at in rows)
    assert kept == sum(min(10, sum(home[int(row)] == worker for row in some)) for worker in range(3))
