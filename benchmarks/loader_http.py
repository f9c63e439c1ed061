"""Loading from a data service on this machine, once it is all in the cache, beside the folder itself."""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from compared_loaders import images_of, turntable_place
from loader_rates import apart, steady_rate

WAIT_S = 30.0


def http_rows(arguments: argparse.Namespace, folder: Path, beside: Path) -> list[dict[str, Any]]:
    """Yield the rates of both in turns; the first pass over HTTP fills the cache and has its own row."""
    rows: list[dict[str, Any]] = []
    with served(folder, beside / "serve.log") as url:
        for workers in arguments.workers:
            cache = beside / f"cache-{workers}"
            cold = apart(_filled_s, url, cache, arguments.batch, workers)
            pairs: list[tuple[float, float]] = []
            for turn in range(arguments.rounds):
                places = [str(folder), url][:: 1 if turn % 2 == 0 else -1]
                found = {
                    place: apart(_rate, place, cache, arguments.batch, workers, arguments.seconds)
                    for place in places
                }
                pairs.append((found[str(folder)], found[url]))
            rows.append(
                {
                    "workers": workers,
                    "local_images_per_s": round(median(local for local, _ in pairs)),
                    "http_images_per_s": round(median(remote for _, remote in pairs)),
                    "ratio": round(median(remote / local for local, remote in pairs), 3),
                    "first_epoch_s": round(cold, 2),
                }
            )
    return rows


@contextmanager
def served(folder: Path, log: Path, checkout: Path | None = None) -> Iterator[str]:
    """Serve a data set from another process and yield its URL; the output of that process goes to a file.

    Args:
        folder: The data set.
        log: The file.
        checkout: Another checkout whose code is to serve; else this one's.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = "import sys; from turntable.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", command, "serve", str(folder), "--port", str(port)]
    there = {} if checkout is None else {"PYTHONPATH": str(checkout)}
    with (
        log.open("wb") as said,
        subprocess.Popen(
            words, stdout=said, stderr=said, cwd=checkout, env={**os.environ, **there}
        ) as server,
    ):
        try:
            yield f"http://127.0.0.1:{port}/datasets/{_served_name(port, server, log)}"
        finally:
            server.terminate()


def _served_name(port: int, server: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/datasets", timeout=5) as answer:
                return json.load(answer)[0]["name"]
        except urllib.error.URLError:
            time.sleep(0.1)
    raise RuntimeError(f"the data service on port {port} does not answer: {log.read_text()[-2000:]}")


def _rate(place: str, cache: Path, batch: int, workers: int, seconds: float) -> float:
    batches = turntable_place(place, batch, workers, "ring", cache=cache)
    try:
        return steady_rate(map(images_of, batches), seconds)
    finally:
        batches.close()


def _filled_s(url: str, cache: Path, batch: int, workers: int) -> float:
    """Measure the time of one visit of all objects with an empty cache, in seconds."""
    from turntable.loaders import BatchConfig, Loader, Pairs

    start = time.perf_counter()
    loader = Loader(
        url, BatchConfig(split="train", sampler=Pairs(), batch_size=batch, num_workers=workers), cache=cache
    )
    for _ in loader.iter_batches(0):
        pass
    return time.perf_counter() - start
