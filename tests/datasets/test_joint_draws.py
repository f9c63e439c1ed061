"""Tests of the draws of joints, and of the table [joints] of recipes."""

from typing import Any

import numpy as np
import pytest

from turntable.datasets import Recipe, load_recipe
from turntable.datasets.draws import draw_joint_values
from turntable.datasets.labels import JointRule
from turntable.datasets.manifest_conventions import describe_conventions
from turntable.datasets.objects import Joint, ObjectPart
from turntable.errors import InvalidInputError, RecipeError

RANGES = ((-0.1, 0.7), (0.0, 0.3), (-2.0, 1.0))
BASE = ObjectPart("base", "base")
FULL, SEEN, UNSEEN = ({"range": name} for name in ("full", "seen", "unseen"))


def make_parts(*ranges: tuple[float, float]) -> tuple[ObjectPart, ...]:
    joints = [Joint("hinge", (0.0, 0.0, 1.0), (0.0, 0.0, 0.0), low, high) for low, high in ranges]
    return BASE, *(ObjectPart(f"part {i}", "arm", 0, joint) for i, joint in enumerate(joints))


PARTS = make_parts(*RANGES)


def make_recipe(joints: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    table = load_recipe("articulated").to_dict() | changes
    table.pop("joints")
    return Recipe.from_dict(table if joints is None else table | {"joints": joints})


def draw(recipe: Recipe, object_id: str = "a", views: Any = range(400)) -> np.ndarray:
    return draw_joint_values(recipe, object_id, PARTS, np.asarray(views, dtype=np.int64))


def to_shares(values: np.ndarray) -> np.ndarray:
    """Places of values within their joints' ranges, in [0, 1]."""
    low, high = np.array(RANGES).T
    return (values.astype(np.float64) - low) / (high - low)


@pytest.mark.parametrize("joints", [None, FULL])
def test_the_whole_range_is_drawn_evenly_and_never_left(joints: dict[str, Any] | None) -> None:
    values = draw(make_recipe(joints), views=range(4000))
    assert values.dtype == np.float32
    assert values.shape == (4000, 3)
    shares = to_shares(values)
    assert shares.min() >= 0
    assert shares.max() <= 1
    counts = np.stack([np.histogram(column, 10, (0, 1))[0] for column in shares.T])
    assert np.abs(counts - 400).max() < 5 * 400**0.5
    assert np.abs(np.corrcoef(shares.T) - np.eye(3)).max() < 0.08


def test_seen_and_unseen_values_have_nothing_in_common() -> None:
    seen, unseen = (to_shares(draw(make_recipe(rule), views=range(2000))) for rule in (SEEN, UNSEEN))
    assert 0.2 <= seen.min() < 0.205
    assert 0.795 < seen.max() <= 0.8
    assert np.abs(unseen - 0.5).min() >= 0.3 - 1e-12
    assert unseen.min() < 0.005
    assert unseen.max() > 0.995
    assert np.abs((unseen < 0.5).mean(axis=0) - 0.5).max() < 0.06


def test_the_share_that_is_seen_can_be_chosen() -> None:
    narrow = {"range": "seen", "seen_fraction": 0.1}
    assert np.abs(to_shares(draw(make_recipe(narrow))) - 0.5).max() <= 0.05
    assert np.abs(to_shares(draw(make_recipe({**narrow, "range": "unseen"}))) - 0.5).min() >= 0.05


@pytest.mark.parametrize("low", [0.1, 1 / 3, -0.7, 1.2345678901])
def test_rounding_does_not_leave_a_narrow_range(low: float) -> None:
    parts = make_parts((low, low + 2e-5))
    for rule, least, most in ((FULL, 0, 1), ({"range": "seen", "seen_fraction": 0.05}, 0.475, 0.525)):
        values = draw_joint_values(make_recipe(rule), "a", parts, np.arange(200)).astype(np.float64)
        assert values.min() >= low + least * 2e-5 - 1e-15
        assert values.max() <= low + most * 2e-5 + 1e-15


def test_a_value_depends_on_recipe_object_and_view_alone() -> None:
    recipe = make_recipe(SEEN)
    whole = draw(recipe)
    for views in ([7], [3, 390, 0, 3], range(100, 120)):
        assert draw(recipe, views=views).tobytes() == whole[list(views)].tobytes()
    assert draw(recipe.replace(name="other", views=3, image_size_px=32)).tobytes() == whole.tobytes()
    for other in (draw(recipe, "b"), draw(recipe.replace(seed=1)), draw(make_recipe(UNSEEN))):
        assert not (other == whole).any()
    assert len(np.unique(whole, axis=0)) == len(whole)


def test_joints_are_drawn_as_they_were() -> None:
    # Labels of data sets: a change of the code may not change them.
    assert draw(load_recipe("articulated"), "laptop/000003", [0, 7]).tolist() == [
        [0.19330967962741852, 0.18144111335277557, -0.48389288783073425],
        [0.3147585093975067, 0.2112405002117157, -1.2486298084259033],
    ]


def test_an_object_may_keep_one_value() -> None:
    recipe = make_recipe({"range": "unseen", "per": "object"})
    assert (draw(recipe) == draw(recipe)[0]).all()
    assert (draw(recipe, "b")[0] != draw(recipe)[0]).all()
    moving = make_recipe({"range": "unseen", "per": "object"}, views=20, sequence=SEQUENCE)
    assert (draw(moving) == draw(moving)[0]).all()


SEQUENCE = {"length": 5, "motion": "constant", "speed_rad": {"low": 0.1, "high": 0.2}}


@pytest.mark.parametrize("joints", [None, SEEN, UNSEEN])
def test_joints_move_evenly_over_a_sequence(joints: dict[str, Any] | None) -> None:
    recipe = make_recipe(joints, views=20, sequence=SEQUENCE)
    values = draw(recipe).astype(np.float64).reshape(80, 5, 3)
    np.testing.assert_allclose(np.diff(values, 2, axis=1), 0, atol=1e-6)
    moved = to_shares(values)[:, -1] - to_shares(values)[:, 0]
    assert np.abs(moved).min() > 0
    assert draw(recipe, views=[13, 2]).tobytes() == draw(recipe)[[13, 2]].tobytes()
    if joints == UNSEEN:
        assert np.abs(to_shares(values) - 0.5).min() >= 0.3 - 1e-12
    if joints is None:
        # Both ends are uniform, so the difference of two places has the variance 1/12 + 1/12.
        assert moved.var() == pytest.approx(1 / 6, rel=0.25)


def test_joints_may_be_held_over_a_sequence() -> None:
    values = draw(make_recipe({"range": "seen", "motion": "held"}, sequence=SEQUENCE)).reshape(80, 5, 3)
    assert (values == values[:, :1]).all()
    assert len(np.unique(values[:, 0, 0])) == 80


def test_an_object_without_joints_has_no_values() -> None:
    values = draw_joint_values(make_recipe(), "a", (BASE,), np.arange(4))
    assert (values.shape, values.dtype) == ((4, 0), np.float32)


@pytest.mark.parametrize("bounds", [(0.5, 0.5), (0.5, 0.5 + 1e-6), (1.0, 0.0), (0.0, np.inf), (np.nan, 1.0)])
def test_impossible_ranges_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(InvalidInputError, match="a: the joint of part part 1 has the range"):
        draw_joint_values(make_recipe(), "a", make_parts((0, 1), bounds), np.arange(2))


def test_the_table_comes_back_from_toml() -> None:
    table = {"range": "unseen", "seen_fraction": 0.4, "per": "object"}
    recipe = make_recipe(table)
    assert recipe.joints == JointRule("unseen", 0.4, "object")
    assert recipe.to_dict()["joints"] == table
    assert make_recipe({**SEEN, "seen_fraction": 0.6}).to_dict()["joints"] == SEEN
    again = Recipe.from_toml(recipe.to_toml())
    assert again == recipe
    assert (again.digest, again.label_digest) == (recipe.digest, recipe.label_digest)


def test_the_rule_of_joints_decides_labels() -> None:
    recipes = [make_recipe(), *map(make_recipe, (FULL, SEEN, UNSEEN)), make_recipe({**SEEN, "per": "object"})]
    assert len({recipe.label_digest for recipe in recipes}) == len(recipes)
    assert "joints" not in make_recipe().to_dict()


def test_the_shipped_recipes_differ_in_the_range_alone() -> None:
    seen, unseen = (load_recipe(name).to_dict() for name in ("articulated", "articulated-unseen"))
    assert (seen.pop("joints"), unseen.pop("joints")) == (SEEN, UNSEEN)
    for table in (seen, unseen):
        del table["name"], table["description"]
    assert seen == unseen


@pytest.mark.parametrize(
    ("joints", "changes", "fault"),
    [
        ({}, {}, "joints.range: missing"),
        ({"range": "half"}, {}, "joints.range: 'half' is not one of"),
        ({"range": "seen", "seen_fraction": 0}, {}, "joints.seen_fraction: 0 is below 0.05"),
        ({"range": "seen", "seen_fraction": 1}, {}, "joints.seen_fraction: 1 is above 0.95"),
        ({"range": "full", "seen_fraction": 0.5}, {}, 'joints.seen_fraction: range = "full" draws from'),
        ({"range": "seen", "per": "scene"}, {}, "joints.per: 'scene' is not one of"),
        ({"range": "seen", "motion": "held"}, {}, "joints.motion: joints move over sequences"),
        (
            {"range": "seen", "motion": "held", "per": "object"},
            {"sequence": SEQUENCE},
            'joints.motion: with per = "object"',
        ),
        ({"rang": "seen"}, {}, "joints.rang: unknown key; did you mean range?"),
        (SEEN, {"source": "zoo"}, 'joints: the objects of source = "zoo" have no joints'),
        (SEEN, {"source": "shapenet"}, 'joints: the objects of source = "shapenet" have no joints'),
        (SEEN, {"draws": "imported"}, 'joints: draws = "imported" does not support [joints]'),
    ],
)
def test_faulty_tables_are_refused_by_name(
    joints: dict[str, Any], changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        make_recipe(joints, **changes)
    assert fault in str(caught.value)


def test_a_source_that_may_have_joints_is_not_refused() -> None:
    assert make_recipe(SEEN, source="folder").joints == JointRule("seen")


def test_conventions_state_the_rule() -> None:
    stated = describe_conventions(load_recipe("articulated-unseen"))["joints"]
    assert stated.startswith("each joint uniform over both ends of its range, outside the middle 60%; one")
    assert "joints" not in describe_conventions(load_recipe("zoo"))
    moving, held = JointRule("seen"), JointRule("full", motion="held")
    assert moving.describe(in_sequences=False).endswith(
        "over the middle 60% of its range; one value for each view"
    )
    assert moving.describe(in_sequences=True).endswith("even motion over each sequence")
    assert held.describe(in_sequences=True).endswith("whole range; one value for each sequence")
