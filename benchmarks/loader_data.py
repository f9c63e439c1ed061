"""One data set in the layouts that loaders read: the same pictures, the same rotations."""

import importlib
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import ObjectRecord, Split, draw_factors, load_recipe, open_dataset
from turntable.datasets.files import encode_jpeg
from turntable.datasets.objects import plan_shards
from turntable.datasets.shards import ShardWriter
from turntable.datasets.writing import finish_dataset
from turntable.geometry import euler_to_quaternion

TURNTABLE, FOLDERS, MDS, LITDATA = "turntable", "folders", "mds", "litdata"
"""The layouts, by the name of their folder."""
DISTINCT = 40
"""Objects with pictures of their own; further ones repeat them, under other names and labels."""
DISCS = 26
CHUNK_BYTES = 64 << 20
"""Size of the other libraries' shards, their recommended default."""


def make_dataset(folder: Path, objects: int, views: int = 50, size: int = 256) -> None:
    """Write a data set of gradients with discs, JPEGs of quality 85 and about the size of rendered views."""
    recipe = load_recipe("3diebench").replace(
        name="bench",
        source="folder",
        views=views,
        image_size_px=size,
        jpeg_quality=85,
        val_fraction=0.0,
        # At least 8 shards, as readers that divide shards among workers need some.
        objects_per_shard=min(128, max(1, objects // 8)),
    )
    records = [ObjectRecord(f"c/{n:06d}", "c", "train", "folder", "0" * 64) for n in range(objects)]
    pictures = [
        [encode_jpeg(picture(label, size), 85) for label in draw_factors(recipe, record.id, range(views))]
        for record in records[:DISTINCT]
    ]
    shards, written = [], 0
    for plan in plan_shards(records, recipe.objects_per_shard, recipe.split_seed):
        with ShardWriter(folder / plan.split, plan.name, recipe.schema, recipe.label_digest) as writer:
            for record in plan.objects:
                labels = draw_factors(recipe, record.id, range(views))
                writer.add(record, labels, pictures[written % len(pictures)])
                written += 1
            shards.append(writer.commit())
    finish_dataset(folder, recipe, shards, camera={}, device={}, source={})


def picture(label: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Draw a gradient and discs, placed by the label."""
    v, u = np.mgrid[0:size, 0:size] / size
    image = np.stack([u, v, (u + v) / 2], axis=-1) * 90 + 60
    colors = np.linspace(0, 200, 3 * DISCS).reshape(DISCS, 3)
    for i, color in enumerate(colors):
        x, y = 0.5 + 0.35 * np.sin(label[0] * (i + 1)), 0.5 + 0.35 * np.cos(label[1] * (i + 2))
        image[(u - x) ** 2 + (v - y) ** 2 < (0.03 + 0.007 * (i % 12)) ** 2] = color
    return np.ascontiguousarray(image.astype(np.uint8))


def whole_objects(folder: Path) -> Iterator[tuple[list[bytes], NDArray[np.float32]]]:
    """Yield each object's files and its labels [V, L]."""
    with open_dataset(folder).open_split("train") as split:
        yield from (_whole(split, row) for row in range(split.num_objects))


def _whole(split: Split, row: int) -> tuple[list[bytes], NDArray[np.float32]]:
    views = np.arange(split.num_views)
    rows = np.full_like(views, row)
    return [split.read_jpeg(row, view) for view in views.tolist()], split.get_labels(rows, views)


def write_folders(folder: Path, place: Path) -> None:
    """Write a folder per object with a JPEG and the labels of every view, as in the field's data sets."""
    for row, (files, labels) in enumerate(whole_objects(folder)):
        (place / f"{row:06d}").mkdir(parents=True)
        for view, (data, label) in enumerate(zip(files, labels, strict=True)):
            (place / f"{row:06d}" / f"image_{view}.jpg").write_bytes(data)
            np.save(place / f"{row:06d}" / f"latent_{view}.npy", label)


def record_of(files: list[bytes], labels: NDArray[np.float32]) -> dict[str, Any]:
    """Return an object as the other libraries store it: all its JPEGs in one field, and their offsets.

    One field rather than fifty, and quaternions rather than angles, which they read faster. A record a view
    was tried too: two thirds as fast for litdata, 1.15 times as fast for mosaicml-streaming.
    """
    ends = np.cumsum([0, *map(len, files)]).astype(np.int64)
    quaternions = euler_to_quaternion(labels[:, :3]).astype(np.float32)
    return {"jpegs": b"".join(files), "ends": ends, "quaternions": quaternions}


def streaming() -> Any:
    """Import mosaicml-streaming without torchvision, which it imports but does not need here.

    PyPI's torchvision goes with the CUDA build of torch. Beside the CPU's it misses operators when it is
    imported, and goes on where some of their names are declared; nobody calls them here.
    """
    import torch

    while True:
        try:
            return importlib.import_module("streaming")
        except RuntimeError as error:
            missing = re.search(r"operator (torchvision::\w+) does not exist", str(error))
            if missing is None:
                raise
            torch.library.define(missing[1], "() -> ()")
            for name in [name for name in sys.modules if name.split(".")[0] in ("streaming", "torchvision")]:
                del sys.modules[name]


def write_mds(folder: Path, place: Path) -> None:
    """Write mosaicml-streaming's shards."""
    MDSWriter = streaming().MDSWriter
    columns = {"jpegs": "bytes", "ends": "ndarray:int64", "quaternions": "ndarray:float32"}
    with MDSWriter(out=str(place), columns=columns, size_limit=CHUNK_BYTES) as writer:
        for files, labels in whole_objects(folder):
            writer.write(record_of(files, labels))


def write_litdata(folder: Path, place: Path) -> None:
    """Write litdata's chunks."""
    import litdata

    with open_dataset(folder).open_split("train") as split:
        rows = list(range(split.num_objects))
    litdata.optimize(
        fn=partial(_record_at, folder),
        inputs=rows,
        output_dir=str(place),
        chunk_bytes=CHUNK_BYTES,
        num_workers=1,
        verbose=False,
    )


def _record_at(folder: Path, row: int) -> dict[str, Any]:
    with open_dataset(folder).open_split("train") as split:
        return record_of(*_whole(split, row))


LAYOUTS = {FOLDERS: write_folders, MDS: write_mds, LITDATA: write_litdata}


def layout(folder: Path, name: str, beside: Path) -> Path:
    """Return the folder of the data set in a layout; it is written at the first call."""
    if name == TURNTABLE:
        return folder
    place = beside / name
    if not place.exists():
        LAYOUTS[name](folder, place)
    return place
