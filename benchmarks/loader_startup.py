"""Time to the first batch, and to open a large data set."""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from loader_data import make_dataset

from turntable.datasets import open_dataset
from turntable.datasets.manifest import write_manifest
from turntable.datasets.shards import ShardIndex, ShardRecord
from turntable.datasets.shards.index import encode_texts
from turntable.datasets.writing import compute_totals

SHARD_OBJECTS = 128
MEMBER = 8192 + 512
"""Bytes of a JPEG and its header in an archive that is not there."""

_FIRST_BATCH = """
import sys, time
start = time.perf_counter()
import torch
imported = time.perf_counter() - start
from turntable.loaders import BatchConfig, Loader, Pairs
place, batch, workers, engine = sys.argv[1:]
config = BatchConfig(sampler=Pairs(), batch_size=int(batch), fields=("relative_quaternion",),
                     num_workers=int(workers))
loader = Loader(place, config, engine=engine)
next(iter(loader))
print(imported, time.time())
sys.stdout.flush()
loader.close()
"""
# Not by getrusage: its maximum is the parent's where that was larger.
_OPEN = """
import json, re, sys, time
from turntable.loaders import BatchConfig, Loader, Pairs
start = time.perf_counter()
loader = Loader(sys.argv[1], BatchConfig(sampler=Pairs(), last_batch="short", output="numpy"))
opened = time.perf_counter() - start
samples = loader.get_samples(0)
ordered = time.perf_counter() - start - opened
assert "torch" not in sys.modules
print(json.dumps({"objects": loader.num_objects, "samples": len(samples), "opened_s": opened,
    "order_s": ordered, "at": time.time(),
    "peak_rss_mib": int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024}))
"""


def first_batch_rows(arguments: argparse.Namespace, folder: Path, _beside: Path) -> list[dict[str, Any]]:
    """Yield the times of new processes, the engines in turns."""
    workers = max(arguments.workers)
    engines = ("ring", "dataloader")
    found = {engine: list[tuple[float, float]]() for engine in engines}
    for turn in range(arguments.rounds):
        for engine in engines[:: 1 if turn % 2 == 0 else -1]:
            words = [str(folder), str(arguments.batch), str(workers), engine]
            start, answer = _python(_FIRST_BATCH, *words)
            imported, at = map(float, answer.split())
            found[engine].append((at - start, at - start - imported))
    return [
        {
            "engine": engine,
            "workers": workers,
            "objects": arguments.objects,
            "first_batch_s": round(median(whole for whole, _ in times), 2),
            "without_import_torch_s": round(median(rest for _, rest in times), 2),
            "most_s": round(max(whole for whole, _ in times), 2),
        }
        for engine, times in found.items()
    ]


def startup_rows(arguments: argparse.Namespace, folder: Path, _beside: Path) -> list[dict[str, Any]]:
    """Yield the times of new processes that open a data set of a number of objects and order an epoch."""
    if arguments.folder is None:
        make_sparse(folder, arguments.objects, arguments.views, arguments.size)
    rows: list[dict[str, Any]] = []
    for _ in range(arguments.rounds):
        start, answer = _python(_OPEN, str(folder))
        row = json.loads(answer)
        rows.append(row | {"whole_s": row.pop("at") - start})
    common = {"shards": len(open_dataset(folder).manifest.shards), "objects": rows[0]["objects"]}
    names = ("opened_s", "order_s", "whole_s", "peak_rss_mib")
    return [common | {name: round(median(row[name] for row in rows), 3) for name in names}]


def _python(code: str, *words: str) -> tuple[float, str]:
    """Run a new interpreter; return its starting time and its output."""
    start = time.time()
    run = subprocess.run([sys.executable, "-c", code, *words], check=True, stdout=subprocess.PIPE, text=True)
    return start, run.stdout


def make_sparse(folder: Path, objects: int, views: int, size: int) -> None:
    """Write a data set with real indexes and manifest, and sparse archives of the right length."""
    make_dataset(folder, 2, views, size)
    small = open_dataset(folder).manifest
    for path in (folder / "train").iterdir():
        path.unlink()
    shards = [
        _sparse_shard(folder, number, range(first, min(first + SHARD_OBJECTS, objects)), views)
        for number, first in enumerate(range(0, objects, SHARD_OBJECTS))
    ]
    write_manifest(folder, replace(small, shards=tuple(shards), totals=compute_totals(shards)))


def _sparse_shard(folder: Path, number: int, objects: range, views: int) -> ShardRecord:
    count, name = len(objects), f"shard-{number:06d}"
    offset = 512 + MEMBER * np.arange(count * views, dtype="<i8").reshape(count, views)
    bytes_ = MEMBER * count * views
    with (folder / "train" / f"{name}.tar").open("wb") as file:
        file.truncate(bytes_)
    index = ShardIndex(
        keys=encode_texts([f"c-{n:06d}" for n in objects]),
        ids=encode_texts([f"c/{n:06d}" for n in objects]),
        categories=encode_texts(["c"] * count),
        object_start=offset[:, 0] - 512,
        object_length=np.full(count, MEMBER * views, dtype="<i8"),
        offset=offset,
        size=np.full((count, views), 7000, dtype="<i8"),
        crc32=np.zeros((count, views), dtype="<u4"),
        latents=np.random.default_rng(number).random((count, views, 7), dtype=np.float32),
        tar_size=np.array(bytes_, dtype="<i8"),
        tar_sha256=np.array(b"0" * 64),
    ).to_bytes()
    (folder / "train" / f"{name}.idx").write_bytes(index)
    digest = hashlib.sha256(index).hexdigest()
    return ShardRecord(name, "train", bytes_, "0" * 64, count, views, digest)
