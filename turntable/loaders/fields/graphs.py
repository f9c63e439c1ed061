"""Graphs as fields: the surface of each object, posed as a view shows it, and the neighbors of points.

Objects have different numbers of vertices, edges and faces. Their fields are padded to the largest numbers of
the data set, and counts and ``vertex_mask`` say what is real.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable import geometry
from turntable.datasets.labels import OBJECT_ARRAYS
from turntable.datasets.objects import get_rest_poses
from turntable.graphs import (
    draw_permutation,
    make_key,
    make_knn_graph,
    pad_rows,
    permute_indices,
    sort_faces,
    sort_rows,
)
from turntable.loaders.fields.batch_field import (
    DataDescription,
    FieldScope,
    SampledViews,
)
from turntable.loaders.fields.field_table import TableProvider
from turntable.loaders.fields.points import compute_view_points

_Array = NDArray[Any]
_GraphFunction = Callable[[DataDescription, SampledViews], _Array]
"""A function that computes the values of a field of graphs."""


@dataclass(frozen=True, slots=True)
class _GraphField:
    """A field of graphs."""

    name: str
    per: FieldScope
    dtype: str
    axes: tuple[int | str, ...]
    """Sizes of the axes; a name stands for the largest size in the data set."""
    array: str
    """Array of objects that it needs; "points" for the point clouds."""
    compute: _GraphFunction

    def get_sizes(self, data: DataDescription) -> dict[str, int]:
        """Return the largest sizes of the data set, and those that the settings decide."""
        return {**data.array_sizes, "points": data.num_batch_points, "neighbors": data.graphs.neighbors}

    def find_fault(self, data: DataDescription) -> str | None:
        """Return a message that says why the data lack the field, and what to do; None if they have it."""
        if self.array == "points":
            return _find_neighbor_fault(data)
        if self.array in data.arrays:
            return None
        if not data.num_views:
            return "views that are rendered during training have no graphs; render a data set with 'graphs'"
        if self.array == "vertex_parts" and "vertices" in data.arrays:
            return "no object of this data set has parts; render 'articulated' with a table [graph]"
        return "this data set has no surface graphs; render one with 'graphs', or with a table [graph]"


def _find_neighbor_fault(data: DataDescription) -> str | None:
    k = data.graphs.neighbors
    if not data.num_batch_points:
        return "there are no point clouds; render a data set with 'graphs', or with --points 1024"
    if k >= data.num_batch_points:
        return (
            f"{k} neighbors of each point need more than {data.num_points} points; render the data set with "
            "--points 1024, or give BatchConfig(graphs=GraphOptions(neighbors=…))"
        )
    return None


def _read_arrays(name: str, sampled: SampledViews) -> list[_Array]:
    """Read an array of each object; an empty one of an object without it."""
    form = OBJECT_ARRAYS[name]
    empty = np.zeros([0 if isinstance(axis, str) else axis for axis in form.axes], form.dtype)
    return [empty if array is None else array for array in sampled.read_arrays(name)]


def _list_orders(data: DataDescription, sampled: SampledViews) -> list[_Array]:
    """Return the order [n] of each sample's vertices: the place in the stored order of each vertex."""
    counts = [len(array) for array in _read_arrays("vertex_permutation", sampled)]
    draws = sampled.draws
    if not data.graphs.permute:
        return [np.arange(count) for count in counts]
    assert draws is not None
    keys = (make_key("vertices", draws.seed, draws.epoch, position) for position in draws.positions.tolist())
    return [draw_permutation(key, count) for key, count in zip(keys, counts, strict=True)]


def _read_ordered(name: str, data: DataDescription, sampled: SampledViews) -> list[_Array]:
    """Read an array of vertices of each object, in the order of the sample's vertices."""
    orders = _list_orders(data, sampled)
    return [array[order] for array, order in zip(_read_arrays(name, sampled), orders, strict=True)]


def _read_renumbered(name: str, data: DataDescription, sampled: SampledViews) -> list[_Array]:
    """Read an array of numbers of vertices of each object, in the order of the sample's vertices."""
    arrays = _read_arrays(name, sampled)
    if not data.graphs.permute:
        return arrays
    orders = _list_orders(data, sampled)
    return [permute_indices(array, order) for array, order in zip(arrays, orders, strict=True)]


