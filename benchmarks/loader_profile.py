"""Time of a loader's worker by step: the steps of filling a batch, each by itself, beside the whole.

A worker does nothing but fill, so what the steps take is what bounds it. Decoding is timed twice: into one
image's buffer, which stays in the processor's cache (the decode limit), and into slots, as a worker must.
Times are the processor's own, so that others on the machine disturb them little; only messages, in which
several processes wait for each other, are timed by the clock.
"""

import argparse
import os
import pickle
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from turntable.datasets import Dataset, Split, open_dataset
from turntable.datasets.files import decode_jpeg
from turntable.datasets.shards import make_index_name, make_shard_name
from turntable.datasets.shards.index import open_index
from turntable.loaders import Pairs, Samples, select_all_views
from turntable.loaders.engines import BatchRequest, BatchSpec
from turntable.loaders.engines.batch_engines import NUM_AHEAD
from turntable.loaders.engines.tensors import as_tensors
from turntable.loaders.engines.view_filler import BatchPart, ViewFiller
from turntable.loaders.fields import IMAGES, DataDescription, SampledViews, name_arrays, resolve_fields
from turntable.processes import SharedSlots, WorkerPool
from turntable.processes.slot_filler import FillTask, PartResult
from turntable.processes.worker_main import TaskResult
from turntable.processes.worker_pool import NUM_SPARE_SLOTS

LABELS = ("relative_quaternion",)
BATCHES = 8
"""Different ones, that each step goes through in a round."""

Step = Callable[[], object]


class Nothing:
    """A filler that leaves its part as it is: what remains is messages."""

    def fill(self, arrays: Any, part: Any) -> tuple[()]:
        """Do nothing."""
        del arrays, part
        return ()


def open_nothing() -> Nothing:
    """Return what a pool's workers call."""
    return Nothing()


def profile_rows(arguments: argparse.Namespace, folder: Path, _beside: Path) -> list[dict[str, Any]]:
    """Yield microseconds per image of each step, medians of alternating rounds, and of the whole ``fill``."""
    worker = Worker(folder, arguments.batch)
    taken: dict[str, list[float]] = {name: [] for name in worker.steps}
    for turn in range(arguments.rounds):
        for name in list(taken)[:: 1 if turn % 2 == 0 else -1]:
            taken[name].append(1e6 * seconds_of(worker.steps[name]) / worker.images)
    per_image = {name: median(times) for name, times in taken.items()}
    whole = per_image["fill"]
    rows = [
        {"step": name, "us_per_image": round(one, 2), "of_fill": round(one / whole, 3), "what": WHAT[name]}
        for name, one in per_image.items()
    ]
    trip = messages_us(worker, max(arguments.workers)) / (2 * arguments.batch)
    row = {"step": "messages", "us_per_image": round(trip, 2), "of_fill": round(trip / whole, 3)}
    return [*rows, row | {"what": "a crew whose workers do nothing: a batch's whole way through pipes"}]


WHAT = {
    "decode, one buffer": "the decode limit",
    "decode, slots": f"the same files into {NUM_AHEAD + NUM_SPARE_SLOTS} slots, one after the other",
    "pread": "the system call alone",
    "crc32": "of files in memory",
    "read_jpegs": "find, pread, crc32",
    "labels": "read and computed, and classes",
    "fill": "all that a worker does for a batch",
    "pickle": "a task and its answer, both ways",
    "deliver": "names and tensors: the consumer's part",
}


def seconds_of(step: Step) -> float:
    """Measure processor seconds of one call, after a first call that maps memory and caches files."""
    step()
    start = time.process_time()
    step()
    return time.process_time() - start


