"""Every graph of few vertices, once up to isomorphism."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, permutations

import numpy as np

from turntable.errors import InvalidInputError
from turntable.graphs.edges import Indices, make_undirected
from turntable.graphs.graph import Graph

MAX_SMALL_VERTICES = 7
"""Largest number of vertices of the graphs that can be enumerated."""


@cache
def list_small_graphs(max_vertices: int = MAX_SMALL_VERTICES) -> tuple[Graph, ...]:
    """List every graph of 1 to ``max_vertices`` vertices, each once up to isomorphism; 1,252 up to 7.

    They are those of networkx' atlas but for the graph without vertices. The label is the place in the list.

    Args:
        max_vertices: Largest number of vertices, at most 7.

    Raises:
        InvalidInputError: The number is out of range.
    """
    if not 1 <= max_vertices <= MAX_SMALL_VERTICES:
        raise InvalidInputError(f"max_vertices {max_vertices}: give 1 to {MAX_SMALL_VERTICES}")
    graphs = (graph for count in range(1, max_vertices + 1) for graph in _enumerate_graphs(count))
    return tuple(replace(graph, label=label) for label, graph in enumerate(graphs))


def _enumerate_graphs(num_vertices: int) -> Iterator[Graph]:
    """Yield every graph on some vertices once: of all numbers whose bits are its pairs, the least."""
    pairs = np.array(list(combinations(range(num_vertices), 2)), np.int64).reshape(-1, 2)
    moved = _list_moved_pairs(pairs, num_vertices)
    is_known = np.zeros(1 << len(pairs), np.bool_)
    while not is_known.all():
        code = int(is_known.argmin())
        has_pair = (code >> np.arange(len(pairs)) & 1).astype(np.bool_)
        is_known[moved[:, has_pair].sum(axis=1)] = True
        yield Graph(make_undirected(pairs[has_pair]), num_vertices)


def _list_moved_pairs(pairs: Indices, num_vertices: int) -> Indices:
    """Return for every order of the vertices and each pair the bit of the pair that takes its place."""
    orders = np.array(list(permutations(range(num_vertices))), np.int64)
    number = np.zeros((num_vertices, num_vertices), np.int64)
    number[pairs[:, 0], pairs[:, 1]] = number[pairs[:, 1], pairs[:, 0]] = np.arange(len(pairs))
    return 1 << number[orders[:, pairs[:, 0]], orders[:, pairs[:, 1]]]
