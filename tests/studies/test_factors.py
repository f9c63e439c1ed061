"""The study of factors on features that are made up: what a part says of a factor is known."""

import dataclasses

import numpy as np
import pytest

from tests.support.made_up_features import CLASSES, NAMES, circle, made_up_split, material, values, with_parts
from turntable.datasets.labels import STANDARD_FACTORS_BY_NAME
from turntable.errors import IntegrityError, InvalidInputError
from turntable.studies.factor_study import compute_factor_study


def one_hot(split):
    return np.repeat(np.eye(len(CLASSES))[split.categories][:, None], split.num_views, axis=1)


def parts(random, split):
    """An invariant part of the category alone, an equivariant one of an angle alone, and both in one."""
    noise = random.normal(size=(split.num_objects, split.num_views, 3))
    what, where = one_hot(split), circle(split, "rotation_y_rad")
    whole = np.concatenate([what, where], axis=2)
    return {"representation": whole, "invariant": what, "equivariant": where, "noise": noise}


def splits(parts=parts, **how):
    return made_up_split(parts, **how), made_up_split(parts, **{"objects": 30, **how}, seed=1, prefix="other")


def numbers(outcome):
    """Values by row and column."""
    (table,) = outcome.tables
    return {
        row.names[-1]: {c.name: s.value for c, s in zip(table.columns, row.scores, strict=True)}
        for row in table.rows
    }


def test_a_part_explains_what_is_in_it_and_nothing_else():
    outcome = compute_factor_study(material(*splits()))
    found = numbers(outcome)
    assert list(found) == ["representation", "invariant", "equivariant", "noise", "constant"]
    assert list(found["noise"]) == [
        "rotation x",
        "rotation y",
        "rotation z",
        "floor hue",
        "light theta",
        "category, %",
    ]
    assert found["equivariant"]["rotation y"] == pytest.approx(1, abs=1e-6)
    assert found["representation"]["rotation y"] == pytest.approx(1, abs=1e-6)
    others = [v for name, v in found["equivariant"].items() if name not in ("rotation y", "category, %")]
    others += [v for name, v in found["invariant"].items() if name != "category, %"]
    assert max(map(abs, others)) < 0.1
    assert found["invariant"]["category, %"] == found["representation"]["category, %"] == 1
    assert found["equivariant"]["category, %"] < 0.5
    assert max(v for name, v in found["noise"].items() if name != "category, %") < 0.02
    assert all(-0.1 < v <= 0 for name, v in found["constant"].items() if name != "category, %")
    assert found["constant"]["category, %"] == pytest.approx(1 / 3)
    assert outcome.notes == ()


def test_the_parts_are_compared_in_a_sentence_only_where_intervals_do_not_meet():
    train, val = splits()
    two = [
        with_parts(s, {n: s.parts[n] for n in ("representation", "invariant", "equivariant")})
        for s in (train, val)
    ]
    (sentence,) = compute_factor_study(material(*two)).findings
    assert sentence.startswith("made up: the invariant part explains most of category (100.0 against ")
    assert "; the equivariant part explains most of rotation y (1.00 against " in sentence
    assert sentence.endswith("; the intervals of rotation x, rotation z, floor hue, light theta overlap.")
    alike = [
        with_parts(s, dict.fromkeys(("invariant", "equivariant"), s.parts["noise"])) for s in (train, val)
    ]
    (sentence,) = compute_factor_study(material(*alike)).findings
    assert sentence.startswith("made up: no part explains any factor more than another")


def test_one_part_is_compared_with_what_sees_no_image():
    train, val = splits()
    whole = [with_parts(s, {"representation": s.parts["representation"]}) for s in (train, val)]
    (sentence,) = compute_factor_study(material(*whole)).findings
    assert sentence.startswith("made up: the representation explains rotation y (1.00 against ")
    assert "category (100.0 against 33.3); rotation x, rotation z" in sentence
    assert sentence.endswith("no better than the constant baseline.")
    noise = [with_parts(s, {"representation": s.parts["noise"]}) for s in (train, val)]
    (sentence,) = compute_factor_study(material(*noise)).findings
    assert sentence == "made up: the representation explains no factor better than the constant baseline."


