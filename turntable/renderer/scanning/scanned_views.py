"""All views of an object as a scanner meets them: returns, boxes of the objects, and the sensor's pose."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.draws import draw_sensor_poses, get_drawn_id
from turntable.datasets.labels import CLUTTER_INSTANCE
from turntable.datasets.objects import get_rest_poses
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

    def scan(self) -> list[NDArray[np.float32]]:
        """Return the returns [N, 8] of each view; N differs.

        Raises:
            MeshError: A part has no extent.
            MissingExtraError: embreex is not installed.
        """
        parts = TracedParts(self.mesh)
        return [self._scan_view(parts, view) for view in range(len(self.frames))]

    def _scan_view(self, parts: TracedParts, view: int) -> NDArray[np.float32]:
        rule, frame = self.recipe.scan, self.frames[view]
        assert rule is not None
        hits = find_nearest_hits(rule, parts, frame, self.recipe.meters_per_unit)
        draws = draw_rays(rule, self.recipe.label_digest, self.object_id, view)
        return make_returns(rule, hits, draws, self.instances, frame, self._get_following(view))

    def _get_following(self, view: int) -> ScanFrame | None:
        sequence = self.recipe.sequence
        if sequence is None or (view + 1) % sequence.length == 0:
            return None
        return self.frames[view + 1]


def _measure_own_boxes(mesh: Mesh) -> Array:
    """Return the bounding box [K, 2, 3] of each part in its own frame, in units of the world."""
    if mesh.part_index is None:
        return (np.array(compute_bounds(mesh), dtype=np.float64) - compute_center(mesh))[None]
    # At rest a part is shifted, and not turned, so its own box is the shifted one.
    return compute_part_boxes(mesh) - get_rest_poses(mesh.parts)[:, None, :3, 3]
