"""Batches of the graphs of a list, in the form in which loaders give the graphs of objects."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.errors import InvalidInputError
from turntable.graphs.batches import pad_edges, pad_rows
from turntable.graphs.edges import Indices, draw_permutation, make_key
from turntable.graphs.graph import Graph


def iter_graph_batches(
    graphs: Sequence[Graph], batch_size: int, *, seed: int = 0, epoch: int = 0, permute: bool = False
) -> Iterator[dict[str, NDArray[Any]]]:
    """Iterate over batches of graphs in a drawn order, in the form in which loaders give graphs.

    Args:
        graphs: Graphs. The last batch may be smaller.
        batch_size: Number of graphs of a batch, at least 1.
        seed: Seed of the order and the permutations.
        epoch: Number of the epoch; each has an order and permutations of its own.
        permute: True to draw an order of each graph's vertices.

    Yields:
        By name ``edges`` [B, E, 2], ``edge_count`` [B], ``vertex_count`` [B], ``vertex_mask`` [B, n],
        ``graph_index`` [B], ``label`` [B] and ``vertex_permutation`` [B, n]: vertex i is vertex
        ``vertex_permutation[i]`` of the graph; -1 where padded. n and E are the largest of all graphs.
    """
    if batch_size < 1:
        raise InvalidInputError(f"batch_size {batch_size}: give at least 1")
    order = draw_permutation(make_key("order", seed, epoch), len(graphs))
    sizes = max(graph.num_vertices for graph in graphs), max(len(graph.edges) for graph in graphs)
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        orders = [
            draw_permutation(make_key("vertices", seed, epoch, int(index)), graphs[index].num_vertices)
            if permute
            else np.arange(graphs[index].num_vertices)
            for index in chosen
        ]
        yield _pad_graphs([graphs[index] for index in chosen], orders, sizes) | {"graph_index": chosen}


def _pad_graphs(
    graphs: Sequence[Graph], orders: Sequence[Indices], sizes: tuple[int, int]
) -> dict[str, NDArray[Any]]:
    permuted = [graph.permute(order) for graph, order in zip(graphs, orders, strict=True)]
    count = np.array([graph.num_vertices for graph in graphs])
    return {
        "edges": pad_edges([graph.edges for graph in permuted], sizes[1]),
        "edge_count": np.array([len(graph.edges) for graph in graphs]),
        "vertex_count": count,
        "vertex_mask": np.arange(sizes[0]) < count[:, None],
        "vertex_permutation": pad_rows(orders, (sizes[0],), "int64", -1),
        "label": np.array([graph.label for graph in graphs]),
    }
