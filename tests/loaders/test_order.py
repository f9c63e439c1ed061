import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from turntable.errors import InvalidInputError
from turntable.loaders.order import epoch_pairs, permutation, validation_pairs


@given(st.integers(0, 300), st.integers(0, 5), st.integers(0, 5))
def test_a_permutation_has_everything_once(count: int, seed: int, epoch: int) -> None:
    assert sorted(permutation(count, seed, epoch)) == list(range(count))


def test_orders_are_what_they_were() -> None:
    # A run that resumes under a later version must go on in the same order.
    assert permutation(10, seed=0, epoch=0).tolist() == [5, 4, 0, 3, 7, 6, 8, 9, 2, 1]
    assert permutation(10, seed=0, epoch=1).tolist() == [7, 3, 9, 1, 4, 2, 8, 5, 0, 6]
    pairs = epoch_pairs(3, 50, 2, seed=7, epoch=2)
    assert np.stack([pairs.objects, pairs.view_1, pairs.view_2]).tolist() == [
        [2, 0, 1, 2, 0, 1],
        [5, 37, 30, 29, 0, 40],
        [41, 16, 48, 10, 12, 16],
    ]
    assert (
        validation_pairs(4, 6, 3, seed=0).digest
        == "76af93575098a45bddbff10af3b4a8cfc71385cb6a839fcc18d479164177edb8"
    )


def test_seed_and_epoch_change_everything() -> None:
    base = epoch_pairs(500, 50, 1, seed=0, epoch=0)
    for other in (epoch_pairs(500, 50, 1, seed=1, epoch=0), epoch_pairs(500, 50, 1, seed=0, epoch=1)):
        assert (base.objects == other.objects).mean() < 0.05
        assert (base.view_1 == other.view_1).mean() < 0.1
    assert base.digest == epoch_pairs(500, 50, 1, seed=0, epoch=0).digest


@given(st.integers(1, 40), st.integers(2, 9), st.integers(1, 4), st.integers(0, 3))
def test_two_views_are_distinct_and_there(objects: int, views: int, rounds: int, epoch: int) -> None:
    pairs = epoch_pairs(objects, views, rounds, seed=3, epoch=epoch)
    assert len(pairs) == objects * rounds
    assert (np.bincount(pairs.objects, minlength=objects) == rounds).all()
    assert (pairs.view_1 != pairs.view_2).all()
    for view in (pairs.view_1, pairs.view_2):
        assert view.min() >= 0
        assert view.max() < views


def test_each_round_visits_every_object_before_the_next() -> None:
    pairs = epoch_pairs(20, 5, 3, seed=0, epoch=0)
    for start in (0, 20, 40):
        assert sorted(pairs.objects[start : start + 20]) == list(range(20))
    assert pairs.objects[:20].tolist() != pairs.objects[20:40].tolist()


def test_no_round_of_an_epoch_repeats_in_the_next() -> None:
    orders = [
        epoch_pairs(30, 5, 2, seed=0, epoch=epoch).objects[start : start + 30].tolist()
        for epoch in range(4)
        for start in (0, 30)
    ]
    assert len({tuple(order) for order in orders}) == 8


def test_all_ordered_pairs_are_equally_likely() -> None:
    pairs = epoch_pairs(60_000, 6, 1, seed=0, epoch=0)
    counts = np.zeros((6, 6), dtype=int)
    np.add.at(counts, (pairs.view_1, pairs.view_2), 1)
    assert (np.diag(counts) == 0).all()
    assert stats.chisquare(counts[~np.eye(6, dtype=bool)]).pvalue > 1e-3


@given(st.integers(1, 20), st.integers(2, 12), st.integers(0, 4), st.data())
def test_validation_pairs_repeat_none(objects: int, views: int, seed: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, views * (views - 1)))
    pairs = validation_pairs(objects, views, count, seed)
    rows = set(zip(pairs.objects.tolist(), pairs.view_1.tolist(), pairs.view_2.tolist(), strict=True))
    assert len(rows) == len(pairs) == objects * count
    assert (pairs.view_1 != pairs.view_2).all()
    assert max(pairs.view_1.max(), pairs.view_2.max()) < views


def test_validation_pairs_are_spread_over_views() -> None:
    pairs = validation_pairs(2000, 10, 4, seed=0)
    for view in (pairs.view_1, pairs.view_2):
        assert stats.chisquare(np.bincount(view)).pvalue > 1e-3
    assert pairs.digest != validation_pairs(2000, 10, 4, seed=1).digest


def test_too_few_views_or_too_many_pairs_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="pairs need at least 2 views of each object; this data set has 1"
    ):
        epoch_pairs(3, 1, 1, 0, 0)
    with pytest.raises(
        InvalidInputError, match="13 pairs of each object: 4 views give 1 to 12 ordered pairs"
    ):
        validation_pairs(3, 4, 13, 0)
