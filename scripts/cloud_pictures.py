"""The picture of docs/modalities.md that shows point clouds: posed, with faults, and partial ones."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import load_recipe, open_dataset
from turntable.loaders import BatchConfig, CloudOptions, Loader, PointCorruption, Tuples
from turntable.renderer import generate, open_source

Picture = NDArray[np.uint8]
Array = NDArray[np.floating]
OBJECTS = ("laptop/000000", "excavator/000000")
FIELDS = ("points", "cloud", "cloud_parts", "cloud_count", "point_parts", "transform", "point_displacement")
COLORS = np.array([[70, 130, 210], [235, 140, 50], [90, 175, 90], [190, 90, 170], [120, 120, 120]])
BACKGROUND = 245
TO_CAMERA = np.array([[-1, 0, 0], [0, 0.5**0.5, -(0.5**0.5)], [0, -(0.5**0.5), -(0.5**0.5)]])
"""Rotation of the usual camera, 2.5 away, from the world to its axes."""


def show_clouds(size_px: int) -> list[list[Picture]]:
    """Draw objects: picture, cloud by part, a cloud with faults, and the partial clouds of two views."""
    with tempfile.TemporaryDirectory() as temporary:
        recipe = load_recipe("articulated").replace(
            views=3,
            image_size_px=2 * size_px,
            points=4096,
            seed=4,
            joints={"range": "full", "per": "object"},
            outputs=["rgb", "mask", "depth", "parts"],
            val_fraction=0.0,
        )
        folder = Path(temporary) / "set"
        generate(recipe, open_source("articulated", None, 12), folder, num_objects=12)
        ids = open_dataset(folder).open_split("train").object_ids
        corruption = PointCorruption(regions=1, radius=(0.4, 0.4), amplitude=(0.02, 0.02))
        config = BatchConfig(
            sampler=Tuples(2),
            batch_size=12,
            fields=FIELDS,
            output="numpy",
            clouds=CloudOptions(num_points=3072, corruption=corruption),
        )
        batch = next(iter(Loader(folder, config)))
        intrinsics = np.array(open_dataset(folder).manifest.camera["K"])
        intrinsics[:2, 2] -= size_px / 2
        rows = [ids.index(name) for name in OBJECTS]
        places = [batch["object_index"].tolist().index(row) for row in rows]
        return [_draw_row({name: batch[name][at] for name in batch}, intrinsics, size_px) for at in places]


def _draw_row(sample: dict[str, Array], intrinsics: Array, size_px: int) -> list[Picture]:
    """Draw one object; pictures are twice as large, and their middle is shown."""
    middle = slice(size_px // 2, size_px // 2 + size_px)
    places, normals = np.split(sample["points"][0], 2, axis=-1)
    shift = sample["point_displacement"][0][:, None]
    true, corrupt = (_see(cloud) for cloud in (places - shift * normals, places))
    red_or_blue = np.where(shift > 0, [210, 60, 50], [50, 90, 210])
    first, second = (sample["cloud"][view][: sample["cloud_count"][view]] for view in (0, 1))
    moved = second @ sample["transform"][0, :3, :3].T + sample["transform"][0, :3, 3]
    both = np.concatenate([first, moved])
    of_view = np.repeat(COLORS[:2], (len(first), len(moved)), axis=0)
    return [
        sample["views"][0][middle, middle].astype(np.uint8),
        draw_points(true, COLORS[sample["point_parts"]], intrinsics, size_px),
        draw_points(
            corrupt, 190 + np.clip(np.abs(shift) / 0.03, 0, 1) * (red_or_blue - 190.0), intrinsics, size_px
        ),
        draw_points(both, of_view, intrinsics, size_px),
    ]


def _see(points: Array) -> Array:
    """Return points [N, 3] of the world in the usual camera's frame."""
    return points @ TO_CAMERA.T + [0, 0, 2.5]


def draw_points(points: Array, colors: Array, intrinsics: Array, size_px: int) -> Picture:
    """Draw points [N, 3] of the camera's frame as squares of two pixels, the nearest in front."""
    order = np.argsort(-points[:, 2])
    pixels = points[order] @ intrinsics.T
    column, row = np.floor(pixels[:, :2] / pixels[:, 2:]).astype(int).T
    picture = np.full((size_px + 1, size_px + 1, 3), BACKGROUND, np.uint8)
    inside = (column >= 0) & (row >= 0) & (column < size_px) & (row < size_px)
    for down, right in np.ndindex(2, 2):
        picture[row[inside] + down, column[inside] + right] = colors[order][inside]
    return picture[:size_px, :size_px]
