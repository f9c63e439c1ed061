"""Graphs: edges of surfaces, neighbors in clouds, batches of graphs, and sets of graphs to tell apart.

Everything here is numpy; batches are tensors of torch as well.
"""

from turntable.graphs.batches import (
    DenseGraphs,
    PackedGraphs,
    pack_graphs,
    pad_rows,
    to_dense,
    to_packed,
)
from turntable.graphs.edges import (
    draw_permutation,
    list_edges,
    make_key,
    make_undirected,
    permute_indices,
    sort_faces,
    sort_rows,
)
from turntable.graphs.graph import Graph, parse_graph6
from turntable.graphs.graph_batches import iter_graph_batches
from turntable.graphs.graph_sets import (
    draw_regular_graph,
    load_strongly_regular_graphs,
    make_csl_graphs,
    make_regular_graphs,
)
from turntable.graphs.neighbors import make_knn_graph, make_radius_graph, neighbors_to_edges
from turntable.graphs.small_graphs import list_small_graphs

__all__ = [
    "DenseGraphs",
    "Graph",
    "PackedGraphs",
    "draw_permutation",
    "draw_regular_graph",
    "iter_graph_batches",
    "list_edges",
    "list_small_graphs",
    "load_strongly_regular_graphs",
    "make_csl_graphs",
    "make_key",
    "make_knn_graph",
    "make_radius_graph",
    "make_regular_graphs",
    "make_undirected",
    "neighbors_to_edges",
    "pack_graphs",
    "pad_rows",
    "parse_graph6",
    "permute_indices",
    "sort_faces",
    "sort_rows",
    "to_dense",
    "to_packed",
]
