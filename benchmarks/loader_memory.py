"""Memory of a loader and its workers from epoch to epoch, which must not grow."""

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from compared_loaders import VISITS, turntable_dataloader, turntable_ring
from loader_rates import apart, memory_mib

EVERY_S = 0.5
WARM_UP = 0.25
"""Share of the memory samples that the slope leaves out."""
ENGINES = {"ring": turntable_ring, "dataloader": turntable_dataloader}


def memory_rows(arguments: argparse.Namespace, folder: Path, _beside: Path) -> list[dict[str, Any]]:
    """Yield a row per engine, with the largest number of workers, each in a process of its own."""
    rows: list[dict[str, Any]] = []
    for engine in ENGINES:
        workers = max(arguments.workers)
        images = arguments.epochs * VISITS * 2 * arguments.objects
        rows.append(apart(watched, folder, engine, arguments.batch, workers, images))
    return rows


def watched(folder: Path, engine: str, batch: int, workers: int, images: int) -> dict[str, Any]:
    """Measure the memory of this process and its workers while a number of images is loaded."""
    batches = ENGINES[engine](folder, batch, workers)
    seen, next_look, looks = 0, 0.0, list[tuple[float, float]]()
    while seen < images:
        next(batches)
        seen += 2 * batch
        if time.perf_counter() > next_look:
            looks.append((seen, memory_mib(os.getpid())))
            next_look = time.perf_counter() + EVERY_S
    batches.close()
    at, mib = np.array(looks[int(WARM_UP * len(looks)) :]).T
    slope = np.polyfit(at, mib, 1)[0] * 1e6 if len(at) > 1 else 0.0
    return {
        "engine": engine,
        "workers": workers,
        "images": seen,
        "first_mib": round(float(mib[0]), 1),
        "last_mib": round(float(mib[-1]), 1),
        "most_mib": round(float(mib.max()), 1),
        "slope_mib_per_million_images": round(float(slope), 2),
    }
