"""The arrays that a shard holds of an object and of its views, made from what the views show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Recipe
from turntable.datasets.labels import VIEW_ARRAYS, LabelArray
from turntable.renderer.meshes import Mesh
from turntable.renderer.point_clouds import sample_object_points
from turntable.renderer.posing import PartPoses
from turntable.renderer.scanning import ScannedViews
from turntable.renderer.surface_graphs import make_surface_graph
from turntable.renderer.tracks import compute_track_arrays

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)  # no slots: what several arrays need is computed once
class ShownObject:
    """An object and its V views, from which arrays are made."""

    recipe: Recipe
    """Recipe of the data set."""
    object_id: str
    """Id of the object."""
    category: str
    """Category of the object."""
    mesh: Mesh
    """Mesh of the object."""
    labels: LabelArray
    """[V, L] factor values of all views, in the order of the recipe's factors."""
    object_to_world: NDArray[np.float64]
    """[V, 4, 4] pose of the object in the world."""
    parts: PartPoses | None = None
    """Poses of the parts in all views; None for an object of one piece."""
    source_arrays: Arrays = field(default_factory=dict[str, NDArray[Any]])
    """Arrays that the source has of the object."""

    @cached_property
    def scanned(self) -> ScannedViews:
        """Views of the object as a scanner meets them; the recipe has a table [scan]."""
        part_pose = self.object_to_world[:, None] if self.parts is None else self.parts.part_pose
        return ScannedViews(self.recipe, self.object_id, self.mesh, part_pose)


def compute_object_arrays(shown: ShownObject) -> dict[str, NDArray[Any]]:
    """Compute the arrays of an object, of the names and forms of ``OBJECT_ARRAYS``.

    Raises:
        MeshError: The recipe asks for an array that the object cannot have.
    """
    arrays = dict(shown.source_arrays)
    for compute in _OBJECT_MAKERS:
        arrays |= compute(shown)
    return arrays


def compute_view_arrays(shown: ShownObject) -> dict[str, Sequence[NDArray[Any]]]:
    """Compute the outputs of ``VIEW_ARRAYS`` that the recipe names: for each, one array per view.

    Raises:
        MeshError: The recipe asks for an array that the object cannot have.
    """
    names = [name for name in shown.recipe.outputs if name in VIEW_ARRAYS]
    return {name: _VIEW_MAKERS[name](shown) for name in names}


def _compute_points(shown: ShownObject) -> Arrays:
    if not shown.recipe.points:
        return {}
    sampled = sample_object_points(shown.recipe, shown.object_id, shown.mesh)
    points = {"points": sampled.points}
    return points if shown.parts is None else points | {"point_parts": sampled.parts}


def _list_part_arrays(shown: ShownObject) -> Arrays:
    if shown.parts is None:
        return {}
    arrays = {"part_pose": shown.parts.part_pose}
    return arrays | ({"joint_values": shown.parts.joint_values} if shown.parts.joint_values.shape[1] else {})


def _compute_scan_labels(shown: ShownObject) -> Arrays:
    if shown.recipe.scan is None:
        return {}
    return {"boxes": shown.scanned.compute_boxes(), "ego_pose": shown.scanned.ego_pose}


def _scan_views(shown: ShownObject) -> Sequence[NDArray[Any]]:
    return shown.scanned.build_scanner().scan_all()


def _compute_tracks(shown: ShownObject) -> Arrays:
    return compute_track_arrays(
        shown.recipe, shown.object_id, shown.mesh, shown.labels, shown.object_to_world, shown.parts
    )


def _make_graph(shown: ShownObject) -> Arrays:
    if shown.recipe.graph is None:
        return {}
    graph = make_surface_graph(shown.recipe, shown.object_id, shown.mesh)
    arrays = {
        "vertices": graph.vertices,
        "edges": graph.edges,
        "faces": graph.faces,
        "vertex_permutation": graph.permutation,
    }
    return arrays | ({"vertex_parts": graph.part} if shown.mesh.parts else {})


_OBJECT_MAKERS: tuple[Callable[[ShownObject], Arrays], ...] = (
    _compute_points,
    _list_part_arrays,
    _compute_scan_labels,
    _compute_tracks,
    _make_graph,
)
"""Functions that make arrays of an object; each makes none where the recipe does not ask for them."""
_VIEW_MAKERS: dict[str, Callable[[ShownObject], Sequence[NDArray[Any]]]] = {"scan": _scan_views}
"""Functions that make an output of ``VIEW_ARRAYS``, by its name."""
