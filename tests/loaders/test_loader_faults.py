"""Faults below a loader: damaged views and shards, killed workers, interrupts."""

import hashlib
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.batches import list_workers
from tests.support.processes import shared_memory, shared_memory_left, wait_until_gone
from turntable.datasets import Dataset
from turntable.datasets.files import decode_jpeg
from turntable.errors import IntegrityError, TurntableError
from turntable.loaders import BatchConfig, Loader, Pairs, Sequences, Tuples, Views
from turntable.testing.datasets import make_synthetic_dataset

ENGINES = [(0, "ring"), (2, "ring"), (2, "dataloader")]


def make_dataset(folder: Path, **changes) -> Dataset:
    return make_synthetic_dataset(
        folder, **{"num_objects": 6, "num_views": 4, "image_size": 16, "val_fraction": 0.0, **changes}
    )


def damage(dataset: Dataset, row: int, view: int) -> None:
    """Turn one bit of a view's JPEG."""
    with dataset.open_split("train") as split:
        wanted = split.read_jpeg(row, view)
    for tar in dataset.path.glob("train/*.tar"):
        data = bytearray(tar.read_bytes())
        at = data.find(wanted)
        if at >= 0:
            data[at + len(wanted) // 2] ^= 4
            tar.write_bytes(data)
            return
    raise AssertionError("not found")


@pytest.mark.parametrize(("workers", "engine"), ENGINES)
def test_a_damaged_view_ends_the_run_with_file_and_remedy(tmp_path: Path, workers: int, engine) -> None:
    dataset = make_dataset(tmp_path)
    damage(dataset, 3, 1)
    loader = Loader(
        tmp_path,
        BatchConfig(split="train", sampler=Views(), batch_size=1, num_workers=workers),
        engine=engine,
    )
    with pytest.raises(
        IntegrityError,
        match=r"train object class\d\d/\d+, view 1: .*shard-\d+\.tar: .*checksum.*turntable render",
    ):
        list(loader)
    loader.close()


@pytest.mark.parametrize(("workers", "engine"), ENGINES)
def test_damaged_views_are_replaced_counted_and_logged_up_to_a_threshold(
    tmp_path: Path, workers: int, engine, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = make_dataset(tmp_path)
    damage(dataset, 3, 1)
    damage(dataset, 3, 2)
    with caplog.at_level(logging.WARNING, "turntable.loaders"):
        loader = Loader(
            tmp_path,
            BatchConfig(
                split="train",
                sampler=Pairs(20),
                batch_size=8,
                fields=["factors"],
                num_workers=workers,
                last_batch="short",
                max_corrupt_views=2,
            ),
            engine=engine,
        )
        batches = list(loader)
    loader.close()
    assert sorted(loader.corrupt_views) == [(3, 1), (3, 2)]
    assert len([record for record in caplog.records if "replaced by another view" in record.message]) == 2
    assert "view 1: " in caplog.text
    assert sum(len(batch["category"]) for batch in batches) == 6 * 20  # nothing is lost
    with dataset.open_split("train") as split:
        for batch in batches:
            for i, row in enumerate(batch["object_index"].tolist()):
                views = [int(batch[f"view_index_{side}"][i]) for side in "12"]
                assert views[0] != views[1]
                assert row != 3 or not {1, 2} & set(views)
                for side, view in zip("12", views, strict=True):
                    assert (batch[f"factors_{side}"][i].numpy() == split.labels[row, view]).all()
                    image = decode_jpeg(split.read_jpeg(row, view))
                    assert (batch[f"view_{side}"][i].permute(1, 2, 0).numpy() == image).all()
    strict = Loader(
        tmp_path,
        BatchConfig(split="train", sampler=Pairs(20), batch_size=8, num_workers=workers, max_corrupt_views=1),
        engine=engine,
    )
    with pytest.raises(IntegrityError, match="2 views are unusable, and max_corrupt_views allows 1"):
        list(strict)
    strict.close()


def test_what_replaces_a_view_is_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, num_views=6)
    for view in (0, 3, 4):
        damage(dataset, 2, view)
    runs = []
    for workers in (0, 1, 3):
        loader = Loader(
            tmp_path,
            BatchConfig(
                split="train",
                sampler=Tuples(3, visits=10),
                batch_size=7,
                num_workers=workers,
                max_corrupt_views=9,
            ),
        )
        runs.append(list(loader))
        loader.close()
    for other in runs[1:]:
        for a, b in zip(runs[0], other, strict=True):
            assert all(torch.equal(a[name], b[name]) for name in a)


def test_an_object_without_enough_readable_views_ends_the_run(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    for view in range(3):
        damage(dataset, 4, view)
    with pytest.raises(IntegrityError, match=r"too few of an object's views .*object class.*, view \d: "):
        list(
            Loader(
                tmp_path, BatchConfig(split="train", sampler=Pairs(5), batch_size=6, max_corrupt_views=100)
            )
        )


def test_a_replaced_view_is_one_that_the_filter_allows(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path, num_views=12, num_objects=4)
    with dataset.open_split("train") as split:
        hues = split.labels[..., split.manifest.schema.get_column("floor_hue")]
    bright = np.argwhere(hues < 0.6)
    row, view = bright[0]
    damage(dataset, int(row), int(view))
    loader = Loader(
        tmp_path,
        BatchConfig(
            split="train",
            sampler=Tuples(1, visits=30),
            batch_size=4,
            fields=["floor_hue"],
            max_corrupt_views=3,
        ),
        where="floor_hue < 0.6",
    )
    seen = torch.cat([batch["floor_hue"].flatten() for batch in loader])
    assert list(loader.corrupt_views) == [(row, view)]
    assert (seen < 0.6).all()


def test_a_damaged_sequence_is_replaced_by_a_whole_one(tmp_path: Path) -> None:
    motion = {"length": 4, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.4}}
    dataset = make_dataset(tmp_path, num_views=12, sequence=motion)
    damage(dataset, 1, 5)
    loader = Loader(
        tmp_path, BatchConfig(split="train", sampler=Sequences(4), batch_size=6, max_corrupt_views=1)
    )
    views = torch.cat([batch["view_index"] for batch in loader])
    assert (views.diff(dim=1) == 1).all()
    assert (views[:, 0] % 4 == 0).all()
    assert list(loader.corrupt_views) == [(1, 5)]


def test_a_file_that_is_no_picture_though_its_checksum_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path, num_objects=2, num_views=1)
    # Right checksum, wrong content: written so.
    monkeypatch.setattr(
        "turntable.datasets.split.Split.read_jpegs", lambda self, rows, views: [b"\xff\xd8 no"] * len(rows)
    )
    with pytest.raises(IntegrityError, match=r"train object class0\d/000\d, view 0: a JPEG does not decode"):
        next(iter(Loader(tmp_path, BatchConfig(split="train", sampler=Views(), batch_size=1))))


