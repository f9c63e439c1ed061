"""Decoding JPEGs on the device by a kept library, beside all cores, and whether its pictures are the same."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from loader_rates import DecodeLimit
from step_data import dataset
from steps import Row, Rows, Setting, need_cuda

from turntable.datasets import open_dataset
from turntable.datasets.files import decode_jpeg

BATCH = 512


def run(setting: Setting) -> Rows:
    """Measure both, where the device has a decoder."""
    folder, seconds = dataset(setting), 3.0 if setting.on_gpu else 0.5
    with DecodeLimit(folder, setting.workers, seconds) as limit:
        cores = limit()
    yield Row(f"{setting.workers} processes", cores, "images/s")
    if not setting.on_gpu:
        yield Row("the device", "there is no GPU")
        return
    need_cuda(setting)
    if find_spec("torchvision") is None:
        yield Row("the device", "torchvision is not installed")
        return
    files = _files(folder)
    decode = _on_device(files)
    yield Row("the device, from memory to memory", _rate(decode, seconds), "images/s")
    pictures = decode()
    differences = [
        float(np.abs(picture.permute(1, 2, 0).cpu().numpy().astype(int) - decode_jpeg(data)).max())
        for picture, data in zip(pictures[:64], files, strict=False)
    ]
    yield Row("largest difference to the exact pictures", max(differences), "of 255")


def _files(folder: Any) -> list[bytes]:
    with open_dataset(folder).open_split("train") as split:
        return [split.read_jpeg(n % split.num_objects, n % split.num_views) for n in range(BATCH)]


def _on_device(files: list[bytes]) -> Callable[[], list[Any]]:
    import torch
    from torchvision.io import decode_jpeg as decode

    data = [torch.frombuffer(bytearray(file), dtype=torch.uint8) for file in files]

    def step() -> list[Any]:
        pictures = decode(data, device="cuda")
        torch.cuda.synchronize()
        return pictures

    return step


def _rate(decode: Callable[[], list[Any]], seconds: float) -> float:
    decode()  # makes the decoder
    images, began = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        images += len(decode())
    return images / elapsed
