"""Functions that write synthetic data sets: real shards and JPEGs that show category and pose.

Each view shows six colored blobs on a background of the view's floor hue. The blobs are the corners of a
rigid body, whose shape depends on the category. The body is rotated as the view's label says, and seen from
an oblique direction.
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
from turntable.datasets.objects import plan_shards, split_objects
from turntable.datasets.shards import ShardRecord, ShardWriter
from turntable.datasets.writing import finish_dataset
from turntable.geometry import euler_to_matrix

FloatArray = NDArray[np.float64]

_COLORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.float64)
_AXES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], dtype=np.float64)
_VIEW_ROTATION = euler_to_matrix([-0.9, 0.35, 0.2])
"""Rotation from the world to the camera: oblique, so that every rotation of the body changes the picture."""


def make_synthetic_dataset(
    path: Path | str,
    num_objects: int = 12,
    num_categories: int = 3,
    num_views: int = 6,
    image_size: int = 32,
    seed: int = 0,
    **recipe_changes: Any,
) -> Dataset:
    """Write a data set of colored blobs and open it; no renderer is needed.

    Args:
        path: Folder of the data set.
        num_objects: Number of objects, in both splits together.
        num_categories: Number of categories; the objects belong to them in turn.
        num_views: Number of views of each object.
        image_size: Side of a picture in pixels.
        seed: Seed of the factors.
        **recipe_changes: Changes to the recipe "3diebench", such as ``points=24``.
    """
    changes = {"objects_per_shard": 4, "val_fraction": 0.25, **recipe_changes}
    recipe = load_recipe("3diebench").replace(
        name="synthetic",
        description="Coloured blobs",
        source="folder",
        views=num_views,
        image_size_px=image_size,
        seed=seed,
        **changes,
    )
    write_synthetic_dataset(Path(path), recipe, make_synthetic_objects(recipe, num_objects, num_categories))
    return open_dataset(path)


def make_full_dataset(path: Path | str) -> Dataset:
    """Write a data set with every label and field that turntable's own methods read, and open it.

    It has 16 objects of 3 categories with 8 views each, of 32 pixels; hues, translations, sequences of 4
    views, and point clouds.

    Args:
        path: Folder of the data set.
    """
    recipe = load_recipe("zoo-benchmark").replace(
        source="folder", views=8, image_size_px=32, objects_per_shard=8, val_fraction=0.25, points=24
    )
    write_synthetic_dataset(
        Path(path), recipe, make_synthetic_objects(recipe, num_objects=16, num_categories=3)
    )
    return open_dataset(path)


def make_synthetic_objects(recipe: Recipe, num_objects: int, num_categories: int) -> list[ObjectRecord]:
    """Return records of objects, divided into splits as the recipe says.

    Args:
        recipe: Recipe, of which ``val_fraction``, ``split_seed`` and ``split_rule`` matter.
        num_objects: Number of objects.
        num_categories: Number of categories; the objects belong to them in turn.
    """
    ids = {
        f"class{n % num_categories:02d}/{n:04d}": f"class{n % num_categories:02d}" for n in range(num_objects)
    }
    splits = split_objects(ids, recipe.val_fraction, recipe.split_seed, rule=recipe.split_rule)
    return [
        ObjectRecord(name, category, splits[name], "folder", hashlib.sha256(name.encode()).hexdigest())
        for name, category in ids.items()
    ]


def write_synthetic_dataset(path: Path, recipe: Recipe, records: Sequence[ObjectRecord]) -> None:
    """Write a data set with the factors of a recipe and pictures of colored blobs.

    Args:
        path: Folder of the data set.
        recipe: Recipe with the factors and the numbers of views and points.
        records: Records of the objects.
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
        path: Folder of the data set.
        recipe: Recipe with the factors and the numbers of views and points.
        split: Name of the split.
        name: Name of the shard, without a suffix.
        records: Records of the objects.

    Returns:
        The record of the shard for a manifest.
    """
    with ShardWriter(path / split, name, recipe.schema, recipe.label_digest) as writer:
        for record in records:
            labels = draw_factors(recipe, record.id, range(recipe.views), category=record.category)
            jpegs = [render_view(recipe, record, label) for label in labels]
            cloud = make_cloud(record, recipe.points)
            writer.add(record, labels, jpegs, arrays={} if cloud is None else {"points": cloud})
        return writer.commit()


def make_corners(record: ObjectRecord) -> tuple[FloatArray, FloatArray]:
    """Return the corners [6, 3] of an object's body in its own frame, and the widths [6] of their blobs.

    They depend on the category only.
    """
    rng = np.random.default_rng(int.from_bytes(record.category.encode(), "little"))
    lengths, widths = rng.uniform(0.3, 0.95, 6), rng.uniform(0.06, 0.22, 6)
    return _AXES * lengths[:, None], widths


def make_cloud(record: ObjectRecord, num_points: int) -> NDArray[np.float32] | None:
    """Return a point cloud [P, 6] on the lines from the body's center to its corners; None for no points.

    Each point has its position and, in place of a normal, the axis of its corner.
    """
    if not num_points:
        return None
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(record.id.encode()).digest()[:8], "little"))
    corner = np.arange(num_points) % 6
    positions = make_corners(record)[0][corner] * rng.uniform(0.2, 1.0, num_points)[:, None]
    return np.concatenate([positions, _AXES[corner]], axis=1).astype(np.float32)


def render_view(recipe: Recipe, record: ObjectRecord, label: LabelArray) -> bytes:
    """Render one view as JPEG; it depends on nothing but the object and the label."""
    size = recipe.image_size_px
    schema = recipe.schema
    hue = float(label[schema.get_column("floor_hue")])
    image = np.broadcast_to(np.array(colorsys.hsv_to_rgb(hue, 0.6, 0.6)), (size, size, 3)).copy()
    body, widths = make_corners(record)
    corners = body @ schema.compute_rotations(label).T @ _VIEW_ROTATION.T
    v, u = np.mgrid[0:size, 0:size] / size * 2 - 1
    for i in np.argsort(-corners[:, 2]):  # from far to near, so that near blobs cover far ones
        distance = (u - corners[i, 0] * 0.8) ** 2 + (v - corners[i, 1] * 0.8) ** 2
        cover = np.exp(-distance / widths[i] ** 2)[..., None]
        image = image * (1 - cover) + _COLORS[i] * cover
    pixels = np.ascontiguousarray(np.round(image * 255).astype(np.uint8))
    return encode_jpeg(pixels, recipe.jpeg_quality, recipe.jpeg_subsampling)
