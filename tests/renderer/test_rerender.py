"""Pictures drawn again from their meshes: the right ones pass on any backend, wrong ones are named."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import ObjectRecord, Recipe, load_recipe, open_dataset
from turntable.datasets.labels import LabelArray
from turntable.datasets.shards import ShardWriter
from turntable.datasets.writing import finish_dataset
from turntable.errors import InvalidInputError
from turntable.renderer import encode_views, open_backend, render_views
from turntable.renderer.backends import Backend
from turntable.renderer.meshes.sources import ZooSource, load_mesh
from turntable.renderer.point_clouds import sample_surface_points
from turntable.renderer.replay import rerender
from turntable.renderer.replay.rerendering import iter_neighbors, select_views
from turntable.renderer.scene import DEFAULT_CAMERA
from turntable.renderer.views import encode_extras

SOURCE = ZooSource(6)
RECIPE = load_recipe("zoo").replace(
    views=3, image_size_px=64, quality="fast", outputs=["rgb", "mask", "depth"], points=50
)
Change = Callable[[LabelArray], LabelArray]


@pytest.fixture(scope="module")
def embree() -> Backend:
    return open_backend("embree")


def write(
    folder: Path,
    backend: Backend,
    recipe: Recipe = RECIPE,
    change: Change = lambda labels: labels,
    mesh_hash: str = "",
) -> Path:
    """A data set of two shards whose stored labels may be others than those rendered."""
    shards = []
    items = SOURCE.list_objects()
    for number, chosen in enumerate((items[:2], items[2:4])):
        with ShardWriter(
            folder / "train", f"shard-{number:06d}", recipe.schema, recipe.label_digest
        ) as writer:
            for item in chosen:
                mesh = load_mesh(SOURCE, item.id)
                digest = mesh_hash or SOURCE.compute_digest(item.id, mesh)
                views = render_views(backend, recipe, item.id, mesh, range(recipe.views))
                record = ObjectRecord(item.id, item.category, "train", "zoo", digest)
                points = sample_surface_points(mesh, recipe.points, recipe.label_digest, item.id).points
                files = encode_views(recipe, views.rgb), encode_extras(views), {"points": points}
                writer.add(record, change(views.labels.copy()), *files)
            shards.append(writer.commit())
    device, source = {"backend": "embree"}, {"name": "zoo", "licence": "Apache-2.0"}
    finish_dataset(folder, recipe, shards, camera=DEFAULT_CAMERA.describe(64), device=device, source=source)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, embree: Backend) -> Path:
    return write(tmp_path_factory.mktemp("set"), embree)


@pytest.mark.slow
def test_right_pictures_pass(folder: Path, embree: Backend) -> None:
    calls: list[tuple[int, int]] = []
    found = rerender(
        folder, SOURCE, embree, num_views=5, progress=lambda done, total: calls.append((done, total))
    )
    assert found.problems == found.notes == ()
    assert (found.ok, found.num_views) == (True, 5)
    assert found.worst_psnr_db > 50
    assert calls[-1] == (5, 5)


@pytest.mark.gl
def test_right_pictures_pass_on_another_backend(folder: Path, gl_backend: Backend) -> None:
    found = rerender(folder, SOURCE, gl_backend, num_views=12)
    assert found.problems == ()
    assert 36 < found.worst_psnr_db < 60


def shifted(name: str, step: float) -> Change:
    def change(labels: LabelArray) -> LabelArray:
        labels[:, RECIPE.schema.get_column(name)] += np.float32(step)
        return labels

    return change


@pytest.mark.parametrize(
    ("name", "step"), [("rotation_x_rad", 0.0175), ("rotation_z_rad", -0.0175), ("floor_hue", 0.01)]
)
@pytest.mark.gl
def test_labels_off_by_a_step_are_noticed_by_another_backend(
    tmp_path: Path, embree: Backend, gl_backend: Backend, name: str, step: float
) -> None:
    write(tmp_path, embree, change=shifted(name, step))
    found = rerender(tmp_path, SOURCE, gl_backend, num_views=6)
    assert sum(f"nearer to a label with another {name}" in text for text in found.problems) >= 3


@pytest.mark.slow
def test_a_picture_of_another_view_is_noticed(tmp_path: Path, embree: Backend) -> None:
    write(tmp_path, embree, change=lambda labels: labels[::-1].copy())
    found = rerender(tmp_path, SOURCE, embree, num_views=12)
    text = "\n".join(found.problems)
    for view in (0, 2):
        assert f"view {view}: rendered again, it differs from the stored picture: PSNR " in text
    assert "of its mask pixels differ" in text
    assert "of its depth pixels differ" in text
    assert not any("view 1:" in problem for problem in found.problems)


@pytest.mark.slow
def test_red_and_blue_exchanged_is_noticed(tmp_path: Path, folder: Path, embree: Backend) -> None:
    swapped = RECIPE.replace(channel_order="bgr")
    assert rerender(write(tmp_path / "bgr", embree, swapped), SOURCE, embree, num_views=4).ok
    lying = Path(shutil.copytree(folder, tmp_path / "lying"))
    table = json.loads((lying / "manifest.json").read_text())
    table["recipe"]["channel_order"] = "bgr"
    (lying / "manifest.json").write_text(json.dumps(table))
    assert not rerender(lying, SOURCE, embree, num_views=4).ok


@pytest.mark.slow
def test_another_mesh_is_said(tmp_path: Path, folder: Path, embree: Backend) -> None:
    write(tmp_path, embree, mesh_hash="0" * 64)
    found = rerender(tmp_path, SOURCE, embree, num_views=4)
    assert all("its mesh is not the one that was rendered" in text for text in found.problems)
    assert len(found.problems) >= 2

    class Other(ZooSource):
        def load(self, object_id: str):
            category, _, instance = object_id.partition("/")
            return super().load(f"{category}/{int(instance) + 1:06d}")

        def compute_digest(self, object_id: str, mesh: object) -> str:
            return {record.id: record.source_sha256 for record in records}[object_id]

    with open_dataset(folder).open_split("train") as split:
        records = split.objects
    text = "\n".join(rerender(folder, Other(6), embree, num_views=12).problems)
    assert "its point cloud is not the one that its mesh gives" in text


def test_a_mesh_that_is_gone_is_said(folder: Path, embree: Backend) -> None:
    from turntable.renderer.meshes.sources import FolderSource

    found = rerender(folder, FolderSource(folder), embree, num_views=1)
    assert "its mesh cannot be used any more" in found.problems[0]


def test_views_are_chosen_by_seed_and_spread_over_shards(folder: Path, embree: Backend) -> None:
    dataset = open_dataset(folder)
    for seed in range(8):
        rows = select_views(dataset, 2, seed)["train"]
        assert {row // 2 for row in rows} == {0, 1}  # one of each shard
        assert select_views(dataset, 2, seed)["train"] == rows
    assert len({str(select_views(dataset, 2, seed)) for seed in range(8)}) > 3
    everything = select_views(dataset, 1000, 0)
    assert everything == {"train": {row: [0, 1, 2] for row in range(4)}}
    with pytest.raises(InvalidInputError, match="--views 0"):
        rerender(folder, SOURCE, embree, num_views=0)


def test_neighbours_stay_within_physics() -> None:
    names = RECIPE.schema.names
    label = np.zeros(len(names), dtype=np.float32)
    moved = list(iter_neighbors(names, label))
    assert sum(name == "light_theta_rad" for name, _ in moved) == 1  # not below the vertical
    hues = [values[names.index("floor_hue")] for name, values in moved if name == "floor_hue"]
    assert hues == pytest.approx([0.01, 0.99])
    assert all((values != label).sum() == 1 for _, values in moved)
