"""Data sets of assemblies with poses of any motion, written without a renderer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.assemblies import list_box_parts
from turntable import geometry
from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.objects import compute_joint_motions, get_rest_poses, list_joints
from turntable.datasets.shards import ShardWriter
from turntable.datasets.writing import finish_dataset
from turntable.testing.datasets import make_synthetic_objects
from turntable.testing.datasets.synthetic import render_view

VIEWS = 4
RECIPE: Recipe = load_recipe("3diebench-t").replace(
    source="folder", views=VIEWS, image_size_px=16, objects_per_shard=4, val_fraction=0.0
)
"""Its objects: three in turn have a lid, a lid and a drawer, and no parts."""


@dataclass
class Stored:
    """The content that a shard is to have of an object; a test may change it before it is written."""

    record: Any
    labels: np.ndarray
    arrays: dict[str, np.ndarray]


def make_stored(number: int, record: Any, recipe: Recipe = RECIPE) -> Stored:
    """An object whose joints are anywhere in their ranges, the same in every call."""
    labels = draw_factors(recipe, record.id, range(recipe.views))
    if number % 3 == 2:
        return Stored(record, labels, {})
    parts = list_box_parts(drawer=number % 3 == 1)
    joints = list_joints(parts)
    units = np.random.default_rng(number).random((recipe.views, len(joints)))
    low, high = (np.array([getattr(joint, end) for joint in joints]) for end in ("low", "high"))
    values = (low + units * (high - low)).astype(np.float32)
    schema = recipe.schema
    pose = geometry.make_pose(schema.compute_rotations(labels), schema.get_translations(labels))
    poses = pose[:, None] @ compute_joint_motions(parts, values) @ get_rest_poses(parts)
    arrays = {"part_pose": poses.astype(np.float32), "joint_values": values}
    return Stored(replace(record, parts=parts), labels, arrays)


def write_assemblies(
    folder: Path,
    num_objects: int = 6,
    change: Callable[[int, Stored], None] = lambda number, stored: None,
    recipe: Recipe = RECIPE,
) -> dict[str, Stored]:
    """Write a data set in one split; what was stored, by id."""
    kept: dict[str, Stored] = {}
    records = make_synthetic_objects(recipe, num_objects, 3)
    shards = []
    for start in range(0, num_objects, recipe.objects_per_shard):
        name = f"shard-{start // recipe.objects_per_shard:06d}"
        with ShardWriter(folder / "train", name, recipe.schema, recipe.label_digest) as writer:
            for number, record in enumerate(records[start : start + recipe.objects_per_shard], start):
                stored = make_stored(number, record, recipe)
                change(number, stored)
                pictures = [render_view(recipe, record, label) for label in stored.labels]
                writer.add(stored.record, stored.labels, pictures, arrays=stored.arrays)
                kept[record.id] = stored
            shards.append(writer.commit())
    finish_dataset(
        folder, recipe, shards, camera={}, device={}, source={"name": "boxes", "licence": "CC0-1.0"}
    )
    return kept
