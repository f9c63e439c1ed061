"""Tests of equal rows of three columns, with and without packing and hashing."""

import numpy as np
import pytest

from turntable.renderer.meshes import unique_rows

RNG = np.random.default_rng(5)
NARROW = RNG.integers(-2, 3, (3, 200))
FAR = 2**40
"""Three columns of this width do not fit one number of 64 bits."""


@pytest.mark.parametrize(
    "columns", [NARROW, NARROW * FAR, np.empty((3, 0), np.int64)], ids=["narrow", "wide", "none"]
)
def test_rows_are_found_as_numpy_finds_them(columns):
    first, number = unique_rows.find_unique_rows(columns)
    _, expected, inverse = np.unique(columns.T, axis=0, return_index=True, return_inverse=True)
    assert first.tolist() == expected.tolist()
    assert number.tolist() == inverse.reshape(-1).tolist()
    numbered = unique_rows.number_rows(columns)
    pairs = {(int(mine), int(theirs)) for mine, theirs in zip(numbered, number, strict=True)}
    assert len(pairs) == len(first), "the same rows have the same numbers, and no others"


def test_different_rows_of_one_hash_stay_apart(monkeypatch):
    monkeypatch.setattr(unique_rows, "_HASH_MULTIPLIERS", (0, 0, 0))  # every row has the hash 0
    assert len(set(unique_rows.number_rows(NARROW).tolist())) == len(np.unique(NARROW.T, axis=0))
