"""Recipes that strangers made: refused by name, in a moment, with a message of bearable length."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable import cli
from turntable.datasets import Recipe, load_recipe
from turntable.errors import InvalidInputError, RecipeError

GOOD = load_recipe("zoo").to_toml()
LONGEST_MESSAGE = 8_000

TEXTS = {
    "deep array": ("a = " + "[\n" * 5_000, "nested too deeply"),
    "deep table": ("a = " + "{a=" * 1_300, "nested too deeply"),
    "deep array in one line": ("a = " + "[" * 5_000, "line 1 has 5,004 characters"),
    "dotted key": (".".join("a" * 100_000) + " = 1", "longer than 64 KiB"),
    "dotted key in lines": ("\n".join(f"k{n}." + ".".join("a" * 2_000) + "=1" for n in range(15)), "dots"),
    "dotted table": ("[" + ".".join("a" * 2_000) + "]", "dots"),
    "many tables": ("[a]\n" * 20_000, "longer than 64 KiB"),
    "long key": ("a" * 60_000 + " = 1", "line 1 has 60,004 characters"),
    "long value": (GOOD.replace('"zoo"', '"' + "z" * 3_000 + '"'), "zzz… is not one of"),
    "many unknown keys": ("\n".join(f"k{n} = 1" for n in range(4_000)), "and 3,985 more"),
    "many unknown values": ("outputs = [\n" + '"x",\n' * 8_000 + "]\n" + GOOD, "and 7,980 more"),
    "number of many figures": (GOOD.replace("= 20", "= 0x" + "f" * 4_000), "thousands of digits is above"),
    "number of too many figures": (GOOD.replace("= 20", "= " + "9" * 4_300), "line 3 has"),
    "number as a text of blanks": (
        GOOD.replace("high = 1.0", 'high = "' + " " * 3_000 + '"'),
        "valid number",
    ),
    "number as a text of figures": (
        GOOD.replace("high = 1.0", 'high = "' + "9" * 300 + ' pi"'),
        "valid number",
    ),
    "date": (GOOD.replace("= 20", "= 2020-01-01"), "views: datetime.date(2020, 1, 1)"),
    "NUL in the name": (GOOD.replace('"zoo"', '"z\\u0000o"', 1), "name: 'z\\x00o'"),
    "line end in the name": (GOOD.replace('"zoo"', '"zoo\\n"', 1), "name: 'zoo\\n'"),
    "escapes in the description": (GOOD.replace('"Proc', '"\\u001b[2J'), "has control characters"),
    "text turned round": (GOOD.replace('"Proc', '"\\u202e'), "has control characters"),
    "long description": (GOOD.replace('"Proc', '"' + "a" * 2_001), "at most 2000 characters"),
    "escapes in a key": ('"\\u001b[2J\\n" = 1\n' + GOOD, "\\x1b[2J\\n: unknown key"),
    "NUL": ("a = \x00", "not TOML"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_text_is_refused(name):
    text, words = TEXTS[name]
    with pytest.raises(RecipeError) as caught:
        Recipe.from_toml(text, "a.toml")
    said = str(caught.value)
    assert words in said
    assert "a.toml" in said
    assert len(said) < LONGEST_MESSAGE
    assert said.replace("\n", "").isprintable()


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


TABLES = {
    "no table": ([], "not a table"),
    "none": (None, "not a table"),
    "deep": ({"name": nested(100_000)}, "8 deep"),
    "deep tables": (json.loads('{"a":' * 900 + "1" + "}" * 900), "8 deep"),
    "long text": ({"name": "a" * 70_000}, "longer than 64 KiB"),
    "long key": ({"a" * 70_000: 1}, "longer than 64 KiB"),
    "many keys": ({f"k{n}": 1 for n in range(30_000)}, "longer than 64 KiB"),
    "number without end": ({"views": 1 << 400_000}, "longer than 64 KiB"),
    "number of many figures": ({"views": 1 << 20_000}, "thousands of digits"),
    "negative number of many figures": ({"views": -(1 << 20_000)}, "thousands of digits"),
    "number beyond floats": ({"factors": {"floor_hue": {"low": 1 << 20_000, "high": 1}}}, "floor_hue.low"),
    "lone surrogate": ({"name": "\ud800"}, "name"),
    "lone surrogate in a key": ({"\ud800": 1}, "'\\ud800': input should be a valid string"),
    "key that is none": ({1: 2}, "recipe"),
    "bytes": ({"name": b"zoo"}, "name: b'zoo'"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_hostile_table_is_refused(name):
    table, words = TABLES[name]
    with pytest.raises(RecipeError) as caught:
        Recipe.from_dict(table)
    assert words in str(caught.value)
    assert len(str(caught.value)) < LONGEST_MESSAGE
    assert str(caught.value).replace("\n", "").isprintable()


@given(st.text(max_size=200))
def test_any_text_is_a_recipe_or_refused(text):
    with pytest.raises(RecipeError):
        Recipe.from_toml(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(load_recipe("scenes").to_dict()["scene"])), VALUES)
def test_any_value_of_a_key_of_a_scene_is_fit_or_refused_by_its_name(key, value):
    table = load_recipe("scenes").to_dict()
    table["scene"][key] = value
    try:
        recipe = Recipe.from_dict(table)
    except RecipeError as error:
        assert f"scene.{key}" in str(error) or key in ("size", "area")  # noqa: PT017  which depend on others
    else:
        assert Recipe.from_toml(recipe.to_toml()) == recipe


@given(st.sampled_from(sorted(load_recipe("sequences").to_dict())), VALUES)
def test_any_value_of_a_key_is_fit_or_refused_by_its_name(key, value):
    table = {**load_recipe("sequences").to_dict(), key: value}
    try:
        recipe = Recipe.from_dict(table)
    except RecipeError as error:
        assert key in str(error) or key == "rotation"  # noqa: PT017  whose absence misses others
    else:
        assert Recipe.from_toml(recipe.to_toml()) == recipe


@pytest.mark.parametrize("command", [["inspect"], ["render", "--out", "x"]])
def test_commands_refuse_a_hostile_file_in_a_line(tmp_path, capsys, command):
    path = tmp_path / "a.toml"
    path.write_text("a = " + "[\n" * 5_000)
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, str(path)])
    assert ended.value.code == 2
    assert "nested too deeply" in capsys.readouterr().err


def test_a_rotation_of_none_stands_in_for_no_angles():
    with pytest.raises(RecipeError, match=r"factors\.rotation_x_rad: missing"):
        Recipe.from_dict({**load_recipe("sequences").to_dict(), "rotation": None})


def test_a_file_without_end_is_not_read(tmp_path):
    path = tmp_path / "a.toml"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(RecipeError, match="longer than 64 KiB"):
        load_recipe(path)
    (tmp_path / "b.toml").symlink_to("/dev/zero")
    with pytest.raises(InvalidInputError, match="no recipe"):
        load_recipe(tmp_path / "b.toml")


def test_pipes_and_names_without_end_are_no_recipes(tmp_path):
    os.mkfifo(tmp_path / "a.toml")
    for name in (tmp_path / "a.toml", "a" * 10_000, "a\0b", "a\ud800.toml"):
        with pytest.raises(InvalidInputError, match="no recipe"):
            load_recipe(name)


def test_lines_may_end_in_any_way(tmp_path):
    for end in ("\n", "\r\n", "\r"):
        (tmp_path / "a.toml").write_bytes(GOOD.replace("\n", end).encode())
        assert load_recipe(tmp_path / "a.toml") == load_recipe("zoo")
