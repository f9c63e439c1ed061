"""Settings of the graphs in batches."""

from dataclasses import dataclass

from turntable.errors import InvalidInputError
from turntable.loaders.argument_checks import is_flag, is_integer

DEFAULT_NEIGHBORS = 14
"""Number of neighbors of a point: that of S-GCN (Igashov et al., 2021)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphOptions:
    """Settings of the graphs in batches.

    Raises:
        InvalidInputError: A value is wrong.
    """

    neighbors: int = DEFAULT_NEIGHBORS
    """Number of neighbors k of each point in ``knn_edges``."""
    permute: bool = False
    """True to draw an order of the vertices for each sample of each epoch, in addition to the order that was
    drawn when the object was written. ``vertex_permutation`` tells both in one."""

    def __post_init__(self) -> None:
        if not is_integer(self.neighbors) or self.neighbors < 1:
            raise InvalidInputError(f"neighbors {self.neighbors!r}: must be a whole number, at least 1")
        if not is_flag(self.permute):
            raise InvalidInputError(f"permute {self.permute!r}: must be True or False")
