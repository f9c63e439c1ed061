"""Properties of every valid recipe, over recipes that hypothesis generates."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turntable.datasets import Recipe, draw_factors
from turntable.datasets.draws import draw_joint_values
from turntable.datasets.labels import (
    LEGACY_ORDER,
    POSE_NAMES,
    ROTATION_NAMES,
    STANDARD_FACTORS,
    TRANSLATION_NAMES,
    StandardFactor,
)
from turntable.datasets.objects import Joint, ObjectPart

MOTIONS = ("constant", "screw", "in-plane", "independent")
PLAIN_KINDS = ("plain", "legacy", "rotation", *MOTIONS)
KINDS = (*PLAIN_KINDS, "bank", "bank on SO(3)", "environments")
STREAM = (3, 1)
JOINT = Joint("hinge", (0.0, 0.0, 1.0), (0.0, 0.0, 0.0), -0.3, 1.7)
PARTS = (ObjectPart("base", "base"), ObjectPart("lid", "lid", 0, JOINT))
IMAGE_SIZE_PX = 32


@st.composite
def ranges(draw: st.DrawFn, least: float, most: float) -> dict[str, float]:
    """Draw two ends that differ in float32 too."""
    width = draw(st.floats(1e-3, 1.0)) * (most - least)
    low = least + draw(st.floats(0, 1)) * (most - least - width)
    return {"low": low, "high": min(low + width, most)}


@st.composite
def factors(draw: st.DrawFn, standard: StandardFactor, kinds: str) -> dict[str, float]:
    least = standard.minimum
    most = standard.maximum - (1e-6 if standard.maximum_excluded else 0)
    if standard.factor.unit == "px":
        least, most = -IMAGE_SIZE_PX / 2, IMAGE_SIZE_PX / 2
    kind = draw(st.sampled_from(kinds))
    if kind == "v":
        return {"value": draw(st.floats(least, most))}
    whole = math.ceil(least), math.floor(most)
    if kind == "i" and whole[0] < whole[1]:
        low = draw(st.integers(whole[0], whole[1] - 1))
        return {"low": low, "high": draw(st.integers(low + 1, whole[1])), "integer": True}
    if kind == "t" and standard.minimum < 0:
        span = draw(ranges(0, most))
        return {"inner": span["low"], "outer": span["high"]}
    return draw(ranges(least, most))


@st.composite
def sequence_tables(draw: st.DrawFn, motion: str, free: list[str]) -> dict[str, Any]:
    table: dict[str, Any] = {"length": draw(st.integers(2, 4)), "motion": motion}
    if motion != "independent":
        speeds = st.lists(st.floats(-math.pi, math.pi), min_size=1, max_size=5, unique=True)
        table["speed_rad"] = draw(ranges(0, math.pi) | speeds.map(lambda values: {"values": values}))
    if motion == "screw" and draw(st.booleans()):
        table |= {"offset": draw(ranges(0, 0.3)), "travel": draw(ranges(-0.7, 0.7))}
    if motion == "in-plane":
        free = [name for name in free if name != "camera_elevation_rad"]
    return table | ({"vary": draw(st.lists(st.sampled_from(free), unique=True))} if free else {})


@st.composite
def joint_tables(draw: st.DrawFn, *, in_sequences: bool) -> dict[str, Any]:
    table: dict[str, Any] = {"range": draw(st.sampled_from(("full", "seen", "unseen")))}
    if table["range"] != "full" and draw(st.booleans()):
        table["seen_fraction"] = draw(st.floats(0.05, 0.95))
    if draw(st.booleans()):
        return table | {"per": "object"}
    return table | ({"motion": draw(st.sampled_from(("linear", "held")))} if in_sequences else {})


@st.composite
def scene_tables(draw: st.DrawFn, views: int, length: int) -> dict[str, Any]:
    most = draw(st.integers(2, 8))
    area, size = draw(st.floats(0.5, 1.0)), draw(st.floats(0.05, 0.3))
    table: dict[str, Any] = {
        "objects": {"low": draw(st.integers(2, most)), "high": most},
        "size": {"low": size, "high": draw(st.floats(size, 0.3))},
        "area": area,
        draw(st.sampled_from(["law", "orientation", "gap"])): None,
    }
    chosen = {"law": ["train", "ood"], "orientation": ["upright", "haar"], "gap": [0.0, 0.05]}
    table = {
        key: draw(st.sampled_from(chosen[key])) if value is None else value for key, value in table.items()
    }
    if draw(st.booleans()):
        shared = [count for count in range(1, views + 1) if views % (count * length) == 0]
        table["arrangements"] = draw(st.sampled_from(shared))
    if not {"ood", "haar"} & {table.get("law"), table.get("orientation")} and draw(st.booleans()):
        table["level"] = draw(st.floats(-1, 1))
    return table | ({"tries": draw(st.integers(1, 1000))} if draw(st.booleans()) else {})


@st.composite
def interventions(draw: st.DrawFn, tables: dict[str, Any], free: list[str]) -> dict[str, Any]:
    """Draw environments and a coupling of the light's hue, which wraps around its circle."""
    tables["light_hue"] = {"low": 0.0, "high": 1.0}
    numbers = st.floats(-3, 3)
    on = draw(st.sampled_from(["category", *(name for name in free if name != "light_hue")]))
    coupling = {"factor": "light_hue", "on": on, "slope": draw(numbers), "offset": draw(numbers)}
    environments: list[dict[str, Any]] = [{"name": "plain"}]
    changed = draw(st.lists(st.sampled_from([name for name in free if name != "light_hue"]), unique=True))
    by_name = {item.factor.name: item for item in STANDARD_FACTORS}
    overrides = {name: draw(factors(by_name[name], "rtvi")) for name in changed}
    environments.append({"name": "changed", "factors": overrides, "slopes": {"light_hue": draw(numbers)}})
    return {"environment": environments, "coupling": [{**coupling, "noise": draw(st.floats(0, 0.5))}]}


