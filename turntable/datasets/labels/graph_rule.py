"""The graphs of a recipe: how the surface of each object is simplified."""

from dataclasses import dataclass
from typing import Any

DEFAULT_GRAPH_VERTICES = 200
"""Largest number of vertices of a graph, if a recipe does not say it."""
MIN_GRAPH_VERTICES = 8
MAX_GRAPH_VERTICES = 4096
"""Least and greatest number that a recipe may give."""


@dataclass(frozen=True, slots=True)
class GraphRule:
    """The rule by which graphs are made, as in a recipe's table [graph]."""

    vertices: int = DEFAULT_GRAPH_VERTICES
    """Largest number of vertices of an object's graph."""

    def to_dict(self) -> dict[str, Any]:
        """Return the table [graph] of a recipe."""
        return {"vertices": self.vertices}

    def describe(self) -> str:
        """Return a short description for people."""
        return f"at most {self.vertices} vertices"