def test_an_independent_calculation_gives_the_same_numbers():
    """Least squares by numpy, where there are so many rows that no penalty helps."""

    weights = np.random.default_rng(3).normal(size=(4, 5)) / 10

    def mixed(random, split):
        x, y = circle(split, "rotation_x_rad"), values(split, "light_theta_rad")[..., None]
        noise = 0.1 * random.normal(size=(split.num_objects, split.num_views, 5))
        return {"representation": np.concatenate([x, 4 * y, 4 * y], axis=2) @ weights + noise}

    train, val = splits(mixed, objects=400)
    found = numbers(compute_factor_study(material(train, val)))["representation"]
    rows = [
        np.concatenate([s.parts["representation"].reshape(-1, 5), np.ones((s.num_objects * 4, 1))], axis=1)
        for s in (train, val)
    ]
    for name in NAMES:
        period = 1.0 if "hue" in name else 2 * np.pi
        wanted, true = (
            values(s, name).reshape(-1, 1) if "light" in name else circle(s, name, period).reshape(-1, 2)
            for s in (train, val)
        )
        told = rows[1] @ np.linalg.lstsq(rows[0], wanted, rcond=None)[0]
        r2 = 1 - np.square(told - true).sum() / np.square(true - true.mean(axis=0)).sum()
        title = name.removesuffix("_rad").replace("_", " ")
        assert found[title] == pytest.approx(r2, abs=1e-3 if r2 > 0.1 else 1e-2), name
    assert min(found["light theta"], found["rotation x"]) > 0.1


def test_the_order_of_objects_changes_nothing():
    def permuted(split, seed):
        order = np.random.default_rng(seed).permutation(split.num_objects)
        return dataclasses.replace(
            split,
            parts={name: part[order] for name, part in split.parts.items()},
            quaternions=split.quaternions[order],
            categories=split.categories[order],
            object_ids=tuple(split.object_ids[row] for row in order),
            labels=split.labels[order],
        )

    train, val = splits()
    one = compute_factor_study(material(train, val))
    other = compute_factor_study(material(permuted(train, 5), permuted(val, 6)))
    assert one.tables == other.tables
    for name, array in one.details.items():
        np.testing.assert_array_equal(array, other.details[name])


def test_numbers_come_again_from_the_details():
    outcome = compute_factor_study(material(*splits()))
    details, (table,) = outcome.details, outcome.tables
    r2 = 1 - details["errors"].sum(axis=2) / details["spreads"].sum(axis=1)
    for row, of_factors, named in zip(table.rows, r2, details["named"], strict=True):
        found = [score.value for score in row.scores]
        np.testing.assert_allclose(found, [*of_factors, named.mean()], atol=1e-9)
    assert all(array.dtype.kind in "fU" for array in details.values())
    assert details["objects"].tolist() == sorted(f"other/{number:04d}" for number in range(30))


def test_intervals_hold_their_numbers_and_are_over_objects():
    (table,) = compute_factor_study(material(*splits())).tables
    for row in table.rows:
        for score in row.scores:
            assert score.low - 1e-9 <= score.value <= score.high + 1e-9 or row.names[-1] == "constant"
    twice = [
        dataclasses.replace(
            s,
            parts={n: np.repeat(p, 4, axis=1) for n, p in s.parts.items()},
            quaternions=np.repeat(s.quaternions, 4, axis=1),
            labels=np.repeat(s.labels, 4, axis=1),
        )
        for s in splits()
    ]
    (repeated,) = compute_factor_study(material(*twice)).tables
    for one, other in zip(table.rows, repeated.rows, strict=True):
        for a, b in zip(one.scores, other.scores, strict=True):
            assert (b.low, b.high) == (pytest.approx(a.low, abs=1e-6), pytest.approx(a.high, abs=1e-6))


