"""Loading rates relative to the decode limit, turntable's and others', in turns in one run.

    python benchmarks/loaders.py                        # a synthetic data set of its own
    python benchmarks/loaders.py rates my-set --peers   # yours, beside every loader that is installed
    python benchmarks/loaders.py first-batch            # from the start of Python to the first batch
    python benchmarks/loaders.py memory                 # whether it stays flat
    python benchmarks/loaders.py startup                # opening 52,472 objects in 410 shards
    python benchmarks/loaders.py http                   # over HTTP, cached, beside local files
    python benchmarks/loaders.py profile                # where the time of our workers goes
    python benchmarks/loaders.py augmentations          # with each augmentation, beside views alone

An image counts once for each decoded view; a pair is two images. Rates vary with what else the machine does:
compare the ratios. Each is to the mean of the decode limits measured right before and right after it.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from compared_loaders import CONTESTANTS, Contestant, images_of
from loader_augmentations import augmentation_rows
from loader_data import layout, make_dataset
from loader_http import http_rows
from loader_memory import memory_rows
from loader_profile import profile_rows
from loader_rates import DecodeLimit, apart, steady_rate
from loader_startup import first_batch_rows, startup_rows

from turntable.datasets import open_dataset

Rows = list[dict[str, Any]]


def rates(arguments: argparse.Namespace, folder: Path, beside: Path) -> Rows:
    """Yield the rate of each loader with each number of workers."""
    chosen = [item for item in CONTESTANTS if arguments.peers or not item.peer]
    names = arguments.only or [item.name for item in chosen]
    contestants = [item for item in CONTESTANTS if item.name in names]
    rows: Rows = []
    for workers in arguments.workers:
        with DecodeLimit(folder, workers, arguments.seconds) as limit:
            rows += in_turns(contestants, limit, workers, arguments, folder, beside)
    return rows


def in_turns(
    contestants: list[Contestant],
    limit: DecodeLimit,
    workers: int,
    arguments: argparse.Namespace,
    folder: Path,
    beside: Path,
) -> Rows:
    """Run rounds of all, every other one backwards; a loader that fails is left out with the reason."""
    limits, found = list[float](), {item.name: list[tuple[float, float]]() for item in contestants}
    failed: dict[str, str] = {}
    for turn in range(arguments.rounds):
        before = limit()
        limits.append(before)
        for item in contestants[:: 1 if turn % 2 == 0 else -1]:
            if item.name in failed:
                continue
            try:
                rate = rate_of(item, layout_of(item, folder, beside), workers, arguments)
            except Exception as error:
                failed[item.name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
                continue
            after = limit()
            limits.append(after)
            found[item.name].append((rate, 2 * rate / (before + after)))
            before = after
    first = {"loader": "decode limit", "workers": workers, "images_per_s": round(median(limits))}
    return [first] + [_row(item, workers, found[item.name], failed.get(item.name)) for item in contestants]


def _row(
    item: Contestant, workers: int, found: list[tuple[float, float]], failure: str | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"loader": item.name, "workers": workers}
    if failure is not None:
        return row | {"note": f"left out: {failure}"}
    ratios = sorted(ratio for _, ratio in found)
    return row | {
        "images_per_s": round(median(rate for rate, _ in found)),
        "ratio": round(median(ratios), 3),
        "least": round(ratios[0], 3),
        "most": round(ratios[-1], 3),
        "note": item.what,
    }


def layout_of(item: Contestant, folder: Path, beside: Path) -> Path:
    """Return the data in the layout that a loader reads."""
    return apart(layout, folder, item.layout, beside)


def rate_of(item: Contestant, place: Path, workers: int, arguments: argparse.Namespace) -> float:
    """Measure images per second of a loader."""
    return apart(_rate_here, item, place, arguments.batch, workers, arguments.seconds)


def _rate_here(item: Contestant, place: Path, batch: int, workers: int, seconds: float) -> float:
    batches = item.batches(place, batch, workers)
    try:
        return steady_rate(map(images_of, batches), seconds)
    finally:
        batches.close()


@contextmanager
def data(arguments: argparse.Namespace) -> Iterator[tuple[Path, Path]]:
    """Yield the folder of the data set, and one for other layouts."""
    with tempfile.TemporaryDirectory(prefix="load-") as temporary:
        folder = arguments.folder or Path(temporary) / "turntable"
        if arguments.folder is None and arguments.subject != "startup":
            make_dataset(folder, arguments.objects, arguments.views, arguments.size)
            describe(folder, arguments)
        yield folder, Path(temporary)


def describe(folder: Path, arguments: argparse.Namespace) -> None:
    """Print what is measured."""
    with open_dataset(folder).open_split("train") as split:
        sizes = [len(split.read_jpeg(row, 0)) for row in range(min(split.num_objects, 200))]
        print(f"{split.num_objects} objects x {split.num_views} views, {arguments.size} px, ", end="")
    print(f"JPEGs of {sum(sizes) / len(sizes):,.0f} bytes, batches of {arguments.batch} pairs, ", end="")
    print(f"{os.cpu_count()} cores\n", flush=True)


def print_rows(rows: Rows) -> None:
    """Print rows as a table, with columns in the order of their first appearance."""
    columns = list(dict.fromkeys(chain.from_iterable(rows)))
    texts = [[_text(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *texts, strict=True)]
    for line in [columns, *texts]:
        cells = zip(line, widths, columns, strict=True)
        print(
            "  ".join(f"{text:<{n}}" if name in LEFT else f"{text:>{n}}" for text, n, name in cells).rstrip()
        )


LEFT = ("loader", "note", "engine", "place", "step", "what")


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


SUBJECTS = {
    "rates": rates,
    "first-batch": first_batch_rows,
    "memory": memory_rows,
    "startup": startup_rows,
    "http": http_rows,
    "profile": profile_rows,
    "augmentations": augmentation_rows,
}
OBJECTS = {"first-batch": 1000, "startup": 52_472}


def main(words: list[str] | None = None) -> Rows:
    """Measure, and print a table."""
    words = sys.argv[1:] if words is None else words
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subject", nargs="?", choices=SUBJECTS, default="rates")
    parser.add_argument("folder", nargs="?", type=Path, help="of a data set; without it one is made")
    parser.add_argument("--peers", action="store_true", help="measure others too (rates)")
    parser.add_argument("--only", nargs="*", help="loaders, by name (rates)")
    parser.add_argument("--rounds", type=int, default=5, help="of turns; medians are told")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--batch", type=int, default=32, help="pairs in a batch")
    parser.add_argument("--epochs", type=int, default=40, help="that memory is watched for, 16 visits each")
    parser.add_argument("--objects", type=int, help="of the synthetic data set (200; first-batch: 1,000)")
    parser.add_argument("--views", type=int, default=50, help="of each of its objects")
    parser.add_argument("--size", type=int, default=256, help="of its images, in pixels")
    parser.add_argument("--json", type=Path, help="a file for the rows")
    arguments = parser.parse_args(words)
    arguments.objects = arguments.objects or OBJECTS.get(arguments.subject, 200)
    print(f"python benchmarks/loaders.py {' '.join(words)}", flush=True)
    with data(arguments) as (folder, beside):
        rows = SUBJECTS[arguments.subject](arguments, folder, beside)
    print_rows(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps({"arguments": words, "rows": rows}, indent=1) + "\n")
    return rows


if __name__ == "__main__":
    main()
