"""Bounds of a data set's files, which no valid data set exceeds."""

import errno
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.support.bounds import ENOUGH
from turntable.datasets import Dataset, open_dataset
from turntable.datasets.query import select_matching_views
from turntable.datasets.shards import IndexSizeLimit
from turntable.datasets.shards.index import compute_max_index_bytes
from turntable.errors import RejectedResponseError, StoreError, TurntableError
from turntable.testing.datasets import make_synthetic_dataset

pytestmark = pytest.mark.usefixtures("hasty")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_synthetic_dataset(tmp_path_factory.mktemp("made"), num_objects=8, num_views=3, image_size=16)


@pytest.fixture
def hostile(http_server, made: Dataset, tmp_path: Path):
    shutil.copytree(made.path, tmp_path / "www" / "set")
    return http_server(tmp_path / "www")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", ["endless", "endless chunks", "long claim", "drip", "many headers"])
@pytest.mark.parametrize("cache", [None, False], ids=["cached", "streamed"])
def test_a_hostile_server_of_a_data_set_is_told_of_by_the_files_name(
    hostile, made: Dataset, monkeypatch, how: str, cache
) -> None:
    monkeypatch.setattr("turntable.datasets.dataset.MAX_MANIFEST_BYTES", 1 << 20)
    monkeypatch.setattr("turntable.datasets.shards.labels_parquet._MAX_TABLE_BYTES", 1 << 20)
    dataset = open_dataset(f"{hostile.url}/set", cache=cache)
    uses = {
        "manifest.json": lambda: open_dataset(f"{hostile.url}/set", cache=cache),
        "labels.parquet": lambda: select_matching_views(dataset, "train", "floor_hue < 2"),
        "shard-000000.idx": lambda: dataset.open_split("train").read_jpeg(0, 0),
    }
    if cache is None:
        uses["shard-000000.tar"] = lambda: dataset.fetch_shard(made.manifest.shards[0])
    for name, use in uses.items():
        hostile.sent.clear()
        hostile.faults.clear()
        hostile.fail(how, times=100, on=name)
        with pytest.raises(TurntableError, match=re.escape(name)) as caught:
            use()
        assert len(str(caught.value)) < 500
        assert hostile.sent_in_all() < 2 * ENOUGH


def test_a_table_is_fetched_through_a_file_and_a_full_disk_is_told(hostile, monkeypatch, tmp_path) -> None:
    dataset = open_dataset(f"{hostile.url}/set", cache=False)
    hostile.fail("cut", times=2, on="labels.parquet")
    assert len(select_matching_views(dataset, "train", "floor_hue < 2")) > 0
    monkeypatch.setattr("tempfile.NamedTemporaryFile", FullFile)
    with pytest.raises(StoreError, match="the disk is full; free some space"):
        select_matching_views(dataset, "train", "floor_hue < 2")


class FullFile(io.BytesIO):
    def __init__(self, **named: object) -> None:
        super().__init__()

    def write(self, data) -> int:
        raise OSError(errno.ENOSPC, "full")


def test_an_index_is_never_longer_than_its_bound(made: Dataset) -> None:
    manifest = made.manifest
    sizes = IndexSizeLimit(manifest.views, len(manifest.factors), len(manifest.outputs))
    for shard in manifest.shards:
        found = (made.path / shard.split / f"{shard.name}.idx").stat().st_size
        assert found <= sizes.compute_max_bytes(shard)
    assert compute_max_index_bytes(64, 50, 20, 4) < 2 << 20
    assert compute_max_index_bytes(10**9, 10**9, 10**9, 10**9) == 1 << 30


def test_long_names_and_all_outputs_fit_the_bound_of_an_index(tmp_path: Path) -> None:
    import numpy as np

    from turntable.datasets.shards import ShardIndex
    from turntable.datasets.shards.index import encode_texts

    N, V, L, E = 7, 5, 11, 4
    numbers = {"offset": "<i8", "size": "<i8", "crc32": "<u4"}
    index = ShardIndex(
        keys=encode_texts(["k" * 255] * N),
        ids=encode_texts(["i" * 3000] * N),
        categories=encode_texts(["c" * 800] * N),
        object_start=np.ones(N, "<i8"),
        object_length=np.ones(N, "<i8"),
        latents=np.ones((N, V, L), "<f4"),
        tar_size=np.array(1, "<i8"),
        tar_sha256=np.array(b"0" * 64),
        extras=encode_texts(["x" * 40] * E),
        **{name: np.ones((N, V), kind) for name, kind in numbers.items()},
        **{f"extra_{name}": np.ones((N, E, V), kind) for name, kind in numbers.items()},
        **{f"points_{name}": np.ones(N, kind) for name, kind in numbers.items()},
    )
    assert len(index.to_bytes()) <= compute_max_index_bytes(N, V, L, 1 + E)


def test_a_manifest_may_be_as_long_as_its_bound(hostile, monkeypatch) -> None:
    size = (hostile.folder / "set/manifest.json").stat().st_size
    monkeypatch.setattr("turntable.datasets.dataset.MAX_MANIFEST_BYTES", size)
    json.loads((hostile.folder / "set/manifest.json").read_text())
    assert open_dataset(f"{hostile.url}/set").manifest
    monkeypatch.setattr("turntable.datasets.dataset.MAX_MANIFEST_BYTES", size - 1)
    with pytest.raises(RejectedResponseError, match=r"manifest\.json: longer than the"):
        open_dataset(f"{hostile.url}/set")