def test_what_never_varies_is_left_out_with_a_note():
    outcome = compute_factor_study(material(*splits(fixed=("light_theta_rad",))))
    assert "light theta" not in numbers(outcome)["noise"]
    assert outcome.notes == ("light_theta_rad: left out; it does not vary in the train split",)
    train, val = splits()
    still = dataclasses.replace(val, labels=val.labels.copy())
    still.labels[..., 3] = 0.5
    outcome = compute_factor_study(material(train, still))
    assert outcome.notes == ("floor_hue: left out; it does not vary in the val split",)
    assert outcome.details["errors"].shape == (5, 4, 30)


def test_both_ends_of_a_circle_are_one_place():
    train, val = splits()
    ends = [dataclasses.replace(s, labels=s.labels.copy()) for s in (train, val)]
    for split in ends:
        split.labels[..., 3] = np.arange(split.num_views) % 2  # a hue of 0 is one of 1
    assert compute_factor_study(material(*ends)).notes == (
        "floor_hue: left out; it does not vary in the train split",
    )


def test_what_lies_between_views_is_left_out():
    train, val = splits()
    turned = [
        dataclasses.replace(
            s,
            schema=dataclasses.replace(
                s.schema,
                factors=(*s.schema.factors[:4], dataclasses.replace(s.schema.factors[4], role="derived")),
            ),
        )
        for s in (train, val)
    ]
    assert compute_factor_study(material(*turned)).notes == (
        "light_theta_rad: left out; it is a relation of two views, and heads see one",
    )


def test_one_view_an_object_is_enough():
    found = numbers(compute_factor_study(material(*splits(views=1, objects=80))))
    assert found["equivariant"]["rotation y"] == pytest.approx(1, abs=1e-4)
    assert found["invariant"]["category, %"] == 1


def test_one_category_is_nothing_to_tell():
    outcome = compute_factor_study(material(*splits(classes=1)))
    assert "category, %" not in numbers(outcome)["noise"]
    assert outcome.notes == ("category: left out; all objects of the train split are of the same category",)
    assert (outcome.details["named"] == 0).all()


def test_the_category_alone_may_vary():
    outcome = compute_factor_study(material(*splits(fixed=NAMES)))
    assert numbers(outcome)["invariant"] == {"category, %": 1}
    assert len(outcome.notes) == len(NAMES)
    assert outcome.details["errors"].shape == (5, 0, 30)


def test_features_of_objects_without_ids_stay_in_their_order():
    nameless = [dataclasses.replace(s, object_ids=()) for s in splits()]
    outcome = compute_factor_study(material(*nameless))
    assert outcome.tables == compute_factor_study(material(*splits())).tables
    assert outcome.details["objects"].tolist() == list(range(30))


def test_objects_of_a_category_that_training_never_saw_are_left_out_of_its_score():
    train, val = splits()
    other = dataclasses.replace(val, categories=np.where(val.categories == 1, 7, val.categories))
    outcome = compute_factor_study(material(train, other))
    assert numbers(outcome)["invariant"]["category, %"] == pytest.approx(1)
    is_known = other.categories != 7
    assert (
        f"category: scored on {is_known.sum()} of {len(is_known)} objects; the others are of categories that"
        " the train split does not have"
    ) in outcome.notes
    none = compute_factor_study(material(train, dataclasses.replace(val, categories=val.categories + 7)))
    assert "category, %" not in numbers(none)["invariant"]
    assert "category: left out; no object is of a category that the train split has" in none.notes


def test_class_numbers_need_not_be_those_of_columns():
    train, val = (dataclasses.replace(s, categories=5 * s.categories + 2) for s in splits())
    found = numbers(compute_factor_study(material(train, val)))
    assert found["invariant"]["category, %"] == 1
    assert found["constant"]["category, %"] == pytest.approx(1 / 3)


