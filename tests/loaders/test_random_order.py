import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from turntable.errors import InvalidInputError
from turntable.loaders.sampling.random_order import (
    draw_distinct,
    draw_permutation,
    draw_spread_pairs,
    draw_visit_order,
    draw_words,
)


@given(st.integers(0, 300), st.integers(0, 5), st.integers(0, 5))
def test_a_permutation_has_everything_once(count: int, seed: int, epoch: int) -> None:
    assert sorted(draw_permutation(count, seed, epoch)) == list(range(count))


def test_orders_are_what_they_were() -> None:
    # A run that resumes under a later version must go on in the same order.
    assert draw_permutation(10, seed=0, epoch=0).tolist() == [5, 4, 0, 3, 7, 6, 8, 9, 2, 1]
    assert draw_permutation(10, seed=0, epoch=1).tolist() == [7, 3, 9, 1, 4, 2, 8, 5, 0, 6]
    shards = np.repeat(np.arange(4), 3)
    assert draw_visit_order(shards, None, 1, 0, 0).tolist() == draw_permutation(12, 0, 0).tolist()
    assert draw_visit_order(shards, 2, 2, 0, 0).tolist() == WINDOWED


WINDOWED = [1, 2, 5, 4, 0, 3, 2, 5, 1, 4, 0, 3, 11, 6, 8, 10, 9, 7, 11, 6, 8, 10, 9, 7]


@given(
    st.lists(st.integers(0, 6), max_size=8),
    st.one_of(st.none(), st.integers(1, 9)),
    st.integers(1, 4),
    st.integers(0, 3),
)
def test_a_visit_shows_everything_as_often_as_it_has_rounds(
    sizes: list[int], window: int | None, rounds: int, visit: int
) -> None:
    shards = np.repeat(np.arange(len(sizes)), sizes)
    order = draw_visit_order(shards, window, rounds, 3, visit)
    assert (np.bincount(order, minlength=len(shards)) == rounds).all()


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4))
def test_a_window_is_done_with_before_the_next_begins(window: int, rounds: int, size: int) -> None:
    shards = np.repeat(np.arange(13), size)
    order = shards[draw_visit_order(shards, window, rounds, 0, 0)]
    block = window * size * rounds
    blocks = [set(order[at : at + block].tolist()) for at in range(0, len(order), block)]
    assert sum(len(seen) for seen in blocks) == 13
    assert all(len(seen) <= window for seen in blocks)


@pytest.mark.parametrize("window", [None, 4])
def test_rounds_of_one_thing_stand_half_a_window_apart(window: int | None) -> None:
    shards = np.repeat(np.arange(12), 10)
    for visit in range(20):
        order = draw_visit_order(shards, window, 5, 0, visit)
        places = np.argsort(order, kind="stable").reshape(120, 5)
        assert np.diff(places, axis=1).min() >= (40 if window else 120) // 2
        orders = order.reshape(-1, 40 if window else 120)
        assert (orders[0] != orders[1]).any()


def test_seed_and_visit_change_the_order_of_shards_too() -> None:
    shards = np.repeat(np.arange(40), 2)
    first = [
        tuple(shards[draw_visit_order(shards, 1, 1, seed, visit)][::2]) for seed in (0, 1) for visit in (0, 1)
    ]
    assert len(set(first)) == 4


@given(st.lists(st.integers(4, 9), min_size=1, max_size=30), st.integers(1, 4), st.integers(0, 3))
def test_distinct_numbers_are_distinct_and_below_their_counts(
    counts: list[int], picks: int, seed: int
) -> None:
    bounds = np.array(counts)
    chosen = draw_distinct(
        bounds, picks, draw_words("t", seed, 0, len(counts) * picks).reshape(len(counts), picks)
    )
    assert chosen.shape == (len(counts), picks)
    assert all(len(set(row)) == picks for row in chosen.tolist())
    assert (chosen >= 0).all()
    assert (chosen < bounds[:, None]).all()


@pytest.mark.parametrize("picks", [1, 2, 3, 4])
def test_all_ordered_choices_are_equally_likely(picks: int) -> None:
    count = 60_000
    chosen = draw_distinct(
        np.full(count, 5), picks, draw_words("t", 0, 0, count * picks).reshape(count, picks)
    )
    codes = (chosen * 5 ** np.arange(picks)).sum(axis=1)
    _, found = np.unique(codes, return_counts=True)
    assert len(found) == np.prod(np.arange(5, 5 - picks, -1))
    assert stats.chisquare(found).pvalue > 1e-3


def test_spread_pairs_of_unequal_counts_repeat_none_and_are_refused_where_there_are_too_few() -> None:
    counts = np.array([2, 5, 3])
    first, second = draw_spread_pairs(counts, 2, 0)
    assert (first != second).all()
    assert (np.maximum(first, second) < np.repeat(counts, 2)).all()
    assert len(set(zip(np.repeat([0, 1, 2], 2), first, second, strict=True))) == 6
    with pytest.raises(InvalidInputError, match="3 pairs of each object: 2 views give 1 to 2 ordered pairs"):
        draw_spread_pairs(counts, 3, 0)
