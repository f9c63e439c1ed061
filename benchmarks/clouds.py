"""Rates of point clouds in the loader: posed ones a second, and partial ones to pictures alone, in turn.

    python benchmarks/clouds.py
    python benchmarks/clouds.py --workers 8 --points 1024 --seconds 5

Posed clouds come from a set without pictures. Partial clouds come with the pictures whose depth they are of.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from turntable.datasets import load_recipe
from turntable.loaders import BatchConfig, CloudOptions, Loader, Tuples
from turntable.renderer import generate, open_source

STORED_POINTS = 2048
VIEWS = 8


@dataclass(frozen=True, slots=True)
class Setting:
    """Settings of a measurement: the load, its duration and its repeats."""

    workers: int
    points: int
    batch: int
    seconds: float
    rounds: int


def make_dataset(
    folder: Path, num_objects: int, outputs: tuple[str, ...], size: int, points: int = 0
) -> Path:
    """Render objects of the zoo."""
    recipe = load_recipe("zoo").replace(
        views=VIEWS, image_size_px=size, points=points, outputs=list(outputs), val_fraction=0.0
    )
    generate(recipe, open_source("zoo", None, num_objects), folder, num_objects=num_objects)
    return folder


def measure_rate(folder: Path, fields: tuple[str, ...], setting: Setting) -> float:
    """Measure views per second of a loader, once its workers are busy."""
    config = BatchConfig(
        sampler=Tuples(2, visits=1 + 8 * setting.batch // 16),
        batch_size=setting.batch,
        fields=fields,
        num_workers=setting.workers,
        clouds=CloudOptions(num_points=setting.points),
        output="numpy",
    )
    loader = Loader(folder, config)
    counts = _iter_counts(loader)
    for _ in range(4 * max(1, setting.workers)):
        next(counts)
    views, start = 0, time.perf_counter()
    while time.perf_counter() - start < setting.seconds:
        views += next(counts)
    rate = views / (time.perf_counter() - start)
    loader.close()
    return rate


def _iter_counts(loader: Loader) -> Iterator[int]:
    while True:
        for batch in loader:
            yield batch["view_index"].size


def measure_posed(folder: Path, setting: Setting) -> float:
    """Return the median rate of posed clouds."""
    return statistics.median(measure_rate(folder, ("points",), setting) for _ in range(setting.rounds))


def measure_partial(folder: Path, setting: Setting, fields: tuple[str, ...]) -> tuple[float, float]:
    """Return the median rate of pictures with partial clouds, and its ratio to that of pictures alone."""
    pairs = [
        (measure_rate(folder, (), setting), measure_rate(folder, fields, setting))
        for _ in range(setting.rounds)
    ]
    return statistics.median(rate for _, rate in pairs), statistics.median(b / a for a, b in pairs)


def main() -> None:
    """Measure both and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--points", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=64, help="samples of two views")
    parser.add_argument("--objects", type=int, default=64)
    parser.add_argument("--size", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    setting = Setting(args.workers, args.points, args.batch, args.seconds, args.rounds)
    with tempfile.TemporaryDirectory(prefix="clouds-") as temporary:
        posed = make_dataset(Path(temporary) / "posed", args.objects, (), 32, STORED_POINTS)
        print(f"posed, {args.points} points, {args.workers} workers: {measure_posed(posed, setting):,.0f}/s")
        for size in args.size:
            outputs = ("rgb", "mask", "depth", "normals")
            views = make_dataset(Path(temporary) / f"views-{size}", args.objects, outputs, size)
            for fields in (("cloud", "cloud_count"), ("cloud", "cloud_normals"), ("cloud", "overlap")):
                rate, ratio = measure_partial(views, setting, fields)
                print(
                    f"{' and '.join(fields)}, {size} px: {rate:,.0f}/s, {ratio:.2f} of pictures alone",
                    flush=True,
                )


if __name__ == "__main__":
    main()
