"""Loaders read from the service: whole data sets, subsets, behind tokens, and through its restart."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from urllib.parse import urljoin

import numpy as np
import pytest

from tests.support.ports import free_port
from turntable.datasets import open_dataset
from turntable.errors import InvalidInputError, StoreError
from turntable.loaders import BatchConfig, Loader, Pairs, Views
from turntable.service import make_access, write_access

WHERE = "floor_hue < 0.5 and category in ('class00', 'class02')"


def subset_of(service, where, **more):
    status, headers, body = service.ask("/query", "POST", body={"dataset": "small", "where": where, **more})
    assert status == 200, body
    return urljoin(f"{service.url}/query", headers["Location"])


def views_of(loader):
    """Return (object, view, sum of pixels) of an epoch in its order."""
    return [
        (int(row), int(view), int(image.astype(int).sum()))
        for batch in loader.iter_batches(0)
        for row, view, image in zip(batch["object_index"], batch["view_index"], batch["view"], strict=True)
    ]


def views_loader(place, split="train", fields=None, **more):
    config = BatchConfig(
        split=split, sampler=Views(), batch_size=4, fields=fields, last_batch="short", output="numpy"
    )
    return Loader(place, config, **more)


@pytest.mark.slow
def test_views_over_http_equal_those_of_the_folder(running, served_folder, tmp_path):
    expected = views_of(views_loader(served_folder, window_shards=16))
    place = f"{running.url}/datasets/small"
    assert views_of(views_loader(place, cache=tmp_path)) == expected
    assert views_of(views_loader(place, cache=False)) == expected


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_subset_streams_the_views_of_its_condition(running, served_folder, tmp_path, split):
    expected = views_of(views_loader(served_folder, split, where=WHERE, window_shards=16))
    place = subset_of(running, WHERE)
    assert 0 < len(expected) < 24 * 4
    assert views_of(views_loader(place, split, cache=tmp_path)) == expected
    assert views_of(views_loader(place, split, cache=False)) == expected


def test_a_subset_may_be_narrowed_and_has_no_split_without_views(running, served_folder):
    place = subset_of(running, WHERE, splits=["train"])
    narrowed = views_of(views_loader(place, where="view = 1", cache=False))
    here = views_of(views_loader(served_folder, where=f"({WHERE}) and view = 1", window_shards=16))
    assert narrowed == here
    with pytest.raises(InvalidInputError, match="no split 'val'"):
        views_loader(place, "val", cache=False)
    with pytest.raises(InvalidInputError, match="no view of train meets all of"):
        views_loader(place, where="floor_hue > 0.6", cache=False)


@pytest.mark.slow
def test_the_url_of_a_subset_survives_a_restart_and_is_checked(start, served_folder):
    first = start(served_folder)
    place = subset_of(first, WHERE)
    first.stop()
    second = start(served_folder)
    path = place.removeprefix(first.url)
    manifest = second.json(f"{path}/manifest.json")
    assert manifest["subset"]["where"] == WHERE
    assert second.ask(f"{path[:-2]}/manifest.json")[0] == 404
    assert second.ask("/datasets/small/subsets/W10/manifest.json")[0] == 404
    etag = second.ask(f"{path}/manifest.json")[1]["ETag"]
    assert second.ask(f"{path}/manifest.json", headers={"If-None-Match": etag})[0] == 304


@pytest.mark.slow
def test_loaders_read_with_tokens_and_links(start, served_folder, tmp_path, monkeypatch):
    monkeypatch.delenv("TURNTABLE_TOKEN", raising=False)
    access, token, text = make_access().with_new_token("loader", ["read"])
    write_access(tmp_path / "access.json", access)
    service = start(served_folder, options=["--access", str(tmp_path / "access.json")])
    place = f"{service.url}/datasets/small"
    expected = views_of(views_loader(served_folder, window_shards=16))
    with pytest.raises(StoreError, match="TURNTABLE_TOKEN"):
        views_loader(place, cache=False)
    assert views_of(views_loader(place, cache=False, token=text)) == expected
    link = f"{place}?{access.make_link_query(token.id, 'small', 60)}"
    assert views_of(views_loader(link, cache=False)) == expected
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "turntable",
            "token",
            "link",
            token.id,
            place,
            "--access",
            tmp_path / "access.json",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert views_of(views_loader(done.stdout.strip(), cache=False)) == expected


CLIENT = """
import sys, time
from turntable.loaders import BatchConfig, Loader, Pairs
place, seed = sys.argv[1], int(sys.argv[2])
configs = [BatchConfig(sampler=Pairs(3), batch_size=4, seed=seed + i, output="numpy") for i in range(5)]
loaders = [Loader(place, config, cache=False) for config in configs]
print("ready", flush=True)
for loader in loaders:
    for batch in loader.iter_batches(0):
        print(loader._order.seed, *batch["object_index"], *batch["view_index_1"], *batch["view_index_2"],
              int(batch["view_1"].astype(int).sum()), flush=True)
        time.sleep(0.05)
"""


def lines_here(folder, seed):
    loader = Loader(
        folder,
        BatchConfig(split="train", sampler=Pairs(3), batch_size=4, seed=seed, output="numpy"),
        window_shards=16,
    )
    return [
        " ".join(
            map(
                str,
                [
                    seed,
                    *batch["object_index"],
                    *batch["view_index_1"],
                    *batch["view_index_2"],
                    int(batch["view_1"].astype(int).sum()),
                ],
            )
        )
        for batch in loader.iter_batches(0)
    ]


def five_streams(place, seed, told, problems):
    """Start a process of five loaders, which writes to files: output in a pipe could be lost."""
    with told.open("w") as stdout, problems.open("w") as stderr:
        return subprocess.Popen(
            [sys.executable, "-c", CLIENT, place, str(seed)],
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )


@pytest.mark.slow
def test_fifty_streams_survive_a_restart_without_loss_or_repetition(start, served_folder, tmp_path):
    """Ten processes of five loaders each get every batch of the folder once and in order."""
    port = free_port()
    service = start(served_folder, port=port)
    seeds = range(0, 100, 10)
    told = [tmp_path / f"told{seed}" for seed in seeds]
    problems = [tmp_path / f"problems{seed}" for seed in seeds]
    with ExitStack() as ended:
        place = f"{service.url}/datasets/small"
        clients = [
            ended.enter_context(five_streams(place, *client))
            for client in zip(seeds, told, problems, strict=True)
        ]
        while not all("ready" in file.read_text() for file in told):
            assert not any(client.poll() for client in clients), [file.read_text() for file in problems]
            time.sleep(0.05)
        time.sleep(0.5)
        service.process.kill()
        service.process.wait()
        time.sleep(0.5)
        assert any(client.poll() is None for client in clients)
        start(served_folder, port=port)
        statuses = [client.wait(timeout=120) for client in clients]
    assert statuses == [0] * len(clients), [file.read_text() for file in problems]
    for seed, file in zip(seeds, told, strict=True):
        expected = [line for i in range(5) for line in lines_here(served_folder, seed + i)]
        assert file.read_text().splitlines() == ["ready", *expected]


def test_a_batch_has_the_labels_of_its_views(running, served_folder):
    loader = views_loader(subset_of(running, WHERE), cache=False, fields=["floor_hue"])
    with open_dataset(served_folder).open_split("train") as train:
        for batch in loader.iter_batches(0):
            labels = train.get_labels(batch["object_index"], batch["view_index"])
            hue = labels[:, train.manifest.schema.get_column("floor_hue")]
            assert np.array_equal(batch["floor_hue"], hue)
            assert (hue < 0.5).all()
