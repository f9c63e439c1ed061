"""Images a second of a loader with each augmentation, beside the same loader without one."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from loader_rates import apart, steady_rate

from turntable.loaders import (
    AUGMENTATIONS,
    Augmentation,
    BatchConfig,
    Flow2d,
    FlowMotion,
    GridCrops,
    Loader,
    RandomCrops,
    Singles,
)
from turntable.loaders.augment import augment_batch

VISITS = 32
"""Number of visits of an object in an epoch, so that epochs of a small data set are long enough."""
FRAMES = 20


@dataclass(frozen=True, slots=True)
class Setup:
    """A loader's settings, and the name they are reported by."""

    what: str
    settings: dict[str, Any]
    applied: bool = False
    """True if parameters are applied to the images, on the CPU."""


PLAIN = "views alone"
SETUPS = (
    Setup(PLAIN, {}),
    Setup("affine maps, drawn", {"augmentation": AUGMENTATIONS["affine"]}),
    Setup("affine maps, drawn and applied", {"augmentation": AUGMENTATIONS["affine"]}, True),
    Setup("circular shifts, drawn and applied", {"augmentation": Augmentation(circular_shift_px=15)}, True),
    Setup("2 random crops of 96 px of each view", {"crops": [RandomCrops(2, 96)]}),
    Setup("5 grid crops of 96 px of each view", {"crops": [GridCrops(5)]}),
)
MOTION = f"{FRAMES} frames of 64 px on a torus, counted as images"


def augmentation_rows(arguments: argparse.Namespace, folder: Path, _beside: Path) -> list[dict[str, Any]]:
    """Return the rate of each, with its ratio to that of views alone, in turns."""
    workers = max(arguments.workers)
    found: dict[str, list[float]] = {}
    for _ in range(arguments.rounds):
        for what in (*(setup.what for setup in SETUPS), MOTION):
            rate = apart(_measure, folder, what, 2 * arguments.batch, workers, arguments.seconds)
            found.setdefault(what, []).append(rate)
    plain = found[PLAIN]
    return [
        {
            "what": what,
            "workers": workers,
            "images_per_s": round(median(rates)),
            "ratio": round(median(rate / base for rate, base in zip(rates, plain, strict=True)), 3),
        }
        for what, rates in found.items()
    ]


def _measure(folder: Path, what: str, batch: int, workers: int, seconds: float) -> float:
    setup = next((setup for setup in SETUPS if setup.what == what), None)
    if setup is None:
        return steady_rate(_count_frames(folder, batch, workers), seconds)
    return steady_rate(_count_views(folder, setup, batch, workers), seconds)


def _count_views(folder: Path, setup: Setup, batch: int, workers: int) -> Iterator[int]:
    config = BatchConfig(
        sampler=Singles(VISITS), batch_size=batch, fields=(), num_workers=workers, **setup.settings
    )
    with closing(Loader(folder, config)) as loader:
        for items in _repeat(loader.__iter__):
            yield len((augment_batch(items) if setup.applied else items)["view"])


def _count_frames(folder: Path, batch: int, workers: int) -> Iterator[int]:
    """Yield numbers of frames; the synthetic set has no masks, so whole pictures move."""
    config = BatchConfig(sampler=Singles(VISITS), batch_size=batch, num_workers=workers, image_size=64)
    with closing(Flow2d(folder, config, FlowMotion(FRAMES, cut_out=False))) as loader:
        for items in _repeat(loader.__iter__):
            yield items["frames"].shape[0] * items["frames"].shape[1]


def _repeat(start: Callable[[], Iterator[Any]]) -> Iterator[Any]:
    return chain.from_iterable(iter(start, None))