@st.composite
def recipes(draw: st.DrawFn, kind: str) -> Recipe:
    named = [item for item in STANDARD_FACTORS if item.default is None or draw(st.booleans())]
    on_so3 = kind in ("rotation", "bank on SO(3)") or (kind in MOTIONS and draw(st.booleans()))
    if on_so3:
        named = [item for item in named if item.factor.name not in ROTATION_NAMES]
    tables = {}
    for item in named:
        kinds = (
            "rv"
            if kind == "legacy" and item.factor.name in LEGACY_ORDER
            else "v"
            if kind == "legacy"
            else "rtvi"
        )
        tables[item.factor.name] = draw(factors(item, kinds))
    table: dict[str, Any] = {"name": "made", "source": "zoo", "views": 12, "image_size_px": IMAGE_SIZE_PX}
    table["seed"] = draw(st.integers(0, 2**31))
    if kind == "legacy":
        table |= {"draws": "numpy-legacy", "chunks": draw(st.integers(1, 4))}
    if on_so3:
        outside = (
            {"outside": "3diebench", "margin_deg": draw(st.floats(0, 60))} if draw(st.booleans()) else {}
        )
        table["rotation"] = {"kind": "uniform", **outside}
    if kind in ("bank", "bank on SO(3)"):
        table["pose_bank"] = draw(st.integers(1, 30))
    if kind in ("bank", "bank on SO(3)", "environments"):
        table |= draw(interventions(tables, [name for name in tables if name not in ROTATION_NAMES]))
    if kind in MOTIONS:
        free = [name for name, item in tables.items() if name not in POSE_NAMES and "value" not in item]
        table["sequence"] = draw(sequence_tables(kind, free))
        if kind == "screw":
            tables = {name: item for name, item in tables.items() if name not in TRANSLATION_NAMES}
    if kind != "legacy" and draw(st.booleans()):
        table |= {"source": "articulated", "joints": draw(joint_tables(in_sequences=kind in MOTIONS))}
    elif kind != "legacy" and draw(st.booleans()):
        table["scene"] = draw(scene_tables(12, table["sequence"]["length"] if kind in MOTIONS else 1))
    return Recipe.from_dict(table | {"factors": tables})