@pytest.mark.parametrize(("workers", "engine"), ENGINES)
def test_a_cut_shard_is_told_with_file_and_remedy(tmp_path: Path, workers: int, engine) -> None:
    make_dataset(tmp_path)
    tar = tmp_path / "train" / "shard-000001.tar"
    tar.write_bytes(tar.read_bytes()[:-1000])
    with pytest.raises(IntegrityError, match=r"shard-000001\.tar: .*cut or edited; re-run"):
        list(
            Loader(
                tmp_path,
                BatchConfig(split="train", sampler=Pairs(), batch_size=6, num_workers=workers),
                engine=engine,
            )
        )


@pytest.mark.slow
def test_an_index_of_another_shard_is_told(tmp_path: Path) -> None:
    make_dataset(tmp_path / "one")
    make_dataset(tmp_path / "two", seed=1)
    index = tmp_path / "one" / "train" / "shard-000000.idx"
    index.write_bytes((tmp_path / "two" / "train" / "shard-000000.idx").read_bytes())
    with pytest.raises(IntegrityError, match=r"shard-000000.*(manifest|cut or edited)"):
        list(
            Loader(tmp_path / "one", BatchConfig(split="train", sampler=Pairs(), batch_size=6, num_workers=2))
        )


TRAINER = """
import signal, sys, time
from turntable.loaders import BatchConfig, Loader, Pairs

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
# Of the trainer itself no more than this, however deep in a chain of errors it ends.
sys.excepthook = lambda kind, error, trace: print(kind.__name__, *error.args, sep=": ", file=sys.stderr)
loader = Loader(sys.argv[1], BatchConfig(sampler=Pairs(100_000), batch_size=8, num_workers=2))
loader.get_samples(0)
for number, batch in enumerate(loader):
    if number == 0:
        print(*(worker.pid for worker in loader._engines._lent[0]._pool._workers), flush=True)
    time.sleep(0.002)
"""


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["worker", "trainer", "ctrl-c"])
def test_whoever_is_killed_leaves_nothing_behind_and_nobody_hangs(tmp_path: Path, victim: str) -> None:
    make_dataset(tmp_path)
    before = shared_memory()
    trainer = subprocess.Popen(
        [sys.executable, "-c", TRAINER, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert trainer.stdout is not None
    pids = [int(pid) for pid in trainer.stdout.readline().split()]
    if victim == "worker":
        os.kill(pids[0], signal.SIGKILL)
    elif victim == "trainer":
        trainer.kill()
    else:
        os.killpg(trainer.pid, signal.SIGINT)
    _, said = trainer.communicate(timeout=60)
    if victim == "worker":
        assert "TurntableError: worker process 0" in said
        assert "ended by SIGKILL" in said
    elif victim == "ctrl-c":
        assert said == "KeyboardInterrupt\n"  # the trainer's own, no word of the workers
    wait_until_gone(pids)
    assert not shared_memory_left(before)


@pytest.mark.slow
def test_after_a_lost_worker_the_same_loader_goes_on_from_its_state(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    loader = Loader(tmp_path, BatchConfig(split="train", sampler=Pairs(10), batch_size=4, num_workers=2))
    whole = list(loader.iter_batches(0))
    running = loader.iter_batches(0)
    for _ in range(3):
        next(running)
    state = pickle.loads(pickle.dumps(loader.state_dict()))
    os.kill(list_workers(loader)[1], signal.SIGKILL)
    with pytest.raises(TurntableError, match="ended by SIGKILL"):
        list(running)
    loader.load_state_dict(state)
    rest = list(loader)
    assert len(rest) == len(whole) - 3
    for a, b in zip(rest, whole[3:], strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)
    loader.close()


TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
RANK = """
import hashlib, json, sys
import torch.distributed as distributed
from turntable.loaders import BatchConfig, Loader, Pairs

distributed.init_process_group("gloo")
loader = Loader(sys.argv[1], BatchConfig(sampler=Pairs(3), batch_size=4, num_workers=1, last_batch="drop"))
shown = []
for batch in loader:
    shown += list(zip(*(batch[name].tolist() for name in ("object_index", "view_index_1", "view_index_2"))))
    if len(shown) == 4:
        state = loader.state_dict()
found = [None] * distributed.get_world_size()
distributed.all_gather_object(found, (len(loader), shown, state))
if distributed.get_rank() == 0:
    print(json.dumps(found))
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_real_ranks_under_torchrun_see_disjoint_data_and_equal_counts(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", num_objects=11)
    script = tmp_path / "rank.py"
    script.write_text(RANK)
    done = subprocess.run(
        [*TORCHRUN, str(script), str(tmp_path / "set")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (count_0, shown_0, state_0), (count_1, shown_1, state_1) = json.loads(done.stdout.splitlines()[-1])
    assert count_0 == count_1 == 33 // 4
    assert len(shown_0) == len(shown_1) == 2 * count_0
    assert state_0 == state_1
    alone = Loader(tmp_path / "set", BatchConfig(split="train", sampler=Pairs(3), batch_size=4)).get_samples(
        0
    )
    samples = [[int(a), *b] for a, b in zip(alone.objects, alone.views.tolist(), strict=True)][:32]
    assert [samples[at : at + 2] for at in range(0, 32, 4)] == [
        shown_0[at : at + 2] for at in range(0, 16, 2)
    ]
    assert [samples[at : at + 2] for at in range(2, 32, 4)] == [
        shown_1[at : at + 2] for at in range(0, 16, 2)
    ]


class _Payload:
    """A value that leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("where", ["index", "points", "labels.parquet", "manifest"])
def test_nothing_in_a_data_set_of_strangers_is_executed(tmp_path: Path, where: str) -> None:
    """Make a complete malicious data set, whose manifest names the malicious files."""
    dataset = make_dataset(tmp_path / "set")
    trap = tmp_path / "executed"
    poison = np.array([[_Payload(trap)]], dtype=object)
    shard = dataset.manifest.select_shards("train")[0]
    index = dataset.path / "train" / f"{shard.name}.idx"
    manifest = dataset.path / "manifest.json"
    table = json.loads(manifest.read_text())
    if where == "index":
        with np.load(index, allow_pickle=False) as arrays:
            np.savez(tmp_path / "bad.npz", **{**dict(arrays), "latents": poison})
        index.write_bytes((tmp_path / "bad.npz").read_bytes())
        table["shards"][0]["idx_sha256"] = hashlib.sha256(index.read_bytes()).hexdigest()
    elif where == "points":
        np.save(tmp_path / "bad.npy", poison)
        monkey = (tmp_path / "bad.npy").read_bytes()
        table["points"] = 1
        with np.load(index, allow_pickle=False) as arrays:
            changed = dict(arrays)
        tar = index.with_suffix(".tar")
        data = tar.read_bytes() + monkey
        tar.write_bytes(data)
        count = changed["keys"].shape[0]
        changed |= {
            "tar_size": np.array(len(data)),
            "points_offset": np.full(count, len(data) - len(monkey)),
            "points_size": np.full(count, len(monkey)),
            "points_crc32": np.full(count, zlib.crc32(monkey), dtype=np.uint32),
        }
        from turntable.datasets.shards import ShardIndex

        index.write_bytes(ShardIndex(**changed).to_bytes())
        table["shards"][0] |= {
            "bytes": len(data),
            "idx_sha256": hashlib.sha256(index.read_bytes()).hexdigest(),
        }
    elif where == "labels.parquet":
        (dataset.path / "labels.parquet").write_bytes(pickle.dumps(_Payload(trap)))
    else:
        table["categories"] = pickle.dumps(_Payload(trap)).decode("latin-1")
    manifest.write_text(json.dumps(table))
    fields = ["object_points"] if where == "points" else None
    condition = "floor_hue < 1" if where == "labels.parquet" else None
    for workers in (0, 1):
        with pytest.raises(IntegrityError):
            list(
                Loader(
                    dataset.path,
                    BatchConfig(sampler=Views(), batch_size=1, fields=fields, num_workers=workers),
                    where=condition,
                )
            )
    assert not trap.exists()
