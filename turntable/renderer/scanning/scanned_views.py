"""All views of an object as a scanner meets them: returns, boxes of the objects, and the sensor's pose."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.draws import draw_sensor_poses, get_drawn_id
from turntable.datasets.labels import CLUTTER_INSTANCE
from turntable.datasets.objects import get_rest_poses
from turntable.renderer.backends.embree import probe_device
from turntable.renderer.meshes import Mesh, compute_bounds, compute_center, compute_part_boxes
from turntable.renderer.scanning.boxes import compute_sensor_boxes
from turntable.renderer.scanning.frames import ScanFrame
from turntable.renderer.scanning.rays import draw_rays
from turntable.renderer.scanning.returns import find_nearest_hits, make_returns
from turntable.renderer.scanning.traced_parts import TracedParts
from turntable.renderer.scene import to_metric_poses

Array = NDArray[np.float64]


@dataclass(frozen=True)  # no slots: what views share is computed once
class ScannedViews:
    """The first V views of an object under a recipe with a table [scan]."""

    recipe: Recipe
    object_id: str
    mesh: Mesh
    """Mesh of the object, at rest if it has parts."""
    part_pose: NDArray[np.floating]
    """[V, K, 4, 4] poses in the world of its parts, as they are stored; of an object of one piece its own."""

    @cached_property
    def ego_pose(self) -> NDArray[np.float32]:
        """Poses [V, 4, 4] of the sensor in meters, in the frame whose ground is z = 0."""
        views = np.arange(len(self.part_pose))
        return draw_sensor_poses(self.recipe, get_drawn_id(self.recipe, self.object_id), views).astype(
            np.float32
        )

    @cached_property
    def frames(self) -> tuple[ScanFrame, ...]:
        """Poses of parts and sensor in each view."""
        metric = to_metric_poses(self.part_pose, self.recipe.meters_per_unit)
        return tuple(map(ScanFrame, metric, self.ego_pose.astype(np.float64)))

    @cached_property
    def instances(self) -> tuple[int, ...]:
        """Instance of each part: its index, but for the walls and poles of a street."""
        if self.recipe.street is None:
            return tuple(range(self.part_pose.shape[1]))
        return tuple(
            index if part.object_id else CLUTTER_INSTANCE for index, part in enumerate(self.mesh.parts)
        )

    def compute_boxes(self) -> NDArray[np.float32]:
        """Return the boxes [V, K, 7] of the objects, which come before walls and poles, in each view."""
        num_objects = sum(instance >= 0 for instance in self.instances)
        bounds = self.recipe.meters_per_unit * _measure_own_boxes(self.mesh)[:num_objects]
        to_sensor = np.stack([frame.parts_to_sensor[:num_objects] for frame in self.frames])
        return compute_sensor_boxes(bounds, to_sensor).astype(np.float32)

    def build_scanner(self) -> "Scanner":
        """Build the trees of the parts, which all views share.

        Raises:
            MeshError: A part has no extent.
            MissingExtraError: embreex is not installed.
        """
        return Scanner(self, TracedParts(self.mesh))

    def get_following(self, view: int) -> ScanFrame | None:
        """Return the next frame of the view's sequence; None for the last one, and without sequences."""
        sequence = self.recipe.sequence
        if sequence is None or (view + 1) % sequence.length == 0:
            return None
        return self.frames[view + 1]


@dataclass(frozen=True, slots=True, eq=False)
class Scanner:
    """A scanner among the parts of an object."""

    views: ScannedViews
    parts: TracedParts

    def scan_view(self, view: int) -> NDArray[np.float32]:
        """Return the returns [N, 8] of a view by its number; N differs."""
        recipe, frame = self.views.recipe, self.views.frames[view]
        assert recipe.scan is not None
        hits = find_nearest_hits(recipe.scan, self.parts, frame, recipe.meters_per_unit)
        draws = draw_rays(recipe.scan, recipe.label_digest, self.views.object_id, view)
        following = self.views.get_following(view)
        return make_returns(recipe.scan, hits, draws, self.views.instances, frame, following)

    def scan_all(self) -> list[NDArray[np.float32]]:
        """Return the returns of every view."""
        return [self.scan_view(view) for view in range(len(self.views.frames))]


def _measure_own_boxes(mesh: Mesh) -> Array:
    """Return the bounding box [K, 2, 3] of each part in its own frame, in units of the world."""
    if mesh.part_index is None:
        return (np.array(compute_bounds(mesh), dtype=np.float64) - compute_center(mesh))[None]
    # At rest a part is shifted, and not turned, so its own box is the shifted one.
    return compute_part_boxes(mesh) - get_rest_poses(mesh.parts)[:, None, :3, 3]


def check_rays() -> None:
    """Check that rays can be traced.

    Raises:
        MissingExtraError: embreex is not installed.
    """
    probe_device()
