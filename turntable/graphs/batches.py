"""Batches of graphs in three forms: padded, packed one after another, and dense.

Loaders give the padded form: ``edges`` [B, E, 2] with -1 after the last edge, ``vertex_mask`` [B, n], and
fields of vertices [B, n, ...]. Each function takes arrays of numpy or tensors of torch, on any device, and
returns the same kind; gradients pass through features.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.graphs.edges import Indices

Array = Any
"""An array of numpy or a tensor of torch. The functions they share are not in any type."""


@dataclass(frozen=True, slots=True, eq=False)
class PackedGraphs:
    """B graphs as one that is not connected: N vertices and E edges of all graphs, one after another."""

    edge_index: Array
    """int64 [2, E] the first and the second vertex of each edge, counted over the batch."""
    batch: Array
    """int64 [N] the graph of each vertex."""
    ptr: Array
    """int64 [B + 1] the first vertex of each graph, and N."""
    features: Mapping[str, Array]
    """Fields of vertices [N, ...] by name."""


@dataclass(frozen=True, slots=True, eq=False)
class DenseGraphs:
    """B graphs as matrices, padded to the largest number n of vertices."""

    adjacency: Array
    """bool [B, n, n] true where an edge leads from the vertex of the row to that of the column."""
    mask: Array
    """bool [B, n] true for vertices, which come before the padding."""
    features: Mapping[str, Array]
    """Fields of vertices [B, n, ...] by name; 0 where padded."""


def pack_graphs(batch: Mapping[str, Array], features: Sequence[str] = ()) -> PackedGraphs:
    """Pack a padded batch.

    Args:
        batch: Batch with ``edges`` [B, E, 2] and ``vertex_mask`` [B, n].
        features: Names of fields [B, n, ...] of the batch to take along. Of a pair, a field of views has the
            names ``vertices_1`` and ``vertices_2``.

    Raises:
        InvalidInputError: The batch lacks one of these fields, or a feature is not one of vertices.
    """
    _check_fields(batch, features)
    edges, mask = batch["edges"], batch["vertex_mask"]
    (graph, _), ptr = _find_true(mask), _compute_starts(mask)
    owner, place = _find_true(edges[..., 0] >= 0)
    edge_index = (edges[owner, place] + ptr[owner][:, None]).T
    return PackedGraphs(edge_index, graph, ptr, {name: batch[name][mask] for name in features})


def to_dense(packed: PackedGraphs) -> DenseGraphs:
    """Convert packed graphs to matrices. ``to_packed`` gives them back, with edges sorted and each once."""
    library, graph, ptr = _get_library(packed.ptr), packed.batch, packed.ptr
    shape = len(ptr) - 1, int((ptr[1:] - ptr[:-1]).max())
    place = library.arange(len(graph), device=graph.device) - ptr[graph]
    first, second = packed.edge_index
    adjacency = library.zeros((*shape, shape[1]), dtype=library.bool, device=graph.device)
    adjacency[graph[first], place[first], place[second]] = True
    mask = library.zeros(shape, dtype=library.bool, device=graph.device)
    mask[graph, place] = True
    features = {
        name: _spread(values, shape, (graph, place), library) for name, values in packed.features.items()
    }
    return DenseGraphs(adjacency, mask, features)


def to_packed(dense: DenseGraphs) -> PackedGraphs:
    """Convert matrices to packed graphs, with edges sorted. ``to_dense`` gives them back."""
    library, ptr = _get_library(dense.mask), _compute_starts(dense.mask)
    graph, _ = _find_true(dense.mask)
    owner, first, second = _find_true(dense.adjacency)
    edge_index = library.stack([ptr[owner] + first, ptr[owner] + second])
    features = {name: values[dense.mask] for name, values in dense.features.items()}
    return PackedGraphs(edge_index, graph, ptr, features)


def pad_edges(edges: Iterable[NDArray[np.integer]], max_edges: int) -> Indices:
    """Return the edges [E, 2] of several graphs as one array [B, max_edges, 2], with -1 after the last."""
    return pad_rows(edges, (max_edges, 2), "int64", -1)


def pad_rows(
    rows: Iterable[NDArray[Any]], shape: tuple[int, ...], dtype: str, padding: float
) -> NDArray[Any]:
    """Return arrays [r, ...] of several graphs as one [B, *shape], with a padding after the last row."""
    padded: list[NDArray[Any]] = []
    for row in rows:
        values = np.full(shape, padding, dtype=dtype)
        values[: len(row)] = row
        padded.append(values)
    return np.stack(padded)


def _check_fields(batch: Mapping[str, Array], features: Sequence[str]) -> None:
    needed = ("edges", "vertex_mask", *features)
    if lacking := [name for name in needed if name not in batch]:
        raise InvalidInputError(
            f"the batch has no {' and no '.join(lacking)}; give the loader fields={list(needed)}"
        )
    shape = tuple(batch["vertex_mask"].shape)
    for name in features:
        if tuple(batch[name].shape[:2]) != shape:
            raise InvalidInputError(
                f"{name} {list(batch[name].shape)} is no field of vertices {list(shape)}: with several views "
                "in a sample, pack those of one view, such as batch | {name: batch[name][:, 0]}"
            )


def _get_library(array: Array) -> ModuleType:
    """Return the module of an array: numpy or torch, which it was made by. None is imported."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def _find_true(mask: Array) -> tuple[Array, ...]:
    """Return the indices where a mask is true, in order, one array for each axis."""
    found = mask.nonzero()
    return found if isinstance(found, tuple) else found.unbind(1)


def _compute_starts(mask: Array) -> Array:
    """Return the first vertex [B + 1] of each graph in a packed batch, and the number of all."""
    library = _get_library(mask)
    ends = library.cumsum(mask.sum(1), 0)
    return library.concatenate([library.zeros_like(ends[:1]), ends])


def _spread(values: Array, shape: tuple[int, int], at: tuple[Array, Array], library: ModuleType) -> Array:
    """Return values [N, ...] of vertices as [B, n, ...], each at its graph and place."""
    spread = library.zeros((*shape, *values.shape[1:]), dtype=values.dtype, device=values.device)
    spread[at] = values
    return spread
