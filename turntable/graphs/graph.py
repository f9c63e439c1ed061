"""A graph by itself, and its text in the format graph6."""

from dataclasses import dataclass, replace

import numpy as np

from turntable.errors import InvalidInputError
from turntable.graphs.edges import Indices, make_undirected, permute_indices


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A graph without loops."""

    edges: Indices
    """[E, 2] edges in both directions, sorted."""
    num_vertices: int
    label: int = 0
    """Class of the graph in its set."""

    def permute(self, permutation: Indices) -> "Graph":
        """Return the graph with vertex ``permutation[i]`` in place i."""
        return replace(self, edges=make_undirected(permute_indices(self.edges, permutation)))


def parse_graph6(text: str) -> Graph:
    """Parse a graph of at most 62 vertices in the format graph6 of nauty.

    Raises:
        InvalidInputError: The text is not of this form.
    """
    values = np.frombuffer(text.strip().removeprefix(">>graph6<<").encode(), np.uint8).astype(np.int64) - 63
    num_vertices = int(values[0]) if len(values) else -1
    num_pairs = num_vertices * (num_vertices - 1) // 2
    if not 0 <= num_vertices <= 62 or (values < 0).any() or len(values) != 1 + -(-num_pairs // 6):
        raise InvalidInputError(f"{text[:60]!r} is no graph of at most 62 vertices in the format graph6")
    bits = (values[1:, None] >> np.arange(5, -1, -1) & 1).reshape(-1)[:num_pairs]
    columns, rows = np.tril_indices(num_vertices, -1)
    return Graph(make_undirected(np.column_stack([rows, columns])[bits == 1]), num_vertices)
