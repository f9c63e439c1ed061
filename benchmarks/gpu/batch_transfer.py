"""Batches from shards to the device, through pinned slots and through others, beside the decode limit."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from loader_rates import DecodeLimit, apart
from step_data import dataset
from steps import Row, Rows, Setting, need_cuda

from turntable.datasets import open_dataset
from turntable.loaders import BatchConfig, Loader, Pairs


def run(setting: Setting) -> Rows:
    """Measure in turns: the limit, pinned, the limit, not pinned."""
    need_cuda(setting)
    folder, seconds = dataset(setting), 4.0 if setting.on_gpu else 0.8
    batch = 512 if setting.on_gpu else 16
    with DecodeLimit(folder, setting.workers, seconds / 2) as limit:
        before = limit()
        yield Row(f"decode limit, {setting.workers} processes", before, "images/s")
        for pinned in (True, False):
            rate = apart(_rate, folder, batch, setting.workers, setting.device, pinned, seconds)
            after = limit()
            name = "pinned" if pinned else "not pinned"
            yield Row(f"to the device, {name}", rate, "images/s")
            yield Row(f"to the device, {name}, to the limit", 2 * rate / (before + after))
            before = after
    if setting.on_gpu:
        yield Row("copies of pinned memory", _copied(), "GB/s")


def _rate(folder: Path, batch: int, workers: int, device: str, pinned: bool, seconds: float) -> float:
    """Measure images per second that arrive on the device."""
    objects = open_dataset(folder).open_split("train").num_objects
    pairs = Pairs(-(-4 * batch // objects))
    loader = Loader(
        folder,
        BatchConfig(split="train", sampler=pairs, batch_size=batch, num_workers=workers, pin_memory=pinned),
    )
    batches = _endless(loader)
    for _ in range(3):
        _arrived(next(batches), device)
    images, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        images += _arrived(next(batches), device)
    loader.close()
    return images / elapsed


def _arrived(fields: dict[str, Any], device: str) -> int:
    """Copy a batch's pictures, and wait until they are there."""
    there = [fields[name].to(device, non_blocking=True) for name in ("view_1", "view_2")]
    if device == "cuda":
        torch.cuda.synchronize()
    return sum(len(view) for view in there)


def _endless(loader: Loader) -> Iterator[dict[str, Any]]:
    while True:
        yield from loader


def _copied() -> float:
    source = torch.empty(1 << 30, dtype=torch.uint8, pin_memory=True)
    target = torch.empty_like(source, device="cuda")
    target.copy_(source)
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(8):
        target.copy_(source, non_blocking=True)
    torch.cuda.synchronize()
    return 8 * source.numel() / (time.perf_counter() - began) / 1e9
