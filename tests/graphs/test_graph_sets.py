"""Sets of graphs: complete, as regular as they say, and told apart by what should tell them apart."""

from collections import Counter
from itertools import permutations

import networkx as nx
import numpy as np
import pytest

from turntable.errors import InvalidInputError
from turntable.graphs import (
    draw_regular_graph,
    iter_graph_batches,
    list_small_graphs,
    load_strongly_regular_graphs,
    make_csl_graphs,
    make_regular_graphs,
    parse_graph6,
)

FAMILIES = {"sr16622": 2, "sr251256": 15, "sr261034": 10, "sr281264": 4, "sr291467": 41, "sr401224": 28}


def adjacency(graph):
    matrix = np.zeros((graph.num_vertices,) * 2, np.int64)
    matrix[graph.edges[:, 0], graph.edges[:, 1]] = 1
    return matrix


def to_networkx(graph):
    made = nx.empty_graph(graph.num_vertices)
    made.add_edges_from(graph.edges.tolist())
    return made


def refine_colors(graph):
    """Refine the colors of the vertices until they are stable: all that messages can tell of a graph."""
    matrix, colors = adjacency(graph), [0] * graph.num_vertices
    for _ in range(graph.num_vertices):
        seen = [
            (colors[v], *sorted(colors[u] for u in np.flatnonzero(matrix[v]))) for v in range(len(colors))
        ]
        names = {color: number for number, color in enumerate(sorted(set(seen)))}
        colors = [names[color] for color in seen]
    return tuple(sorted(colors))


def test_small_graphs_are_all_graphs_once():
    """Every matrix of zeros and ones is a renumbering of exactly one graph of the list."""
    graphs = list_small_graphs(5)
    for count in range(1, 6):
        pairs = np.triu_indices(count, 1)
        matrices = Counter()
        for graph in graphs:
            if graph.num_vertices == count:
                own = adjacency(graph)
                matrices.update(
                    {own[np.ix_(p, p)][pairs].tobytes() for p in map(list, permutations(range(count)))}
                )
        assert len(matrices) == 2 ** len(pairs[0])
        assert set(matrices.values()) == {1}


def test_there_are_as_many_small_graphs_as_in_the_atlas():
    graphs = list_small_graphs()
    atlas = nx.graph_atlas_g()[1:]  # without the graph of no vertices
    assert len(graphs) == 1252
    assert Counter(map(_describe, map(to_networkx, graphs))) == Counter(map(_describe, atlas))
    assert [graph.label for graph in graphs] == list(range(1252))


def _describe(graph):
    matrix = nx.to_numpy_array(graph)
    return len(graph), tuple(np.round(np.linalg.eigvalsh(matrix), 6) + 0.0), tuple(sorted(matrix.sum(0)))


def test_skip_links_are_not_told_apart_by_messages():
    graphs = make_csl_graphs()
    assert len(graphs) == 10
    assert len({refine_colors(graph) for graph in graphs}) == 1
    for graph in graphs:
        matrix = adjacency(graph)
        assert (matrix == matrix.T).all()
        assert (matrix.sum(axis=0) == 4).all()
    spectra = {tuple(np.round(np.linalg.eigvalsh(adjacency(graph)), 6)) for graph in graphs}
    assert len(spectra) == 10
    assert [graph.label for graph in graphs] == list(range(10))


