"""The tables [street] and [scan] of a recipe: defaults, digests, and what is refused by name."""

import pytest

from turntable.console import build_recipe_tables
from turntable.datasets import Recipe, load_recipe
from turntable.errors import InvalidInputError, RecipeError
from turntable.renderer import open_recipe_source

STREET, OBJECTS = load_recipe("street"), load_recipe("scan-objects")
FACTORS = STREET.to_dict()["factors"]


def test_a_recipe_with_every_key_comes_back_from_toml():
    span = {"low": 1, "high": 2}
    street = {
        "objects": {"low": 1, "high": 1}, "lengths_m": {"tractor": 5, "car": 4}, "front": "-x", "area_m": 30,
        "gap_m": 1, "clearance_m": 3, "frame_s": 0.05, "resting": 0.1, "speed_m_per_s": span, "tries": 5,
        "yaw_rate_rad_per_s": 0.1, "ego_speed_m_per_s": span, "walls": span, "poles": span,
    }  # fmt: skip
    recipe = STREET.replace(street=street)
    assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert recipe.street.lengths_m == (("car", 4.0), ("tractor", 5.0))
    assert "1 objects (car, tractor) within 30 m" in str(recipe.street)
    assert Recipe.from_toml(OBJECTS.to_toml()) == OBJECTS
    assert Recipe.from_dict(STREET.to_dict()) == STREET


def test_the_defaults_are_those_of_the_shipped_recipes():
    bare = STREET.replace(street={}, scan={})
    assert bare.street == STREET.street
    assert bare.scan == STREET.scan
    assert bare.label_digest == STREET.label_digest
    assert Recipe.from_toml(bare.to_toml()) == bare
    assert "meters_per_unit" not in load_recipe("zoo").to_dict()


def test_every_law_of_a_street_is_part_of_the_label_digest_and_no_scanner_is():
    changes = [
        {"street": {"objects": {"low": 5, "high": 6}}},
        {"street": {"area_m": 24}},
        {"street": {"resting": 0.5}},
        {"street": {"frame_s": 0.2}},
        {"meters_per_unit": 21},
    ]
    digests = {STREET.replace(**change).label_digest for change in changes} | {STREET.label_digest}
    assert len(digests) == len(changes) + 1
    quiet = STREET.replace(scan={"noise_m": 0, "dropout": 0})
    assert quiet.label_digest == STREET.label_digest
    assert quiet.digest != STREET.digest