def labels_of(recipe: Recipe, object_id: str, views: Any) -> np.ndarray:
    stream = STREAM if recipe.draws == "numpy-legacy" else None
    return draw_factors(recipe, object_id, views, stream, category=object_id.split("/")[0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(data=st.data())
def test_every_recipe(kind: str, data: st.DataObject) -> None:
    recipe = data.draw(recipes(kind))
    again = Recipe.from_toml(recipe.to_toml())
    assert again == recipe
    assert (again.digest, again.label_digest) == (recipe.digest, recipe.label_digest)
    assert again.factors == recipe.factors

    whole = labels_of(recipe, "a/b", range(recipe.views))
    assert whole.dtype == np.float32
    assert whole.shape == (recipe.views, len(recipe.schema))
    for column, factor in enumerate(recipe.factors):
        assert factor.contains(whole[:, column]).all(), (factor, whole[:, column])

    # Equal digests, equal draws; and every view is the same in any company.
    other = again.replace(name="other", image_size_px=64, val_fraction=0.5)
    assert other.label_digest == recipe.label_digest
    assert labels_of(other, "a/b", range(recipe.views)).tobytes() == whole.tobytes()
    more = other.replace(views=2 * recipe.views)
    if recipe.draws != "numpy-legacy":  # which lays out one stream by the number of views
        assert labels_of(more, "a/b", range(more.views))[: recipe.views].tobytes() == whole.tobytes()
    views = data.draw(st.lists(st.integers(0, recipe.views - 1), max_size=6))
    assert labels_of(recipe, "a/b", views).tobytes() == whole[views].tobytes()
    values, some = (
        draw_joint_values(each, "a/b", PARTS, np.array(chosen, dtype=np.int64))
        for each, chosen in ((recipe, range(recipe.views)), (other, views))
    )
    assert some.tobytes() == values[views].tobytes()
    assert values.min() >= JOINT.low
    assert values.max() <= JOINT.high


@pytest.mark.parametrize("kind", PLAIN_KINDS)
@settings(max_examples=15)
@given(data=st.data())
def test_different_objects_differ(kind: str, data: st.DataObject) -> None:
    recipe = data.draw(recipes(kind))
    drawn = (
        any(factor.distribution != "fixed" for factor in recipe.drawn_factors) or recipe.rotation is not None
    )
    if recipe.draws == "numpy-legacy":
        first, second = (draw_factors(recipe, "a", range(12), (3, index)) for index in (0, 1))
    else:
        first, second = (labels_of(recipe, name, range(12)) for name in ("a", "b"))
    moving = recipe.sequence is not None and recipe.sequence.is_moving
    assert (first.tobytes() != second.tobytes()) == (drawn or moving)


def test_neighboring_objects_have_nothing_in_common() -> None:
    recipe = Recipe.from_dict(
        {
            "name": "made",
            "source": "zoo",
            "views": 12,
            "image_size_px": 32,
            "rotation": {"kind": "uniform", "outside": "3diebench", "margin_deg": 60},
            "factors": {
                "floor_hue": {"low": 0, "high": 1},
                "light_theta_rad": {"low": 0, "high": 1},
                "light_phi_rad": {"low": 0, "high": 1},
                "light_hue": {"low": 0, "high": 1},
            },
        }
    )
    rows = np.concatenate([draw_factors(recipe, f"object/{n}", range(12)) for n in range(20)])
    assert len(np.unique(rows, axis=0)) == len(rows)
    for name in ("rotation_x_rad", "floor_hue"):
        assert len(np.unique(rows[:, recipe.schema.get_column(name)])) == pytest.approx(len(rows), abs=1)
