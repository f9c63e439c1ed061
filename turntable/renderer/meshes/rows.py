"""Equal rows of a table, found by sorting one number a row instead of the rows.

A table is given by its columns [C, N]: numpy is fast along the last axis.
"""

from math import prod

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.integer]

_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
"""Odd constants of 64 bits, one a column."""


def unique_rows(columns: Columns) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows that differ, in lexicographic order.

    Returns:
        The first index of each distinct row [U], and which of them every row is [N].
    """
    keys = _packed(columns)
    if keys is None:
        _, first, number = np.unique(columns.T, axis=0, return_index=True, return_inverse=True)
        return first, number.reshape(-1)
    return _unique(keys)


def row_numbers(columns: Columns) -> NDArray[np.intp]:
    """[N]: the same number for equal rows of three columns; the numbers have no order."""
    mixed = np.zeros(columns.shape[1], dtype=np.uint64)
    for column, odd in zip(columns, _ODD, strict=True):
        mixed = (mixed ^ (mixed >> np.uint64(29)) ^ column.astype(np.uint64)) * np.uint64(odd)
    first, number = _unique(mixed)
    # Different rows of one hash are next to impossible, and made on purpose they would join faces.
    alike = all(np.array_equal(column[first][number], column) for column in columns)
    return number if alike else unique_rows(columns)[1]


def _unique(keys: NDArray[np.int64] | NDArray[np.uint64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    if not len(keys):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    order = np.argsort(keys)
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    number = np.empty(len(keys), dtype=np.intp)
    number[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(keys)))
    # The sort need not be stable, so the first of equal rows is looked for.
    return np.minimum.reduceat(order, starts), number


def _packed(columns: Columns) -> NDArray[np.int64] | None:
    """One number a row, in the rows' order; None where it would not fit."""
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
