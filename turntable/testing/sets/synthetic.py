"""A small data set without a renderer: real shards, real JPEGs, pictures that show class and pose.

Each view shows six colored blobs, the corners of a rigid body that its category shapes, turned by the view's
rotation and seen along an oblique line, over a floor of the view's hue.
"""

import colorsys
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset, ObjectRecord, Recipe, draw_factors, load_recipe, open_dataset
from turntable.datasets.files import encode_jpeg
from turntable.datasets.labels import LabelArray
from turntable.datasets.making import finish_dataset
from turntable.datasets.objects import plan_shards, split_objects
from turntable.datasets.shards import ShardRecord, ShardWriter
from turntable.geometry import euler_to_matrix

FloatArray = NDArray[np.float64]

_COLORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.float64)
_AXES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], dtype=np.float64)
_LOOK = euler_to_matrix([-0.9, 0.35, 0.2])


def make_synthetic_dataset(
    path: Path | str,
    objects: int = 12,
    categories: int = 3,
    views: int = 6,
    image_size: int = 32,
    seed: int = 0,
    **recipe_changes: Any,
) -> Dataset:
    """Write a data set of colored blobs and open it; nothing is rendered.

    Args:
        path: Its folder.
        objects: How many, in both splits together.
        categories: Taken in turn by the objects.
        views: Of each object.
        image_size: The side of a picture, in pixels.
        seed: Decides factors and labels.
        **recipe_changes: Further settings of the recipe, "3diebench" by default, such as ``points=24``.
    """
    changes = {"objects_per_shard": 4, "val_fraction": 0.25, **recipe_changes}
    recipe = load_recipe("3diebench").replace(
        name="synthetic",
        description="Coloured blobs",
        source="folder",
        views=views,
        image_size_px=image_size,
        seed=seed,
        **changes,
    )
    write_synthetic_dataset(Path(path), recipe, synthetic_objects(recipe, objects, categories))
    return open_dataset(path)


def make_full_dataset(path: Path | str) -> Dataset:
    """Write a data set with every label and field that turntable's own methods read, and open it.

    It has 16 objects of 3 categories with 8 views of 32 pixels each, hues, translations, true sequences of 4
    views, and point clouds.
    """
    recipe = load_recipe("zoo-benchmark").replace(
        source="folder", views=8, image_size_px=32, objects_per_shard=8, val_fraction=0.25, points=24
    )
    write_synthetic_dataset(Path(path), recipe, synthetic_objects(recipe, objects=16, categories=3))
    return open_dataset(path)


def synthetic_objects(recipe: Recipe, objects: int, categories: int) -> list[ObjectRecord]:
    """Return records of objects, divided into splits as the recipe says.

    Args:
        recipe: Its ``val_fraction`` and ``split_seed`` count.
        objects: How many.
        categories: Taken in turn by the objects.
    """
    ids = {f"class{n % categories:02d}/{n:04d}": f"class{n % categories:02d}" for n in range(objects)}
    splits = split_objects(ids, recipe.val_fraction, recipe.split_seed)
    return [
        ObjectRecord(name, category, splits[name], "folder", hashlib.sha256(name.encode()).hexdigest())
        for name, category in ids.items()
    ]


def write_synthetic_dataset(path: Path, recipe: Recipe, records: Sequence[ObjectRecord]) -> None:
    """Write a data set of a recipe's factors, with pictures of colored blobs.

    Args:
        path: Its folder.
        recipe: Of the factors, views and points.
        records: The objects.
    """
    plans = plan_shards(records, recipe.objects_per_shard, recipe.split_seed)
    shards = [write_synthetic_shard(path, recipe, plan.split, plan.name, plan.objects) for plan in plans]
    finish_dataset(
        path,
        recipe,
        shards,
        camera={"K": [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]]},
        device={"backend": "synthetic"},
        source={"name": "coloured blobs", "licence": "CC0-1.0"},
    )


def write_synthetic_shard(
    path: Path, recipe: Recipe, split: str, name: str, records: Sequence[ObjectRecord]
) -> ShardRecord:
    """Write one shard, ``path/split/name.tar``, and its index.

    Args:
        path: The data set's folder.
        recipe: Of the factors, views and points.
        split: That the objects are of.
        name: The shard's, without a suffix.
        records: The objects.

    Returns:
        What a manifest says of it.
    """
    with ShardWriter(path / split, name, recipe.schema, recipe.label_digest) as writer:
        for record in records:
            labels = draw_factors(recipe, record.id, range(recipe.views))
            jpegs = [draw_view(recipe, record, label) for label in labels]
            writer.add(record, labels, jpegs, points=draw_cloud(record, recipe.points))
        return writer.commit()


def corners_of(record: ObjectRecord) -> tuple[FloatArray, FloatArray]:
    """Return the corners [6, 3] of a record's body in its own frame, and the widths [6] of their blobs."""
    rng = np.random.default_rng(int.from_bytes(record.category.encode(), "little"))
    lengths, widths = rng.uniform(0.3, 0.95, 6), rng.uniform(0.06, 0.22, 6)
    return _AXES * lengths[:, None], widths


def draw_cloud(record: ObjectRecord, points: int) -> NDArray[np.float32] | None:
    """Return a cloud [P, 6] on the lines from the body's middle to its corners; None of no points."""
    if not points:
        return None
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(record.id.encode()).digest()[:8], "little"))
    which = np.arange(points) % 6
    places = corners_of(record)[0][which] * rng.uniform(0.2, 1.0, points)[:, None]
    return np.concatenate([places, _AXES[which]], axis=1).astype(np.float32)


def draw_view(recipe: Recipe, record: ObjectRecord, label: LabelArray) -> bytes:
    """Return one JPEG: a function of the object and the label alone."""
    size = recipe.image_size_px
    schema = recipe.schema
    hue = float(label[schema.column("floor_hue")])
    image = np.broadcast_to(np.array(colorsys.hsv_to_rgb(hue, 0.6, 0.6)), (size, size, 3)).copy()
    body, widths = corners_of(record)
    corners = body @ schema.rotations(label).T @ _LOOK.T
    v, u = np.mgrid[0:size, 0:size] / size * 2 - 1
    for i in np.argsort(-corners[:, 2]):  # far ones first
        distance = (u - corners[i, 0] * 0.8) ** 2 + (v - corners[i, 1] * 0.8) ** 2
        cover = np.exp(-distance / widths[i] ** 2)[..., None]
        image = image * (1 - cover) + _COLORS[i] * cover
    pixels = np.ascontiguousarray(np.round(image * 255).astype(np.uint8))
    return encode_jpeg(pixels, recipe.jpeg_quality, recipe.jpeg_subsampling)
