"""Rates beside the decode limit, and memory of processes."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context, set_start_method
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
import simplejpeg

from turntable.datasets import open_dataset

T = TypeVar("T")
FILES = 500
"""Number of files that the decode limit decodes in turn."""


def apart(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a new process, so that loaders do not affect one another.

    Workers that it starts are forked, as torch's are on Linux unless one asks for something else.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), _fork_from_here) as pool:
        return pool.submit(function, *arguments).result()


def _fork_from_here() -> None:
    set_start_method("fork", force=True)


def rate(step: Callable[[], int], seconds: float) -> float:
    """Measure images per second over a minimum time, after one step that does not count."""
    step()
    images, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        images += step()
    return images / elapsed


def steady_rate(batches: Iterator[int], seconds: float) -> float:
    """Measure images per second of batches, each given as its number of images, once all workers are busy.

    What was made ahead before the clock starts counts, so a measurement of less than some seconds flatters.
    """
    warm = time.perf_counter() + min(1.0, seconds)
    while time.perf_counter() < warm:
        next(batches)
    return rate(lambda: next(batches), seconds)


def decode_rate(folder: Path, seconds: float) -> float:
    """Measure images per second that this process decodes from memory into one buffer."""
    dataset = open_dataset(folder)
    size = dataset.manifest.image_size_px
    with dataset.open_split("train") as split:
        files = [split.read_jpeg(n % split.num_objects, n % split.num_views) for n in range(FILES)]
    out = np.empty((size, size, 3), dtype=np.uint8)

    def step() -> int:
        for data in files[:100]:
            simplejpeg.decode_jpeg(data, buffer=out)
        files[:] = files[100:] + files[:100]
        return 100

    return rate(step, seconds)


class DecodeLimit:
    """Images a second that some processes decode at once, and do nothing else.

    Use it as a context manager; its processes stay from one measurement to the next.
    """

    def __init__(self, folder: Path, processes: int, seconds: float) -> None:
        self._folder, self._processes, self._seconds = folder, processes, seconds
        self._pool = ProcessPoolExecutor(processes, get_context("spawn"))

    def __enter__(self) -> Self:
        self()  # starts the processes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def __call__(self) -> float:
        """Measure it now."""
        count = self._processes
        return sum(self._pool.map(decode_rate, [self._folder] * count, [self._seconds] * count))


def processes_of(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name, in brackets, may itself hold blanks and brackets.
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(status.parent.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def memory_mib(root: int) -> float:
    """Return the memory of a process and its descendants (proportional set size: shared pages count once)."""
    total = 0
    for process in processes_of(root):
        with suppress(OSError):
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024
