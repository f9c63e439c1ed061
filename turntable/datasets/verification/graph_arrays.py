"""Checks of the arrays of an object's surface graph against each other."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets.objects import ObjectRecord
from turntable.graphs import list_edges

GRAPH_ARRAYS = ("vertices", "edges", "faces", "vertex_permutation")
"""Names of the arrays that every surface graph has."""


def find_graph_faults(record: ObjectRecord, arrays: Mapping[str, NDArray[Any] | None]) -> Iterator[str]:
    """Yield what is wrong with the arrays of an object's surface graph; nothing for an object without one.

    Args:
        record: Record of the object, with its parts.
        arrays: Arrays of the object by name; None for one that could not be read.
    """
    found = [arrays.get(name) for name in GRAPH_ARRAYS]
    if not set(arrays).intersection(GRAPH_ARRAYS):
        return
    vertices, edges, faces, permutation = found
    if vertices is None or edges is None or faces is None or permutation is None:
        if missing := [name for name in GRAPH_ARRAYS if name not in arrays]:
            yield f"its graph has no {' and no '.join(missing)}"
        return
    yield from _find_vertex_faults(vertices, permutation)
    if faces.size and not 0 <= faces.min() <= faces.max() < len(vertices):
        yield "its faces have vertices that there are not"
    elif not np.array_equal(edges, list_edges(faces)):
        yield "its edges are not those of its faces, in both directions and sorted"
    part = arrays.get("vertex_parts")
    if part is not None and part.max(initial=0) >= max(1, len(record.parts)):
        yield f"a vertex belongs to part {part.max()}, and the object has {len(record.parts)}"


def _find_vertex_faults(vertices: NDArray[Any], permutation: NDArray[Any]) -> Iterator[str]:
    if not np.allclose(np.linalg.norm(vertices[:, 3:], axis=1), 1, atol=1e-3):
        yield "the normals of its vertices are not of unit length"
    if not np.array_equal(np.sort(permutation), np.arange(len(vertices))):
        yield "its vertex_permutation is no permutation of its vertices"
