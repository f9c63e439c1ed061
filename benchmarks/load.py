"""How near loading comes to the decode limit, measured side by side in one run.

    python benchmarks/load.py                     # makes a synthetic data set of its own
    python benchmarks/load.py my-set --batch 256  # measures yours

An image counts once for each decoded view; a pair is two images. Rates vary with what else the machine does:
compare the ratios.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from turntable.datasets.assemble import finish_dataset
from turntable.datasets.dataset import open_dataset
from turntable.datasets.draws import draw_factors
from turntable.datasets.objects import ObjectRecord, plan_shards
from turntable.datasets.pixels import decode_jpeg, encode_jpeg
from turntable.datasets.recipe import load_recipe
from turntable.datasets.shard_writer import ShardWriter
from turntable.loaders import Loader, Pairs


def make_dataset(folder: Path, objects: int, views: int, size: int) -> None:
    """Noise-free gradients with discs: JPEGs of about the size of rendered views, without a renderer."""
    recipe = load_recipe("3diebench").replace(
        name="bench", source="folder", views=views, image_size_px=size, jpeg_quality=85, val_fraction=0.0
    )
    records = [ObjectRecord(f"c/{n:06d}", "c", "train", "folder", "0" * 64) for n in range(objects)]
    shards = []
    for plan in plan_shards(records, recipe.objects_per_shard, recipe.split_seed):
        with ShardWriter(folder / plan.split, plan.name, recipe.schema, recipe.label_digest) as writer:
            for record in plan.objects:
                labels = draw_factors(recipe, record.id, range(views))
                writer.add(record, labels, [encode_jpeg(picture(label, size), 85) for label in labels])
            shards.append(writer.commit())
    finish_dataset(folder, recipe, shards, camera={}, device={}, source={})


def picture(label: np.ndarray, size: int) -> np.ndarray:
    """A gradient and twelve discs, placed by the label."""
    v, u = np.mgrid[0:size, 0:size] / size
    image = np.stack([u, v, (u + v) / 2], axis=-1) * 90 + 60
    for i, colour in zip(range(12), np.linspace(0, 200, 36).reshape(12, 3), strict=True):
        x, y = 0.5 + 0.3 * np.sin(label[0] * (i + 1)), 0.5 + 0.3 * np.cos(label[1] * (i + 2))
        image[(u - x) ** 2 + (v - y) ** 2 < (0.03 + 0.01 * i) ** 2] = colour
    return np.ascontiguousarray(image.astype(np.uint8))


def rate(step: Callable[[], int], seconds: float) -> float:
    """Images a second over at least so long, after one step that does not count."""
    step()
    images, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        images += step()
    return images / elapsed


def decode_step(folder: Path) -> Callable[[], int]:
    """Decoding alone: files in memory, one reused buffer."""
    dataset = open_dataset(folder)
    size = dataset.manifest.image_size_px
    with dataset.split("train") as split:
        files = [split.read_jpeg(n % split.num_objects, n % split.num_views) for n in range(500)]
    out = np.empty((size, size, 3), dtype=np.uint8)

    def step() -> int:
        for data in files:
            decode_jpeg(data, out)
        return len(files)

    return step


def decode_rate(folder: Path, seconds: float) -> float:
    """Images a second that one process decodes."""
    return rate(decode_step(folder), seconds)


def decode_limit(folder: Path, processes: int, seconds: float) -> float:
    """Images a second that several processes decode at once."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return sum(pool.starmap(decode_rate, [(folder, seconds)] * processes))


def endless(folder: Path, batch: int, workers: int) -> Iterator[int]:
    """Batches of epoch after epoch; each step gives the number of its images."""
    loader = Loader(folder, "train", Pairs(4), batch, num_workers=workers)
    for epoch in cycle(range(1_000_000)):
        for item in loader.batches(epoch):
            yield 2 * len(item["category"])


def loader_rate(folder: Path, batch: int, workers: int, seconds: float) -> float:
    """Images a second that ``Loader`` gives."""
    batches = endless(folder, batch, workers)
    sum(islice(batches, 4 * max(workers, 1)))  # workers start and prefetch
    return rate(lambda: next(batches), seconds)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="of a data set; without it one is made")
    parser.add_argument("--batch", type=int, default=32, help="pairs in a batch")
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--objects", type=int, default=100, help="of the synthetic data set")
    parser.add_argument("--size", type=int, default=256, help="of the synthetic images, in pixels")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if arguments.folder is None:
            make_dataset(folder, arguments.objects, 20, arguments.size)
        measure(folder, arguments)


def measure(folder: Path, arguments: argparse.Namespace) -> None:
    """Print one line a measurement; each loader's limit is measured right before it."""
    manifest = open_dataset(folder).manifest
    mean = manifest.totals.bytes / manifest.totals.images
    print(f"python {' '.join(sys.argv)}")
    print(f"{manifest.totals.images:,} images, {manifest.image_size_px} px, {mean:,.0f} bytes each in shards")
    print(f"{os.cpu_count()} cores, batches of {arguments.batch} pairs\n")
    print(f"{'workers':>8} {'decode limit':>14} {'Loader':>12} {'ratio':>7}   (images/s)")
    for workers in arguments.workers:
        limit = decode_limit(folder, max(workers, 1), arguments.seconds)
        loaded = loader_rate(folder, arguments.batch, workers, arguments.seconds)
        print(f"{workers:>8} {limit:>14,.0f} {loaded:>12,.0f} {loaded / limit:>7.2f}")


if __name__ == "__main__":
    main()
