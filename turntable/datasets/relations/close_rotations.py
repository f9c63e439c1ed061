"""The search for rotations that are close to each other, among many."""

from collections.abc import Iterator

import numpy as np

from turntable.datasets.labels import FloatArray
from turntable.datasets.relations.labeled_views import IntArray
from turntable.errors import InvalidInputError

_BLOCK = 256
"""Number of rotations that are compared with all others in reach at a time."""
MAX_PAIRS = 1 << 27


def find_close_rotations(quaternions: FloatArray, min_cosine: float) -> tuple[IntArray, IntArray]:
    """Find for each rotation the ones close to it, itself among them.

    Args:
        quaternions: [U, 4] unit quaternions xyzw, of either sign.
        min_cosine: Least |cos| of half the angle between close rotations.

    Returns:
        [U + 1] index of each rotation's first neighbor, and the neighbors, rotation by rotation, ascending.

    Raises:
        InvalidInputError: There are more than ``MAX_PAIRS`` pairs.
    """
    pairs = list(_iter_pairs(quaternions, min_cosine))
    first = np.concatenate([np.empty(0, np.int64), *(pair[0] for pair in pairs)])
    second = np.concatenate([np.empty(0, np.int64), *(pair[1] for pair in pairs)])
    order = np.lexsort((second, first))
    counts = np.bincount(first, minlength=len(quaternions))
    return np.concatenate([[0], np.cumsum(counts)]), second[order]


def _iter_pairs(quaternions: FloatArray, min_cosine: float) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the pairs of a block at a time.

    Quaternions of close rotations differ by at most sqrt(2 - 2 c) up to sign, and so does each |component|.
    So it is enough to compare rotations whose |w| differ by less.
    """
    height = np.abs(quaternions[:, 3])
    order = np.argsort(height, kind="stable")
    height, reach, found = height[order], np.sqrt(max(0.0, 2 - 2 * min_cosine)) + 1e-9, 0
    for begin in range(0, len(order), _BLOCK):
        block = order[begin : begin + _BLOCK]
        low = int(np.searchsorted(height, height[begin] - reach))
        high = int(np.searchsorted(height, height[begin + len(block) - 1] + reach, side="right"))
        others = order[low:high]
        rows, columns = np.nonzero(_compare_all(quaternions[block], quaternions[others]) >= min_cosine)
        found += len(rows)
        if found > MAX_PAIRS:
            raise InvalidInputError(
                f"more than {MAX_PAIRS:,} pairs of rotations of one category are this close; use a smaller "
                "inter_deg, a part of the data set (selection), or a recipe with a pose_bank"
            )
        yield block[rows], others[columns]


def _compare_all(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return |cos| of half the angle between all rotations, [B, N].

    The sums are those of ``compute_half_cosines`` to the bit.
    """
    # One component after the other needs a quarter of the memory of all products at once.
    total = first[:, :1] * second[:, 0]
    for column in range(1, 4):
        total += first[:, column, None] * second[:, column]
    return np.abs(total, out=total)
