"""Edges of faces, and what a permutation does to them."""

import numpy as np

from turntable.graphs import (
    draw_permutation,
    list_edges,
    make_key,
    make_undirected,
    permute_indices,
    sort_faces,
)

OCTAHEDRON = np.array(
    [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]], np.int64
)


def test_edges_of_faces_come_in_both_directions_once_without_loops():
    edges = list_edges(np.concatenate([OCTAHEDRON, [[0, 0, 2]]]))  # the last one has no area, and a loop
    expected = {(a, b) for a in range(6) for b in range(6) if a // 2 != b // 2}  # all but opposite corners
    assert [tuple(edge) for edge in edges.tolist()] == sorted(expected)
    assert make_undirected(np.array([[3, 1], [1, 3], [2, 2]])).tolist() == [[1, 3], [3, 1]]


def test_a_permutation_is_undone_by_its_record():
    permutation = draw_permutation(make_key("a", 1), 6)
    assert sorted(permutation.tolist()) == list(range(6))
    assert permutation.tolist() != list(range(6))
    permuted = permute_indices(list_edges(OCTAHEDRON), permutation)
    # permuted = original[permutation], so vertex i of the permuted graph was vertex permutation[i].
    assert np.array_equal(make_undirected(permutation[permuted]), list_edges(OCTAHEDRON))
    assert permute_indices(np.array([-1, permutation[2]]), permutation).tolist() == [-1, 2]


def test_a_key_decides_the_permutation():
    assert make_key("a", 1) != make_key("a", 2)
    assert make_key("a", 1) == make_key("a", "1")
    same = [draw_permutation(7, 50) for _ in range(2)]
    assert np.array_equal(*same)
    assert not np.array_equal(same[0], draw_permutation(8, 50))


def test_permutations_are_uniform():
    drawn = [tuple(draw_permutation(make_key(seed), 3).tolist()) for seed in range(1200)]
    counts = [drawn.count(order) for order in sorted(set(drawn))]
    assert len(counts) == 6
    assert sum((count - 200) ** 2 / 200 for count in counts) < 20.5  # chi-squared of 5 at 0.001


def test_sorted_faces_keep_their_winding():
    shuffled = np.roll(OCTAHEDRON[::-1], 1, axis=1)
    assert np.array_equal(sort_faces(shuffled), sort_faces(OCTAHEDRON))
    assert not np.array_equal(sort_faces(OCTAHEDRON[:, ::-1]), sort_faces(OCTAHEDRON))
    assert (sort_faces(OCTAHEDRON).argmin(axis=1) == 0).all()
    assert sort_faces(np.zeros((0, 3), np.int32)).shape == (0, 3)
