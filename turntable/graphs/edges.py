"""Edges as pairs of vertices, and what a permutation of the vertices does to them."""

import hashlib

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def list_edges(faces: NDArray[np.integer]) -> Indices:
    """List the edges [E, 2] of triangles, each in both directions, without loops, sorted.

    Args:
        faces: [F, 3] corners.
    """
    return make_undirected(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2))


def make_undirected(edges: NDArray[np.integer]) -> Indices:
    """Return edges [E, 2] in both directions, each once, without loops, sorted.

    Args:
        edges: [D, 2] pairs of vertices, in any direction and order.
    """
    proper = edges[edges[:, 0] != edges[:, 1]].astype(np.int64)
    return np.unique(np.concatenate([proper, proper[:, ::-1]]), axis=0)


def sort_faces(faces: NDArray[np.integer]) -> Indices:
    """Return triangles [F, 3], each turned to begin with its least corner, sorted; the winding stays."""
    if not len(faces):
        return faces.astype(np.int64)
    first = faces.argmin(axis=1)[:, None]
    return sort_rows(np.take_along_axis(faces, (first + np.arange(3)) % 3, axis=1))


def sort_rows(rows: NDArray[np.integer]) -> Indices:
    """Return rows of numbers in lexicographic order."""
    return rows[np.lexsort(rows.T[::-1])].astype(np.int64)


def draw_permutation(key: int, num_vertices: int) -> Indices:
    """Draw a permutation [n] of vertices: ``permuted = original[permutation]``.

    Args:
        key: 128-bit key of a Philox stream.
        num_vertices: Number of vertices n.
    """
    words = np.random.Philox(key=key).random_raw(num_vertices)
    return np.argsort(words, kind="stable").astype(np.int64)


def make_key(*names: object) -> int:
    """Return a 128-bit Philox key."""
    digest = hashlib.sha256("\0".join(map(str, ("graphs", *names))).encode()).digest()
    return int.from_bytes(digest[:16], "little")


def permute_indices(indices: NDArray[np.integer], permutation: Indices) -> Indices:
    """Return the new numbers of vertices after ``permuted = original[permutation]``; -1 stays.

    Args:
        indices: Numbers of vertices in the original order, of any shape.
        permutation: [n] original vertex in each new place.
    """
    new_numbers = np.full(len(permutation) + 1, -1, np.int64)  # the last one is that of -1
    new_numbers[permutation] = np.arange(len(permutation))
    return new_numbers[indices]
