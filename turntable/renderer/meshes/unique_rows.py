"""Equal rows of integer tables, found by sorting one number for each row instead of the rows.

A table is given by its columns [C, N], because numpy is fast along the last axis.
"""

from math import prod

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.integer]
"""A table of integers [C, N]: C columns of N rows."""

_HASH_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
"""Odd 64-bit constants of well-known hash functions, one for each of three columns."""


def find_unique_rows(columns: Columns) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the distinct rows of a table, in lexicographic order.

    Args:
        columns: [C, N] table.

    Returns:
        The first index of each distinct row [U], and for every row the number of its distinct row [N].
    """
    keys = _pack_rows(columns)
    if keys is None:
        _, first, number = np.unique(columns.T, axis=0, return_index=True, return_inverse=True)
        return first, number.reshape(-1)
    return _find_unique_keys(keys)


def number_rows(columns: Columns) -> NDArray[np.intp]:
    """Assign numbers to the rows of a table of three columns so that equal rows share a number.

    Args:
        columns: [3, N] table.

    Returns:
        [N] numbers, in no particular order.
    """
    mixed = np.zeros(columns.shape[1], dtype=np.uint64)
    for column, multiplier in zip(columns, _HASH_MULTIPLIERS, strict=True):
        mixed = (mixed ^ (mixed >> np.uint64(29)) ^ column.astype(np.uint64)) * np.uint64(multiplier)
    first, number = _find_unique_keys(mixed)
    # By chance, two different rows practically never share a hash. A file made on purpose could have such
    # rows, and its faces would be merged, so every row is compared with the first row of its hash.
    has_collisions = not all(np.array_equal(column[first][number], column) for column in columns)
    return find_unique_rows(columns)[1] if has_collisions else number


def _find_unique_keys(
    keys: NDArray[np.int64] | NDArray[np.uint64],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the distinct keys.

    Returns:
        The first index of each distinct key [U], and for every key the number of its distinct key [N].
    """
    if not len(keys):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    order = np.argsort(keys)
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    number = np.empty(len(keys), dtype=np.intp)
    number[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(keys)))
    # The default sort is faster than a stable one but may reorder equal keys, so the first row of a key is
    # the smallest of its indices.
    return np.minimum.reduceat(order, starts), number


def _pack_rows(columns: Columns) -> NDArray[np.int64] | None:
    """Pack each row into one number that sorts as the row does, or return None if 64 bits are too few."""
    keys = np.zeros(columns.shape[1], dtype=np.int64)
    if not len(keys):
        return keys
    low = [int(column.min()) for column in columns]
    widths = [int(column.max()) - bottom + 1 for column, bottom in zip(columns, low, strict=True)]
    if prod(widths) >= 2**63:
        return None
    for column, bottom, width in zip(columns, low, widths, strict=True):
        keys = keys * width + (column.astype(np.int64) - bottom)
    return keys