def test_regular_graphs_differ_in_triangles_alone():
    graphs = make_regular_graphs(40, seed=1)
    assert {len(graph.edges) for graph in graphs} == {60}
    assert {tuple(adjacency(graph).sum(axis=0)) for graph in graphs} == {(4,) * 15}
    assert not any(adjacency(graph).diagonal().any() for graph in graphs)
    assert len({refine_colors(graph) for graph in graphs}) == 1
    triangles = [np.trace(np.linalg.matrix_power(adjacency(graph), 3)) // 6 for graph in graphs]
    drawn, lines = (
        np.mean([count for count, graph in zip(triangles, graphs, strict=True) if graph.label == label])
        for label in (0, 1)
    )
    assert 4.5 < drawn < 7  # 5.6 and 11.7 over many
    assert 11 < lines < 12.5
    assert [graph.edges.tolist() for graph in graphs[:4]] == [
        graph.edges.tolist() for graph in make_regular_graphs(2, seed=1)
    ]
    assert graphs[0].edges.tolist() != make_regular_graphs(1, seed=2)[0].edges.tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_strongly_regular_graphs_are_strongly_regular(family):
    graphs = load_strongly_regular_graphs(family)
    assert len(graphs) == FAMILIES[family]
    shared, others = int(family[-2]), int(family[-1])
    for graph in graphs:
        matrix = adjacency(graph)
        degree = matrix[0].sum()
        common = matrix @ matrix
        expected = np.where(matrix, shared, others)
        np.fill_diagonal(expected, degree)
        assert np.array_equal(common, expected)
    cliques = Counter(tuple(sorted(_count_cliques(graph))) for graph in graphs)
    assert len(cliques) > 1


def _count_cliques(graph):
    """The number of edges among the common neighbors of each edge."""
    matrix = adjacency(graph)
    for a, b in graph.edges.tolist():
        both = matrix[a] & matrix[b]
        yield int(both @ matrix @ both)


def test_graph6_is_read_as_networkx_reads_it():
    for graph in [
        *list_small_graphs(4)[::3],
        make_csl_graphs(11, [2])[0],
        load_strongly_regular_graphs("sr16622")[1],
    ]:
        text = nx.to_graph6_bytes(to_networkx(graph)).decode()
        assert np.array_equal(parse_graph6(text).edges, graph.edges)
        assert parse_graph6(text).num_vertices == graph.num_vertices
    for bad in ("", "O~`", "~??", "é"):
        with pytest.raises(InvalidInputError, match="no graph of at most 62 vertices"):
            parse_graph6(bad)


def test_batches_hold_every_graph_once_in_an_order_of_their_own():
    graphs = list_small_graphs(4)
    batches = list(iter_graph_batches(graphs, 5, seed=1, permute=True))
    seen = np.concatenate([batch["graph_index"] for batch in batches])
    assert sorted(seen.tolist()) == list(range(len(graphs)))
    other = np.concatenate([b["graph_index"] for b in iter_graph_batches(graphs, 5, seed=1, epoch=1)])
    assert seen.tolist() != other.tolist()
    same = next(iter_graph_batches(graphs, 5, seed=1, permute=True))
    assert all(np.array_equal(same[name], values) for name, values in batches[0].items())


def test_permuted_batches_record_what_was_permuted():
    graphs = make_csl_graphs()
    (batch,) = iter_graph_batches(graphs, 16, permute=True)
    for row, index in enumerate(batch["graph_index"]):
        edges = batch["edges"][row, : batch["edge_count"][row]]
        order = batch["vertex_permutation"][row]
        assert order.tolist() != list(range(41))
        assert sorted(map(tuple, order[edges].tolist())) == list(map(tuple, graphs[index].edges.tolist()))
        assert batch["label"][row] == graphs[index].label


def test_what_there_is_not_is_refused():
    for call, words in (
        (lambda: make_csl_graphs(41, [21]), "skip 21 on 41 vertices: give 2 to 20"),
        (lambda: make_csl_graphs(8, [4]), "skip 4 on 8 vertices: give 2 to 3"),
        (lambda: draw_regular_graph(5, 3, 0), "degree 3 on 5 vertices"),
        (lambda: draw_regular_graph(4, 4, 0), "degree 4 on 4 vertices"),
        (lambda: draw_regular_graph(30, 6, 0), "degree 6"),
        (lambda: list_small_graphs(8), "max_vertices 8: give 1 to 7"),
        (lambda: load_strongly_regular_graphs("sr1"), "sr16622"),
        (lambda: next(iter_graph_batches(make_csl_graphs(), 0)), "batch_size 0"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            call()