class Worker:
    """The data of a worker, and its steps over some batches."""

    def __init__(self, folder: Path, batch: int) -> None:
        dataset = open_dataset(folder)
        source = DataDescription.from_manifest(dataset.manifest)
        fields = resolve_fields(LABELS, source, 2)
        self._filling = filling = BatchSpec(dataset, "train", 2, source.image_size_px, fields)
        self._wanted = wanted_batches(dataset, batch)
        self.parts = [item.select_rows(slice(0, batch)) for item in self._wanted]
        self.images = 2 * batch * len(self.parts)
        self.layout = filling.make_layout(batch)
        self._slots = SharedSlots(self.layout, NUM_AHEAD + NUM_SPARE_SLOTS)
        self._arrays = [self._slots.get_arrays(slot)[1] for slot in range(self._slots.num_slots)]
        self._filler = ViewFiller(filling)
        self._flat = [(np.repeat(part.objects, 2), part.views.ravel()) for part in self.parts]
        self._files = [checked(self._filler.split, *places) for places in self._flat]
        self._spans = spans_of(dataset, self._flat)
        size = filling.image_size
        self._buffer = np.empty((size, size, 3), dtype=np.uint8)
        self.steps: dict[str, Step] = {
            "decode, one buffer": self._decode_in_one,
            "decode, slots": self._decode_in_slots,
            "pread": self._pread,
            "crc32": lambda: [zlib.crc32(data) for files in self._files for data in files],
            "read_jpegs": lambda: [self._filler.split.read_jpegs(*places) for places in self._flat],
            "labels": self._label,
            "fill": self._fill,
            "pickle": self._pickle,
            "deliver": self._deliver,
        }

    def _decode_in_one(self) -> None:
        for files in self._files:
            for data in files:
                simplejpeg.decode_jpeg(data, buffer=self._buffer)

    def _decode_in_slots(self) -> None:
        for number, files in enumerate(self._files):
            images = self._arrays[number % len(self._arrays)][IMAGES]
            for at, data in enumerate(files):
                decode_jpeg(data, images[at % 2, at // 2])

    def _pread(self) -> None:
        for descriptor, size, offset in self._spans:
            os.pread(descriptor, size, offset)

    def _label(self) -> None:
        split = self._filler.split
        for part, places in zip(self.parts, self._flat, strict=True):
            count, k = part.views.shape
            labels = split.get_labels(*places).reshape(count, k, -1)
            self._filling.fields.compute(SampledViews(split.manifest.schema, labels))
            split.get_category_indices(part.objects)

    def _fill(self) -> None:
        for number, part in enumerate(self.parts):
            self._filler.fill(self._arrays[number % len(self._arrays)], part)

    def _pickle(self) -> None:
        for number, part in enumerate(self.parts):
            for message in (FillTask(number, number, part), TaskResult(PartResult(number, ()))):
                pickle.loads(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))

    def _deliver(self) -> None:
        lead = self._filling.leading_axes
        for number, part in enumerate(self.parts):
            slot = self._slots.get_arrays(number % len(self._arrays))[1]
            as_tensors(name_arrays(slot, lead, "pair", len(part.objects)))


def wanted_batches(dataset: Dataset, batch: int) -> list[BatchRequest]:
    """Return the requests for the first batches of an epoch, as a loader makes them."""
    counts = [shard.objects for shard in dataset.manifest.select_shards("train")]
    visits = -(-BATCHES * batch // sum(counts))
    samples: Samples = Pairs(visits).draw_samples(
        select_all_views(counts, dataset.manifest.views, 0), None, 0, 0
    )
    places = np.arange(BATCHES * batch).reshape(BATCHES, batch)
    return [BatchRequest.from_positions(samples, 0, positions) for positions in places]


def checked(split: Split, rows: NDArray[np.int64], views: NDArray[np.int64]) -> list[bytes]:
    """Check that all files are as they were written."""
    files = split.read_jpegs(rows, views)
    return [data for data in files if isinstance(data, bytes)]


def spans_of(
    dataset: Dataset, places: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> list[tuple[int, int, int]]:
    """Return descriptor, size and offset of each view, so that only the reading is measured.

    The descriptors stay open as long as this process.
    """
    shards = dataset.manifest.select_shards("train")
    names = [dataset.path / make_shard_name(shard) for shard in shards]
    files = [os.open(name, os.O_RDONLY) for name in names]
    indices = [open_index(dataset.path / make_index_name(make_shard_name(shard))) for shard in shards]
    firsts = np.cumsum([0, *(shard.objects for shard in shards)])
    spans: list[tuple[int, int, int]] = []
    for rows, views in places:
        for row, view in zip(rows.tolist(), views.tolist(), strict=True):
            shard = int(np.searchsorted(firsts, row, side="right")) - 1
            local = row - int(firsts[shard])
            index = indices[shard]
            spans.append((files[shard], int(index.size[local, view]), int(index.offset[local, view])))
    return spans


def messages_us(worker: Worker, workers: int, batches: int = 300) -> float:
    """Measure microseconds per batch when the workers do nothing."""
    crew = WorkerPool(
        "loader_profile:open_nothing", {}, worker.layout, num_workers=workers, num_ahead=NUM_AHEAD
    )
    parts: list[BatchPart] = worker.parts
    jobs = ([parts[number % len(parts)]] * workers for number in range(batches + 1))
    try:
        filled = crew.run(jobs)
        next(filled)  # the workers are there
        start = time.perf_counter()
        for _ in filled:
            pass
        return 1e6 * (time.perf_counter() - start) / batches
    finally:
        crew.close()
