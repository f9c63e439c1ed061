"""Sets of small graphs that tell how much a network can tell apart, without any data set."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from typing import Literal, get_args

import numpy as np

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.graphs.edges import Indices, draw_permutation, make_key, make_undirected
from turntable.graphs.graph import Graph, parse_graph6

StronglyRegularFamily = Literal["sr16622", "sr251256", "sr261034", "sr281264", "sr291467", "sr401224"]
"""Families of strongly regular graphs by their parameters: "sr16622" has 16 vertices of degree 6, of which
adjacent ones share 2 neighbors, and others 2."""
CSL_SKIPS = (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)
"""The skips that give ten graphs on 41 vertices, no two of them isomorphic (Murphy et al., ICML 2019)."""


def make_csl_graphs(num_vertices: int = 41, skips: Sequence[int] = CSL_SKIPS) -> tuple[Graph, ...]:
    """Make circular graphs with skip links: a cycle whose vertices are joined to those a skip ahead, too.

    All are regular of degree 4, so no network of messages tells them apart. The label is the place of the
    skip in the list.

    Args:
        num_vertices: Number of vertices, at least 5.
        skips: A skip for each graph, from 2 to half of the vertices, so that each vertex has 4 neighbors.

    Raises:
        InvalidInputError: A skip is out of this range.
    """
    if bad := [skip for skip in skips if not 2 <= skip < num_vertices / 2]:
        raise InvalidInputError(
            f"skip {bad[0]} on {num_vertices} vertices: give 2 to {(num_vertices - 1) // 2}"
        )
    return tuple(
        Graph(_list_circular_edges(num_vertices, (1, skip)), num_vertices, label)
        for label, skip in enumerate(skips)
    )


def make_regular_graphs(num_graphs: int = 120, seed: int = 0) -> tuple[Graph, ...]:
    """Make two classes of graphs of degree 4 on 15 vertices, which no network of messages tells apart.

    Those of label 0 are drawn uniformly, those of label 1 are line graphs of cubic graphs drawn on 10
    vertices, which have about twice as many triangles. Labels alternate.

    Args:
        num_graphs: Number of graphs of each class.
        seed: Seed of the draws. A larger number of graphs begins with the same ones.
    """
    pairs = (
        (draw_regular_graph(15, 4, seed, index), replace(_draw_line_graph(seed, index), label=1))
        for index in range(num_graphs)
    )
    return tuple(graph for pair in pairs for graph in pair)


def draw_regular_graph(num_vertices: int, degree: int, seed: int, index: int = 0) -> Graph:
    """Draw a graph all of whose vertices have the same degree, uniformly among labeled ones.

    Ends of edges are paired at random until no pair is a loop or comes twice.

    Args:
        num_vertices: Number of vertices, more than the degree.
        degree: Degree, from 1 to 5: the number of tries grows very fast with it.
        seed: Seed.
        index: Number of the graph among those of the seed.

    Raises:
        InvalidInputError: There is no such graph, or the degree is too large.
    """
    if not 1 <= degree <= 5 or degree >= num_vertices or num_vertices * degree % 2:
        raise InvalidInputError(
            f"degree {degree} on {num_vertices} vertices: give a degree from 1 to 5 below the number of "
            "vertices, and an even product of the two"
        )
    ends, attempt = np.repeat(np.arange(num_vertices), degree), 0
    while True:
        key = make_key("regular", num_vertices, degree, seed, index, attempt)
        pairs = ends[draw_permutation(key, len(ends))].reshape(-1, 2)
        edges = make_undirected(pairs)
        if len(edges) == len(ends):
            return Graph(edges, num_vertices)
        attempt += 1


def load_strongly_regular_graphs(family: StronglyRegularFamily) -> tuple[Graph, ...]:
    """Load all strongly regular graphs of a family; the label is the number of the graph.

    The lists are those of E. Spence and B. McKay. No test that refines the colors of pairs of vertices tells
    graphs of a family apart.

    Raises:
        InvalidInputError: The family is not known.
    """
    check_choice("family", family, get_args(StronglyRegularFamily))
    text = (resources.files("turntable.graphs") / f"{family}.g6").read_text("ascii")
    return tuple(replace(parse_graph6(line), label=label) for label, line in enumerate(text.splitlines()))


def _list_circular_edges(num_vertices: int, steps: Sequence[int]) -> Indices:
    """Return the edges that lead from each vertex of a circle some steps ahead, and back."""
    around = np.arange(num_vertices)
    return make_undirected(
        np.concatenate([np.column_stack([around, (around + step) % num_vertices]) for step in steps])
    )


def _draw_line_graph(seed: int, index: int) -> Graph:
    """Return the line graph of a random cubic graph on 10 vertices: its 15 edges, joined where they meet."""
    cubic = draw_regular_graph(10, 3, seed, index).edges
    edges = cubic[cubic[:, 0] < cubic[:, 1]]
    meets = (edges[:, None, :, None] == edges[None, :, None, :]).any(axis=(2, 3))
    return Graph(make_undirected(np.argwhere(meets)), len(edges))