@pytest.mark.parametrize(
    ("recipe", "changes", "fault"),
    [
        (
            STREET,
            {"meters_per_unit": 0},
            "meters_per_unit: missing; the objects of a [street] have true sizes",
        ),
        (OBJECTS, {"meters_per_unit": 0}, "meters_per_unit: missing; a [scan] is in meters"),
        (STREET, {"scan": None}, "outputs: scan needs a scanner; add a table [scan]"),
        (STREET, {"outputs": ["rgb"]}, "scan: the scanner has no output"),
        (STREET, {"scan": {"beams": 129}}, "scan.beams: 129 is above 128"),
        (
            STREET,
            {"scan": {"beams": 128, "azimuth_step_deg": 0.1}},
            "scan.beams: 128 beams in 3,600 columns are 460,800 rays; at most 262,144 are possible",
        ),
        (STREET, {"scan": {"azimuth_step_deg": 0.7}}, "scan.azimuth_step_deg: 360 is no multiple of 0.7"),
        (STREET, {"scan": {"elevation_deg": {"low": -95, "high": 0}}}, "scan.elevation_deg: -95 to 0 leaves"),
        (STREET, {"scan": {"elevation_deg": {"low": 1, "high": 1}}}, "32 beams have one elevation"),
        (STREET, {"scan": {"dropout": 1}}, "scan.dropout: 1 is not below 1"),
        (STREET, {"scan": {"range": 50}}, "scan.range: unknown key; did you mean range_m?"),
        (
            STREET,
            {"scan": {"distance_m": {"low": 1, "high": 2}}},
            "scan.distance_m: the sensor of a [street]",
        ),
        (OBJECTS, {"scan": {}}, "scan.distance_m: missing"),
        (OBJECTS, {"scan": {"distance_m": {"low": -1, "high": 2}}}, "scan.distance_m: -1 is negative"),
        (STREET, {"street": {"objects": {"low": 0, "high": 2}}}, "street.objects.low: 0 is below 1"),
        (STREET, {"street": {"objects": {"low": 3, "high": 25}}}, "street.objects.high: 25 is above 24"),
        (STREET, {"street": {"poles": {"low": 3, "high": 2}}}, "street.poles: low 3 is above high 2"),
        (STREET, {"street": {"lengths_m": {"car": 0}}}, "street.lengths_m.car: 0"),
        (STREET, {"street": {"lengths_m": {}}}, "street.lengths_m: "),
        (STREET, {"street": {"lengths_m": {"ship": 90}}}, "ship of 90 m is longer than the area, 50 m"),
        (
            STREET,
            {"street": {"clearance_m": 25}},
            "street.clearance_m: 25 leaves no place within area_m = 25",
        ),
        (
            STREET,
            {"street": {"speed_m_per_s": {"low": -1, "high": 2}}},
            "street.speed_m_per_s: -1 is negative, but it is a speed along the heading",
        ),
        (STREET, {"street": {"wall": 3}}, "street.wall: unknown key; did you mean walls?"),
        (
            STREET,
            {"street": {"walls": {"least": 3}}},
            "street.walls.least: unknown key; the keys are low, high",
        ),
        (STREET, {"mirrored": True}, "mirrored: a [street] has no mirrored twin"),
        (STREET, {"source": "particles"}, "street: particles have no true size"),
        (STREET, {"joints": {"range": "full"}}, "joints: a [street] poses its objects by its own laws"),
        (
            STREET,
            {"sequence": {"length": 2, "motion": "constant", "speed_rad": {"low": 0, "high": 1}}},
            'sequence.motion: "constant" would move the ground of a [street]',
        ),
        (
            STREET,
            {"factors": FACTORS | {"rotation_z_rad": {"low": 0, "high": 1}}},
            "factors.rotation_z_rad: a [street] lies on the floor as it is; give value = 0",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(recipe, changes, fault):
    with pytest.raises(RecipeError) as caught:
        recipe.replace(**changes)
    assert fault in str(caught.value)


def test_a_street_needs_objects_of_its_categories():
    recipe = STREET.replace(street={"lengths_m": {"submarine": 9}})
    with pytest.raises(InvalidInputError, match="zoo has no objects of the categories submarine"):
        open_recipe_source(recipe, None, 2).list_objects()


def test_streets_of_a_longer_run_begin_with_the_same_ones():
    few, many = (open_recipe_source(STREET, None, count) for count in (3, 30))
    assert few.list_members("street/000002") == many.list_members("street/000002")
    assert [item.id for item in many.list_objects()][:3] == [item.id for item in few.list_objects()]
    members = few.list_members("street/000002")
    assert {item.category for item, _ in members} <= {"bicycle", "bus", "car", "dog", "truck"}
    train, val = (
        {item.id for n in range(30) for item, _ in many.list_members(f"street/{n:06d}")}
        & {item.id for item in many._get_pools()[split]}
        for split in ("train", "val")
    )
    assert train
    assert val
    small = open_recipe_source(STREET, None, 3, num_base_objects=10)
    assert {item.category for pool in small._get_pools().values() for item in pool} == {
        "bicycle", "bus", "car", "dog", "truck",
    }  # fmt: skip


def test_inspect_shows_the_street_and_the_scanner():
    facts, *_ = build_recipe_tables(STREET, None)
    shown = {
        str(name): str(value) for name, value in zip(*(column.cells for column in facts.columns), strict=True)
    }
    assert shown["views"] == "8 of each object, scan"
    assert shown["streets"].startswith("5 to 12 objects (bicycle, bus, car, dog, truck) within 25 m")
    assert (
        shown["scanner"]
        == "32 beams from -25 to 3 degrees in 900 columns, up to 50 m, 1.7 m above the ground"
    )