def _pose_vertices(data: DataDescription, sampled: SampledViews) -> _Array:
    """Return the vertices [B, k, n, 6] of each view in the world; 0 where padded."""
    vertices = _read_ordered("vertices", data, sampled)
    parts = _read_ordered("vertex_parts", data, sampled) if "vertex_parts" in data.arrays else []
    pose = sampled.labels.pose
    posed = np.zeros((*pose.shape[:2], data.array_sizes["vertices"], 6), np.float32)
    for row, own in enumerate(vertices):
        moving = None if not parts else sampled.part_poses[row]
        if moving is None:
            motions = pose[row, :, None]
        else:
            motions = moving @ geometry.invert_pose(get_rest_poses(sampled.parts[row]))
            motions = motions[:, parts[row]]
        posed[row, :, : len(own)] = _move_vertices(own, motions)
    return posed


def _move_vertices(vertices: _Array, motions: _Array) -> _Array:
    """Return vertices [n, 6], places and normals, after motions [k, 1 or n, 4, 4], as [k, n, 6]."""
    halves = vertices.astype(np.float64).reshape(-1, 2, 3)
    moved = halves @ motions[..., :3, :3].swapaxes(-1, -2)
    moved[..., 0, :] += motions[..., :3, 3]
    return moved.reshape(*moved.shape[:2], 6)


def _get_vertices(data: DataDescription, sampled: SampledViews) -> _Array:
    return pad_rows(_read_ordered("vertices", data, sampled), (data.array_sizes["vertices"], 6), "float32", 0)


def _get_edges(data: DataDescription, sampled: SampledViews) -> _Array:
    edges = [sort_rows(rows) for rows in _read_renumbered("edges", data, sampled)]
    return pad_rows(edges, (data.array_sizes["edges"], 2), "int64", -1)


def _get_faces(data: DataDescription, sampled: SampledViews) -> _Array:
    faces = [sort_faces(rows) for rows in _read_renumbered("faces", data, sampled)]
    return pad_rows(faces, (data.array_sizes["faces"], 3), "int64", -1)


def _get_numbers(name: str, data: DataDescription, sampled: SampledViews) -> _Array:
    """Return an array of whole numbers of the vertices, in the order of the sample's vertices."""
    return pad_rows(_read_ordered(name, data, sampled), (data.array_sizes["vertices"],), "int64", -1)


def _get_vertex_parts(data: DataDescription, sampled: SampledViews) -> _Array:
    """Return the part of each vertex; 0 for objects of one piece."""
    stored = sampled.read_arrays("vertex_parts")
    orders = _list_orders(data, sampled)
    parts = [
        np.zeros(len(order)) if own is None else own[order] for own, order in zip(stored, orders, strict=True)
    ]
    return pad_rows(parts, (data.array_sizes["vertices"],), "int64", -1)


def _count_rows(name: str, data: DataDescription, sampled: SampledViews) -> _Array:
    del data
    return np.array([len(array) for array in _read_arrays(name, sampled)])


def _get_mask(data: DataDescription, sampled: SampledViews) -> _Array:
    counts = _count_rows("vertex_permutation", data, sampled)
    return np.arange(data.array_sizes["vertices"]) < counts[:, None]


def _find_neighbors(data: DataDescription, sampled: SampledViews) -> _Array:
    """Return the nearest neighbors [B, k, P, neighbors] of the points of each view."""
    points = compute_view_points(data, sampled)
    clouds = points.reshape(-1, *points.shape[2:])
    neighbors = np.stack([make_knn_graph(cloud, data.graphs.neighbors) for cloud in clouds])
    return neighbors.reshape(*points.shape[:3], -1)


_FIELDS: tuple[_GraphField, ...] = (
    _GraphField("vertices", "view", "float32", ("vertices", 6), "vertices", _pose_vertices),
    _GraphField("object_vertices", "object", "float32", ("vertices", 6), "vertices", _get_vertices),
    _GraphField("vertex_mask", "object", "bool", ("vertices",), "vertices", _get_mask),
    _GraphField(
        "vertex_count", "object", "int64", (), "vertices", partial(_count_rows, "vertex_permutation")
    ),
    _GraphField(
        "vertex_permutation",
        "object",
        "int64",
        ("vertices",),
        "vertices",
        partial(_get_numbers, "vertex_permutation"),
    ),
    _GraphField("vertex_parts", "object", "int64", ("vertices",), "vertex_parts", _get_vertex_parts),
    _GraphField("edges", "object", "int64", ("edges", 2), "vertices", _get_edges),
    _GraphField("edge_count", "object", "int64", (), "vertices", partial(_count_rows, "edges")),
    _GraphField("faces", "object", "int64", ("faces", 3), "vertices", _get_faces),
    _GraphField("face_count", "object", "int64", (), "vertices", partial(_count_rows, "faces")),
    _GraphField("knn_edges", "view", "int64", ("points", "neighbors"), "points", _find_neighbors),
)
GRAPHS = TableProvider(_FIELDS)
"""The provider of surface graphs, posed for each view and as stored, and of neighbors in clouds."""