def test_more_features_than_rows():
    def wide(random, split):
        where = circle(split, "rotation_y_rad") @ random.normal(size=(2, 300))
        return {"representation": where, "noise": random.normal(size=where.shape)}

    train = made_up_split(wide, objects=20)
    val = with_parts(made_up_split(wide, objects=30, seed=1, prefix="other"), {})
    random = np.random.default_rng(0)
    random.uniform(0, 1, (20, 4, 5))  # as the train split drew before its weights
    weights = random.normal(size=(2, 300))
    noise = np.random.default_rng(9).normal(size=(30, 4, 300))
    val = with_parts(val, {"representation": circle(val, "rotation_y_rad") @ weights, "noise": noise})
    found = numbers(compute_factor_study(material(train, val)))
    assert found["representation"]["rotation y"] > 0.98
    assert max(v for name, v in found["noise"].items() if name != "category, %") < 0.1


@pytest.mark.slow
def test_an_mlp_finds_what_a_linear_head_cannot():
    def squared(random, split):
        y = values(split, "light_theta_rad")[..., None]
        sign = random.choice([-1.0, 1.0], y.shape)
        hue = circle(split, "floor_hue", 1.0)
        return {"representation": np.concatenate([y * sign, hue, one_hot(split)], axis=2)}

    train, val = splits(squared, objects=300)
    linear, deep = (
        numbers(compute_factor_study(material(train, val, heads)))["representation"]
        for heads in ("linear", "mlp")
    )
    assert linear["light theta"] < 0.1
    assert deep["light theta"] > 0.8
    assert deep["floor hue"] > 0.95
    assert deep["category, %"] == 1


def test_each_run_has_its_rows_and_its_picture():
    outcome = compute_factor_study(material(*splits(), labels=("sie", "vicreg")))
    (table,) = outcome.tables
    assert [row.names for row in table.rows] == [
        *(
            (run, part)
            for run in ("sie", "vicreg")
            for part in ("representation", "invariant", "equivariant", "noise")
        ),
        ("constant baseline", "constant"),
    ]
    assert [picture.title.split()[-1] for picture in outcome.figures] == ["sie", "vicreg"]
    assert all(picture.image.startswith(b"\x89PNG") for picture in outcome.figures)
    assert [finding.split(":")[0] for finding in outcome.findings] == ["sie", "vicreg"]


def test_what_cannot_be_studied_is_refused():
    train, val = splits()
    with pytest.raises(InvalidInputError, match="measure another split"):
        compute_factor_study(material(train, val, split="train"))
    with pytest.raises(InvalidInputError, match="features without labels"):
        compute_factor_study(material(dataclasses.replace(train, labels=None, schema=None), val))
    with pytest.raises(InvalidInputError, match="nothing varies in this data set: rotation_x_rad"):
        compute_factor_study(material(*splits(fixed=NAMES, classes=1)))
    broken = with_parts(train, {"representation": train.parts["noise"] * np.nan})
    for heads in ("linear", "mlp"):
        with pytest.raises(InvalidInputError, match="values that are not finite"):
            compute_factor_study(material(broken, val, heads))
    wrong = dataclasses.replace(val, labels=val.labels * np.nan)
    with pytest.raises(IntegrityError, match="some labels are not finite numbers"):
        compute_factor_study(material(train, wrong))


@pytest.mark.parametrize("name", [name for name in STANDARD_FACTORS_BY_NAME if name not in NAMES])
def test_every_factor_of_a_recipe_can_be_explained(name):
    period = STANDARD_FACTORS_BY_NAME[name].factor.period

    def told(random, split):
        del random
        return {"representation": circle(split, name, period) if period else values(split, name)[..., None]}

    found = numbers(compute_factor_study(material(*splits(told, names=(*NAMES, name)))))
    title = name.removesuffix("_rad").removesuffix("_w").removesuffix("_px").replace("_", " ")
    assert found["representation"][title] == pytest.approx(1, abs=1e-5)
    assert found["representation"]["rotation x"] < 0.1
