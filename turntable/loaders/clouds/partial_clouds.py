"""Partial clouds: the points of an object that a view shows, from its depth, in the camera's frame."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Split
from turntable.datasets.labels import DEPTH_STEPS, PRINCIPAL_POINT_NAMES
from turntable.errors import IntegrityError, InvalidInputError
from turntable.loaders.clouds.cloud_options import CloudOptions
from turntable.loaders.clouds.pixel_choice import (
    IndexArray,
    choose_farthest,
    choose_uniform,
    count_candidates,
)
from turntable.loaders.clouds.point_draws import FloatArray, draw_view_units

_FARTHEST = np.float32(65535 / DEPTH_STEPS)
"""Depth that stands for all that is as far or farther."""


@dataclass(frozen=True, eq=False)
class PartialCloud:
    """The N points chosen from one view. Outputs other than mask and depth are read when they are used."""

    split: Split
    row: int
    view: int
    pixels: IndexArray
    """[N] pixels, counted row by row; after ``count`` of them they come again from the first."""
    count: int
    """Number of different pixels."""
    points: FloatArray
    """[N, 3] points in the camera's frame (x right, y down, z forward), in diagonals."""

    def pick(self, output: str) -> NDArray[Any]:
        """Return the values [N, ...] of an output of the view at the points."""
        image = self.split.read_output(self.row, self.view, output)
        return image.reshape(-1, *image.shape[2:])[self.pixels]

    @cached_property
    def world_normals(self) -> FloatArray:
        """Unit normals [N, 3] in the world's frame, turned to the camera."""
        normals = self.pick("normals").astype(np.float64)
        return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)


def read_partial_cloud(
    options: CloudOptions, split: Split, row: int, view: int, image_size_px: int
) -> PartialCloud:
    """Read the partial cloud of a view, at the size at which its outputs are stored.

    The choice of pixels depends on the options, the object and the number of the view alone.

    Args:
        options: Number of points and how they are chosen.
        split: Split with the outputs mask and depth.
        row: Row of the object.
        view: Number of the view.
        image_size_px: Side of a batch's images, which changes nothing.

    Raises:
        IntegrityError: A file is damaged, or the view shows nothing of the object.
        InvalidInputError: The data set's camera is not known.
    """
    del image_size_px
    is_seen = split.read_output(row, view, "mask") > 0
    depth = split.read_output(row, view, "depth").ravel()
    seen = np.flatnonzero(is_seen.ravel() & (depth > 0) & (depth < _FARTHEST))
    if not len(seen):
        raise IntegrityError(
            f"view {view} of {split.get_object_id(row)} shows nothing of its object, so it has no partial"
            " cloud; leave it out by a selection or a condition, or allow it by max_corrupt_views"
        )
    intrinsics = _find_intrinsics(split, row, view)
    units = draw_view_units(("partial cloud", str(options.seed), split.get_object_id(row)), view, len(depth))[
        seen
    ]

    def lift(pixels: IndexArray) -> FloatArray:
        return back_project(pixels, depth[pixels], intrinsics, len(is_seen))

    if options.choice == "uniform":
        chosen = seen[choose_uniform(units, options.num_partial_points)]
    else:
        candidates = seen[choose_uniform(units, count_candidates(options.num_partial_points))]
        chosen = candidates[choose_farthest(lift(candidates), options.num_partial_points)]
    pixels = np.resize(chosen, options.num_partial_points)
    return PartialCloud(split, row, view, pixels, len(chosen), lift(pixels))


def back_project(
    pixels: IndexArray, depth: NDArray[np.floating], intrinsics: FloatArray, image_size_px: int
) -> FloatArray:
    """Return the points [N, 3] in the camera's frame that pixels show at their centers.

    Args:
        pixels: [N] pixels, counted row by row.
        depth: [N] depths along the forward axis.
        intrinsics: Matrix K [3, 3], in pixels.
        image_size_px: Side of the image.
    """
    row, column = np.divmod(pixels, image_size_px)
    centers = np.stack([column + 0.5, row + 0.5, np.ones(len(pixels))], axis=-1)
    return depth[:, None].astype(np.float64) * (centers @ np.linalg.inv(intrinsics).T)


def _find_intrinsics(split: Split, row: int, view: int) -> FloatArray:
    """Return the matrix K [3, 3] of a view: that of the manifest, shifted as labels say."""
    try:
        intrinsics = np.array(split.manifest.camera["K"], dtype=np.float64).reshape(3, 3)
    except (KeyError, TypeError, ValueError):
        raise InvalidInputError(
            "this data set's manifest.json has no camera matrix K, so depth gives no points; partial clouds"
            " need a rendered data set"
        ) from None
    schema = split.manifest.schema
    if any(name in schema for name in PRINCIPAL_POINT_NAMES):
        labels = split.get_labels(np.array([row]), np.array([view]))[0]
        intrinsics[:2, 2] += [float(schema.get_values(labels, name)) for name in PRINCIPAL_POINT_NAMES]
    return intrinsics
