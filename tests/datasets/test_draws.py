import hashlib
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from turntable.datasets.draws import draw_factors
from turntable.datasets.recipe import Recipe, load_recipe
from turntable.errors import InvalidInputError

RECIPE = load_recipe("3diebench-t")


def test_any_order_and_subset_draws_equal_bits() -> None:
    whole = draw_factors(RECIPE, "a/b", range(50))
    views = list(range(50))
    random.Random(0).shuffle(views)
    assert draw_factors(RECIPE, "a/b", views).tobytes() == whole[views].tobytes()
    assert draw_factors(RECIPE, "a/b", range(7, 31)).tobytes() == whole[7:31].tobytes()
    for view in (0, 1, 49):
        assert draw_factors(RECIPE, "a/b", view).tobytes() == whole[view : view + 1].tobytes()
    assert draw_factors(RECIPE, "a/b", [3, 3]).tobytes() == whole[[3, 3]].tobytes()


def test_shape_and_type() -> None:
    assert draw_factors(RECIPE, "a", 5).shape == (1, 10)
    assert draw_factors(RECIPE, "a", []).shape == (0, 10)
    assert draw_factors(RECIPE, "a", range(3)).dtype == np.float32


def test_golden_values() -> None:
    # Every label of every data set hangs on these; they hold for all versions and machines.
    recipe = load_recipe("3diebench")
    assert draw_factors(recipe, "02691156/abc", 0)[0].tolist() == [
        1.1957693099975586,
        0.6575573086738586,
        1.2765038013458252,
        0.7219868302345276,
        0.5298212766647339,
        5.191593647003174,
        0.7173961400985718,
    ]
    assert draw_factors(recipe, "02691156/abc", 49)[0].tolist() == [
        1.164914846420288,
        0.27898484468460083,
        -0.6425104737281799,
        0.23752465844154358,
        0.6646886467933655,
        0.11341319978237152,
        0.35537582635879517,
    ]
    digest = hashlib.sha256(draw_factors(RECIPE, "mug/7", range(1000)).tobytes()).hexdigest()
    assert digest == "ee8b6d82cda500457955f930d0d2cc20b8a715bbd937e9c3f686ee4d40742be8"


def test_what_does_not_decide_labels_changes_none() -> None:
    other = RECIPE.replace(views=3, image_size_px=16, name="x", quality="fast")
    assert draw_factors(other, "a", range(9)).tobytes() == draw_factors(RECIPE, "a", range(9)).tobytes()


def test_seed_object_and_view_all_change_labels() -> None:
    base = draw_factors(RECIPE, "a", 0)
    for other in (
        draw_factors(RECIPE.replace(seed=1), "a", 0),
        draw_factors(RECIPE, "b", 0),
        draw_factors(RECIPE, "a", 1),
    ):
        assert not (base == other).any()


def test_factors_are_uniform_and_independent() -> None:
    labels = np.concatenate([draw_factors(RECIPE, f"object/{n}", range(50)) for n in range(400)])
    for column, factor in enumerate(RECIPE.factors):
        spread = stats.uniform(factor.low, factor.high - factor.low)
        assert stats.kstest(labels[:, column], spread.cdf).pvalue > 1e-3, factor.name
    correlation = np.corrcoef(labels, rowvar=False) - np.eye(10)
    assert np.abs(correlation).max() < 4 / np.sqrt(len(labels))
    # Neighbouring views are independent too.
    neighbours = [np.corrcoef(labels[:-1, c], labels[1:, c])[0, 1] for c in range(10)]
    assert np.abs(neighbours).max() < 4 / np.sqrt(len(labels))


@given(low=st.floats(0, 0.999), width=st.floats(1e-6, 1e-3))
def test_rounding_never_leaves_the_range(low: float, width: float) -> None:
    table = RECIPE.to_dict()
    table["factors"]["floor_hue"] = {"low": low, "high": min(low + width, 1.0)}
    values = draw_factors(Recipe.from_dict(table), "a", range(64))[:, 3].astype(np.float64)
    assert (values >= low).all()
    assert (values <= min(low + width, 1.0)).all()


def test_fixed_factors_are_their_value() -> None:
    table = RECIPE.to_dict()
    table["factors"]["light_hue"] = {"value": 0.1}
    assert (draw_factors(Recipe.from_dict(table), "a", range(9))[:, 6] == np.float32(0.1)).all()


def test_negative_views_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=">= 0"):
        draw_factors(RECIPE, "a", [0, -1])
