"""Data sets behind a web server and in a bucket give the same views as those of a folder."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.places import same
from tests.support.processes import wait_until
from turntable.datasets import Dataset, open_dataset
from turntable.datasets.query import select_matching_views
from turntable.errors import InvalidInputError, StoreError
from turntable.loaders import BatchConfig, Loader, Pairs, Tuples


@pytest.mark.slow
@pytest.mark.parametrize("cache", [None, False], ids=["cached", "streamed"])
@pytest.mark.parametrize(
    ("workers", "engine"), [(0, "ring"), (2, "ring"), (2, "dataloader")], ids=["here", "ring", "dataloader"]
)
def test_a_loader_gives_the_same_from_a_web_server(
    made: Dataset, server, cache, workers: int, engine
) -> None:
    config = BatchConfig(split="train", sampler=Tuples(3, 2), batch_size=5, fields=["factors"])
    where = "floor_hue < 0.9"
    local = Loader(made.path, config, window_shards=2, where=where)
    there = Loader(
        f"{server.url}/set",
        replace(config, num_workers=workers),
        cache=cache,
        engine=engine,
        window_shards=2,
        where=where,
    )
    assert there.dataset.path_or_url == f"{server.url}/set"
    for epoch in (0, 1):
        assert same(list(local.iter_batches(epoch)), list(there.iter_batches(epoch)))
    there.close()
    if cache is None:
        for shard in made.manifest.select_shards("train"):
            assert sum(item.path == f"/set/train/{shard.name}.tar" for item in server.asked) == 1


def test_streamed_views_of_one_object_come_by_one_request(made: Dataset, server) -> None:
    with open_dataset(f"{server.url}/set", cache=False).open_split("train") as split:
        split.read_jpeg(0, 0)
        before = server.count(".tar")
        rows, views = np.array([3, 0, 3, 5, 3]), np.array([4, 1, 0, 2, 4])
        files = split.read_jpegs(rows, views)
    with made.open_split("train") as local:
        assert files == local.read_jpegs(rows, views)
    assert server.count(".tar") - before <= 3 + 2  # two shards were opened besides


def test_streamed_views_of_many_objects_come_at_once(made: Dataset, server) -> None:
    with (
        open_dataset(f"{server.url}/set", cache=False).open_split("train") as split,
        made.open_split("train") as local,
    ):
        rows, views = np.arange(split.num_objects), np.arange(split.num_objects) % 6
        split.read_jpegs(rows, views)  # opens the shards
        server.most_at_once = 0
        server.fail("slow", times=len(rows), on=".tar")
        assert split.read_jpegs(rows, views) == local.read_jpegs(rows, views)
    assert 8 <= server.most_at_once <= 16


def test_a_split_of_many_shards_may_have_them_all_open(made: Dataset, monkeypatch) -> None:
    raised = []
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: raised.append(limits))
    monkeypatch.setattr("resource.getrlimit", lambda _: (200, 4096))
    made.open_split("train").close()
    files = 3 * len(made.manifest.select_shards("train"))
    assert raised == [(files + 256, 4096)]
    monkeypatch.setattr("resource.getrlimit", lambda _: (100, 200))
    with pytest.raises(
        StoreError, match=rf"{files} files must be open at once, but the system allows 200; raise"
    ):
        made.open_split("train")


def test_labels_and_names_of_a_url_need_no_shard(made: Dataset, server) -> None:
    with made.open_split("train") as local, open_dataset(f"{server.url}/set").open_split("train") as split:
        assert split.keys == local.keys
        assert split.get_object_id(3) == local.get_object_id(3)
        np.testing.assert_array_equal(split.labels, local.labels)
        np.testing.assert_array_equal(split.category_indices, local.category_indices)
        assert server.count(".tar") == 0
        assert split.objects == local.objects
        assert server.count(".tar") == len(made.manifest.select_shards("train"))


def test_filters_ask_the_table_of_a_url(made: Dataset, server) -> None:
    dataset = pickle.loads(pickle.dumps(open_dataset(f"{server.url}/set")))
    found, expected = (select_matching_views(item, "val", "floor_hue < 0.5") for item in (dataset, made))
    assert found.rows.tolist() == expected.rows.tolist()
    assert not dataset.is_local
    with pytest.raises(InvalidInputError, match="needs a folder of this machine; run: turntable copy"):
        _ = dataset.path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_loader_gives_the_same_from_a_bucket(made: Dataset, request, monkeypatch, kind: str) -> None:
    bucket = request.getfixturevalue("s3_server" if kind == "s3" else "gcs_server")()
    for name, value in bucket.env.items():
        monkeypatch.setenv(name, value)
    from turntable.datasets import open_store
    from turntable.datasets.files import compute_file_sha256

    store = open_store(f"{bucket.url}/set")
    for path in sorted(made.path.rglob("*")):
        if path.is_file():
            store.upload(path.relative_to(made.path).as_posix(), path, compute_file_sha256(path))
    local = list(
        Loader(made.path, BatchConfig(split="train", sampler=Pairs(2), batch_size=5), window_shards=16)
    )
    bucket.fail(3, "cut")
    for cache, workers, engine in ((None, 2, "ring"), (False, 1, "ring"), (None, 1, "dataloader")):
        there = Loader(
            f"{bucket.url}/set",
            BatchConfig(split="train", sampler=Pairs(2), batch_size=5, num_workers=workers),
            cache=cache,
            engine=engine,
        )
        assert same(local, list(there))
        there.close()


def test_a_service_is_a_place(made: Dataset, tmp_path: Path) -> None:
    import threading

    import uvicorn

    from turntable.service import build_catalog, create_app

    shutil.copytree(made.path, tmp_path / "mine")
    config = uvicorn.Config(create_app(build_catalog([tmp_path / "mine"])), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        for cache in (None, False):
            there = Loader(
                f"http://127.0.0.1:{port}/datasets/mine",
                BatchConfig(split="train", sampler=Pairs(), batch_size=5),
                cache=cache,
                window_shards=None,
            )
            assert same(
                list(Loader(made.path, BatchConfig(split="train", sampler=Pairs(), batch_size=5))),
                list(there),
            )
    finally:
        server.should_exit = True
        thread.join()
