"""A data set of noisy pictures with masks, written without a renderer."""

from pathlib import Path
from typing import Any

import numpy as np

from turntable.datasets import Dataset, draw_factors, load_recipe, open_dataset
from turntable.datasets.files import encode_jpeg
from turntable.datasets.labels import encode_output
from turntable.datasets.objects import plan_shards
from turntable.datasets.shards import ShardWriter
from turntable.datasets.writing import finish_dataset
from turntable.testing.datasets import make_synthetic_objects


def make_masked_dataset(path: Path, num_objects: int = 9, size: int = 16, **changes: Any) -> Dataset:
    """Write sequences of 4 views, each with the output mask: a box of its own in every view.

    With ``outputs=[]`` there are neither pictures nor masks.
    """
    settings = {
        "views": 8,
        "image_size_px": size,
        "outputs": ["rgb", "mask"],
        "objects_per_shard": 3,
        **changes,
    }
    recipe = load_recipe("sequences").replace(
        source="folder",
        val_fraction=0.0,
        sequence={"length": 4, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.3}},
        **settings,
    )
    rng, records = np.random.default_rng(0), make_synthetic_objects(recipe, num_objects, 3)
    shards = []
    for plan in plan_shards(records, recipe.objects_per_shard, recipe.split_seed):
        with ShardWriter(path / plan.split, plan.name, recipe.schema, recipe.label_digest) as writer:
            for record in plan.objects:
                pictures = rng.integers(0, 256, (recipe.views, size, size, 3)).astype(np.uint8)
                masks = np.zeros((recipe.views, size, size), np.uint8)
                for mask, (top, left) in zip(
                    masks, rng.integers(0, size // 2, (recipe.views, 2)), strict=True
                ):
                    mask[top : top + size // 3, left : left + size // 2] = 255
                writer.add(
                    record,
                    draw_factors(recipe, record.id, range(recipe.views)),
                    [encode_jpeg(picture, 95) for picture in pictures if recipe.outputs],
                    {"mask": [encode_output("mask", mask) for mask in masks]} if recipe.outputs else {},
                )
            shards.append(writer.commit())
    finish_dataset(path, recipe, shards, camera={}, device={}, source={})
    return open_dataset(path)
