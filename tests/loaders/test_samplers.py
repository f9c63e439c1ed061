import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from turntable.errors import InvalidInputError
from turntable.loaders import (
    Fixed,
    Fresh,
    Pairs,
    Samples,
    Sequences,
    Singles,
    Tuples,
    Views,
    ViewSelection,
    draw_validation_pairs,
    select_all_views,
)
from turntable.loaders.sampling import Sampler, draw_random_pairs, select_views


def draw(
    sampler: Sampler, selection: ViewSelection, epoch: int = 0, seed: int = 0, window: int | None = None
):
    samples = sampler.draw_samples(selection, window, seed, epoch)
    assert len(samples) == sampler.count_samples(selection)
    assert samples.views.shape == (len(samples), sampler.views)
    return samples


def to_rows(samples: Samples) -> set[tuple[int, ...]]:
    return {(int(a), *b) for a, b in zip(samples.objects, samples.views.tolist(), strict=True)}


def test_pairs_are_what_they_were() -> None:
    # A run that resumes under a later version must go on with the same pairs.
    pairs = draw(Pairs(2), select_all_views([3], 50), epoch=2, seed=7)
    assert np.stack([pairs.objects, *pairs.views.T]).tolist() == [
        [2, 0, 1, 2, 0, 1],
        [5, 37, 30, 29, 0, 40],
        [41, 16, 48, 10, 12, 16],
    ]
    digest = "76af93575098a45bddbff10af3b4a8cfc71385cb6a839fcc18d479164177edb8"
    assert draw_validation_pairs(select_all_views([4], 6), 3, seed=0).digest == digest
    assert draw_random_pairs(select_all_views([3], 50), 2, 7, 2).digest == pairs.digest


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.integers(3, 7),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([None, 1, 2]),
)
def test_every_object_comes_as_often_as_promised(
    shards: list[int], views: int, visits: int, each: int, window: int | None
) -> None:
    selection = select_all_views(shards, views)
    for sampler in (
        Pairs(visits, each),
        Tuples(3, visits, each),
        Fresh(2, visits, each),
        Singles(visits * each),
    ):
        samples = draw(sampler, selection, epoch=3, window=window)
        assert (np.bincount(samples.objects, minlength=len(selection)) == visits * each).all()
        assert all(len(set(row)) == sampler.views for row in samples.views.tolist())
    assert len(to_rows(draw(Views(), selection, window=window))) == sum(shards) * views


def test_each_visit_shows_every_object_before_the_next() -> None:
    pairs = draw(Pairs(3), select_all_views([20], 5))
    for start in (0, 20, 40):
        assert sorted(pairs.objects[start : start + 20]) == list(range(20))
    assert pairs.objects[:20].tolist() != pairs.objects[20:40].tolist()


def test_no_visit_of_an_epoch_repeats_in_the_next() -> None:
    selection = select_all_views([30], 5)
    orders = [
        draw(Pairs(2), selection, epoch).objects[start : start + 30].tolist()
        for epoch in range(4)
        for start in (0, 30)
    ]
    assert len({tuple(order) for order in orders}) == 8


def test_seed_and_epoch_change_everything() -> None:
    selection = select_all_views([500], 50)
    base = draw(Pairs(), selection)
    for other in (draw(Pairs(), selection, seed=1), draw(Pairs(), selection, epoch=1)):
        assert (base.objects == other.objects).mean() < 0.05
        assert (base.views == other.views).mean() < 0.1
    assert base.digest == draw(Pairs(), selection).digest


def test_pairs_of_one_visit_do_not_share_a_batch() -> None:
    selection = select_all_views([16] * 8, 10)
    samples = draw(Pairs(pairs_per_visit=6), selection, window=4)
    for start in range(0, len(samples), 32):
        assert len(set(samples.objects[start : start + 32])) == 32


def test_all_ordered_pairs_are_equally_likely() -> None:
    samples = draw(Pairs(), select_all_views([60_000], 6))
    counts = np.zeros((6, 6), dtype=int)
    np.add.at(counts, tuple(samples.views.T), 1)
    assert (np.diag(counts) == 0).all()
    assert stats.chisquare(counts[~np.eye(6, dtype=bool)]).pvalue > 1e-3


def test_filtered_objects_show_only_what_the_filter_left() -> None:
    kept = [(0, 1), (0, 3), (2, 0), (2, 2), (2, 5), (3, 4)]
    selection = select_views([2, 2], *np.array(kept).T)
    assert to_rows(draw(Views(), selection)) == set(kept)
    pairs = draw(Pairs(40), selection.with_min_views(2))
    assert set(pairs.objects) == {0, 2}
    assert {(a, b) for a, *views in to_rows(pairs) for b in views} == set(kept[:-1])
    with pytest.raises(InvalidInputError, match="at least 4 views of each object; no object has more than 3"):
        selection.with_min_views(4)


