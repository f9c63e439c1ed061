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
from turntable.loaders.clouds.point_draws import FloatArray, draw_view_words

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
    mask = split.read_output(row, view, "mask").ravel()
    depth = split.read_output(row, view, "depth").ravel()
    seen = np.flatnonzero((mask > 0) & (depth > 0) & (depth < _FARTHEST))
    object_id = split.get_object_id(row)
    if not len(seen):
        raise IntegrityError(
            f"view {view} of {object_id} shows nothing of its object, so it has no partial cloud; leave it "
            "out by a selection or a condition, or allow it by max_corrupt_views"
        )
    words = draw_view_words(("partial cloud", str(options.seed), object_id), view, len(seen))
    camera = _find_pinhole(split, row, view)
    if options.choice == "uniform":
        chosen = seen[choose_uniform(words, options.num_partial_points)]
    else:
        candidates = seen[choose_uniform(words, count_candidates(options.num_partial_points))]
        places = camera.compute_points(candidates, depth[candidates])
        chosen = candidates[choose_farthest(places, options.num_partial_points)]
    pixels = np.resize(chosen, options.num_partial_points)
    return PartialCloud(split, row, view, pixels, len(chosen), camera.compute_points(pixels, depth[pixels]))


@dataclass(frozen=True, slots=True)
class _Pinhole:
    """The lens of a view."""

    focal_x_px: float
    focal_y_px: float
    center_x_px: float
    center_y_px: float
    image_size_px: int

    def compute_points(self, pixels: IndexArray, depth: NDArray[np.floating]) -> FloatArray:
        """Return the points [N, 3] in the camera's frame that pixels show at their centers.

        Args:
            pixels: [N] pixels, counted row by row.
            depth: [N] depths along the forward axis.
        """
        row, column = np.divmod(pixels, self.image_size_px)
        points = np.empty((len(pixels), 3))
        points[:, 2] = depth
        points[:, 0] = (column + (0.5 - self.center_x_px)) * (points[:, 2] / self.focal_x_px)
        points[:, 1] = (row + (0.5 - self.center_y_px)) * (points[:, 2] / self.focal_y_px)
        return points


def _find_pinhole(split: Split, row: int, view: int) -> _Pinhole:
    """Return the lens of a view: that of the manifest, shifted as labels say."""
    manifest = split.manifest
    try:
        (focal_x, skew, x), (_, focal_y, y), _ = manifest.camera["K"]
        camera = [float(number) for number in (focal_x, focal_y, x, y)]
        is_known = not skew and bool(np.isfinite(camera).all()) and min(camera[:2]) > 0
    except (KeyError, TypeError, ValueError):
        is_known, camera = False, []
    if not is_known:
        raise InvalidInputError(
            "this data set's manifest.json has no camera matrix K of a pinhole camera, so depth gives no "
            "points; partial clouds need a rendered data set"
        )
    if any(name in manifest.schema for name in PRINCIPAL_POINT_NAMES):
        labels = split.get_labels(np.array([row]), np.array([view]))[0]
        for index, name in enumerate(PRINCIPAL_POINT_NAMES):
            camera[2 + index] += float(manifest.schema.get_values(labels, name))
    focal_x, focal_y, x, y = camera
    return _Pinhole(focal_x, focal_y, x, y, manifest.image_size_px)
