import hashlib
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from turntable.datasets import Recipe, draw_factors, load_recipe
from turntable.datasets.draws import is_same_draw, legacy_stream
from turntable.datasets.draws.legacy_stream import LegacyStream
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
    # Neighboring views are independent too.
    neighbors = [np.corrcoef(labels[:-1, c], labels[1:, c])[0, 1] for c in range(10)]
    assert np.abs(neighbors).max() < 4 / np.sqrt(len(labels))


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


PUBLISHED, PUBLISHED_T = load_recipe("3diebench-published"), load_recipe("3diebench-t-published")


def literal_stream(seed: int, objects: int, views: int, *, translations: bool) -> np.ndarray:
    """Draw as the published generators did, call by call; float64 [N, V, L] in the order of our columns."""
    random_ = np.random.RandomState(seed)  # np.random.seed(seed) and np.random.uniform, without the global
    labels = np.empty((objects, views, 10 if translations else 7))
    for number in range(objects):
        for view in range(views):
            row = labels[number, view]
            row[3] = random_.uniform(0, 1)
            row[4] = random_.uniform(0, np.pi / 4)
            row[5] = random_.uniform(0, 2 * np.pi)
            row[6] = random_.uniform(0, 1)
            if translations:
                for axis in range(3):
                    row[7 + axis] = random_.uniform(-0.5, 0.5)
            for axis in range(3):
                row[axis] = random_.uniform(-np.pi / 2, np.pi / 2)
    return labels


@pytest.mark.parametrize(("recipe", "seed"), [(PUBLISHED, 7), (PUBLISHED_T, 11)])
def test_published_labels_are_the_generators_number_for_number(recipe: Recipe, seed: int) -> None:
    expected = recipe.schema.round_values(
        literal_stream(seed, 6, 50, translations="translation_x" in recipe.schema)
    )
    for index in (3, 0, 5, 5, 1):
        drawn = draw_factors(recipe, "any/name", range(50), (seed, index))
        assert drawn.tobytes() == expected[index].tobytes()
    some = draw_factors(recipe, "any/name", [49, 2, 2], (seed, 4))
    assert some.tobytes() == expected[4][[49, 2, 2]].tobytes()


def test_the_stream_is_numpys_to_the_bit_before_rounding() -> None:
    drawn = LegacyStream(3).draw_uniform(70, [0.0, 0.0], [1.0, 2 * np.pi], 25)
    np.random.seed(3)  # noqa: NPY002 - the very calls of the published generators
    calls = [np.random.uniform(0, high) for _ in range(60) for high in (1.0, 2 * np.pi)]  # noqa: NPY002
    assert drawn.ravel().tolist() == calls[70:]


def test_any_place_of_a_stream_is_the_same_whatever_was_asked_before() -> None:
    whole = np.random.RandomState(5).random_sample(3_000_000)
    stream = LegacyStream(5)
    places = [2_900_000, 10, 131_071, 131_072, 131_073, 2_000_000, 2_000_050, 0, 2_999_950]
    for place in places:
        assert (stream.draw_uniform(place, [0.0], [1.0], 50).ravel() == whole[place : place + 50]).all()


def test_a_stream_remembers_no_more_states_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_stream, "_STRIDE", 16)
    monkeypatch.setattr(legacy_stream, "_MAX_STATES", 8)
    stream, whole = LegacyStream(1), np.random.RandomState(1).random_sample(4000)
    for place in [3000, 17, 2995, 900, 3900, 31, 32, 33]:
        assert stream.draw_uniform(place, [0.0], [1.0], 1)[0, 0] == whole[place]
        assert len(stream._states) <= 8


def test_published_labels_need_their_place() -> None:
    with pytest.raises(
        InvalidInputError, match=r"a/b: draws = .* needs the object's position in the published lists"
    ):
        draw_factors(PUBLISHED, "a/b", 0)
    with pytest.raises(InvalidInputError, match="there is no view 50 in the stream"):
        draw_factors(PUBLISHED, "a/b", 50, (0, 0))


def test_fixed_factors_take_no_number_of_the_stream() -> None:
    table = PUBLISHED.to_dict()
    table["factors"]["light_phi_rad"] = {"value": 1.0}
    labels = draw_factors(Recipe.from_dict(table), "a/b", range(2), (9, 0))
    random_ = np.random.RandomState(9)
    assert labels[0, 3] == np.float32(random_.uniform(0, 1))
    assert labels[0, 4] == np.float32(random_.uniform(0, np.pi / 4))
    assert labels[0, 5] == 1
    assert labels[0, 6] == np.float32(random_.uniform(0, 1))


def test_imported_labels_cannot_be_drawn() -> None:
    with pytest.raises(InvalidInputError, match="imported with its pictures"):
        draw_factors(RECIPE.replace(draws="imported"), "a/b", 0)


def test_two_sided_factors_have_either_sign_and_a_uniform_magnitude() -> None:
    recipe = load_recipe("3diebench-ood-legacy")
    labels = np.concatenate([draw_factors(recipe, f"object/{n}", range(50)) for n in range(100)])
    for column in range(3):
        values = labels[:, column].astype(np.float64)
        spread = stats.uniform(np.pi / 2, np.pi / 2)
        assert stats.kstest(np.abs(values), spread.cdf).pvalue > 1e-3
        assert abs((values > 0).mean() - 0.5) < 4 / np.sqrt(4 * len(values))
        assert abs(np.corrcoef(np.sign(values), np.abs(values))[0, 1]) < 4 / np.sqrt(len(values))


@pytest.mark.parametrize("name", ["so3-ood", "sequences", "3diebench-ood-legacy"])
def test_golden_labels_of_further_rules(name: str) -> None:
    golden = {
        "so3-ood": "0d832e014920151be79cf2baa18f8eb8d6e6562eca9204ddeec929e4a2575c27",
        "sequences": "90645870db2ca1556c5df6e4794ff102dd8d554e2f7167ac1fab2dcdc5151ebd",
        "3diebench-ood-legacy": "3efd0a514f480c4a3a6ff0b1c7d3f961182a8f9c9d7e8f390c1b85fdfaa78ff4",
    }
    labels = draw_factors(load_recipe(name), "02691156/abc", range(50)).astype(np.float64)
    # Sines and logarithms may differ in the last bit between machines: three decimals do not.
    digest = hashlib.sha256(np.round(labels, 3).tobytes()).hexdigest()
    assert digest == golden[name]


@pytest.mark.parametrize(("name", "same"), [("3diebench", False), ("so3-ood", True), ("sequences", True)])
def test_last_bits_may_differ_only_where_sines_are_computed(name, same):
    recipe = load_recipe(name)
    drawn = draw_factors(recipe, "a/b", range(10))
    assert is_same_draw(recipe, drawn, drawn.copy())
    assert is_same_draw(recipe, drawn, np.nextafter(drawn, np.float32(9))) == same
    assert not is_same_draw(recipe, drawn, draw_factors(recipe, "a/c", range(10)))
    assert not is_same_draw(recipe, drawn, drawn[:9])