def test_singles_show_each_object_once_a_visit_by_any_of_its_views() -> None:
    selection = select_all_views([4000], 5)
    samples = draw(Singles(visits=3), selection)
    for start in (0, 4000, 8000):
        assert sorted(samples.objects[start : start + 4000]) == list(range(4000))
    assert stats.chisquare(np.bincount(samples.views[:, 0], minlength=5)).pvalue > 1e-3
    filtered = select_views([2, 2], *np.array([(0, 1), (0, 3), (3, 4)]).T)
    assert to_rows(draw(Singles(50), filtered)) == {(0, 1), (0, 3), (3, 4)}
    assert draw(Singles(), selection, epoch=1).digest != draw(Singles(), selection).digest


def test_stored_order_is_object_by_object() -> None:
    samples = draw(Views(shuffled=False), select_all_views([2, 1], 3), epoch=5)
    assert samples.objects.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert samples.views[:, 0].tolist() == [0, 1, 2] * 3


def test_sequences_are_true_and_whole() -> None:
    selection = select_all_views([3, 2], 12, sequence_length=4)
    samples = draw(Sequences(4, visits=2), selection)
    assert (np.diff(samples.views, axis=1) == 1).all()
    assert (samples.views[:, 0] % 4 == 0).all()
    assert sorted(zip(samples.objects, samples.views[:, 0] // 4, strict=True)) == sorted(
        [(o, s) for o in range(5) for s in range(3)] * 2
    )
    parts = draw(Sequences(3, visits=50), selection)
    assert (parts.views[:, 0] // 4 == parts.views[:, -1] // 4).all()
    assert set(parts.views[:, 0] % 4) == {0, 1}
    # View 5 is filtered out: the second sequence of object 0 does not come.
    kept = [(0, view) for view in range(12) if view != 5]
    filtered = select_views([1], *np.array(kept).T, sequence_length=4)
    assert set(draw(Sequences(4), filtered).views[:, 0]) == {0, 8}


def test_sequences_are_refused_where_there_are_none_or_shorter_ones() -> None:
    with pytest.raises(InvalidInputError, match="has no sequences; render one with the recipe 'sequences'"):
        Sequences(4).count_samples(select_all_views([2], 8))
    with pytest.raises(
        InvalidInputError, match=r"Sequences\(5\): the sequences of this data set have only 4 views"
    ):
        Sequences(5).count_samples(select_all_views([2], 8, sequence_length=4))


@pytest.mark.parametrize(("views", "length"), [(2, 0), (1, 0), (3, 4)])
def test_fresh_views_never_come_again(views: int, length: int) -> None:
    selection = select_all_views([7, 6], 0, length)
    seen: set[tuple[int, int]] = set()
    for epoch in range(4):
        samples = draw(Fresh(views, 2, 2), selection, epoch, window=1)
        shown = [
            (int(a), view) for a, b in zip(samples.objects, samples.views.tolist(), strict=True) for view in b
        ]
        assert not seen & set(shown)
        assert len(set(shown)) == len(shown)
        seen |= set(shown)
        if length:
            assert (samples.views[:, 0] % length == 0).all()


def test_a_fixed_list_comes_as_it_is() -> None:
    selection = select_all_views([4], 6)
    pairs = draw_validation_pairs(selection, 5, seed=0)
    assert draw(Fixed(pairs), selection, epoch=3, seed=9, window=1).digest == pairs.digest
    few = select_views([4], np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    with pytest.raises(
        InvalidInputError, match="fixed samples have objects or views that this split does not have"
    ):
        Fixed(pairs).draw_samples(few, None, 0, 0)


@given(st.integers(1, 20), st.integers(2, 12), st.integers(0, 4), st.data())
def test_validation_pairs_repeat_none(objects: int, views: int, seed: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, views * (views - 1)))
    pairs = draw_validation_pairs(select_all_views([objects], views), count, seed)
    assert len(to_rows(pairs)) == len(pairs) == objects * count
    assert (pairs.views[:, 0] != pairs.views[:, 1]).all()
    assert pairs.views.max() < views


def test_validation_pairs_are_spread_over_views() -> None:
    selection = select_all_views([2000], 10)
    pairs = draw_validation_pairs(selection, 4, seed=0)
    for view in pairs.views.T:
        assert stats.chisquare(np.bincount(view)).pvalue > 1e-3
    assert pairs.digest != draw_validation_pairs(selection, 4, seed=1).digest


def test_too_many_pairs_or_impossible_numbers_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="13 pairs of each object: 4 views give 1 to 12 ordered pairs"
    ):
        draw_validation_pairs(select_all_views([3], 4), 13, 0)
    for make in (
        lambda: Pairs(0),
        lambda: Pairs(1, 0),
        lambda: Singles(0),
        lambda: Tuples(0),
        lambda: Sequences(3, 0),
        lambda: Fresh(0),
    ):
        with pytest.raises(InvalidInputError, match=r"(visits|views|_per_visit) 0: must be at least 1"):
            make()
