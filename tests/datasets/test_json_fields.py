"""Fields of JSON that a stranger wrote."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.files import FieldError, JsonFields, is_digest, parse_json

HUGE = 10**5000


def fields(**table: Any) -> JsonFields:
    return JsonFields(table)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, '{"a":' * 100_000, "NaN", "[-Infinity]", "1" * 10_000, "\ud800"],
    ids=range(8),
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        parse_json(text)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [], {}, 11, -1, HUGE, float("nan")], ids=range(10))
def test_a_whole_number_is_one_within_its_bounds(value: Any) -> None:
    with pytest.raises(FieldError, match=r"^n is .*, not a whole number from 0 to 10$") as caught:
        fields(n=value).get_integer("n", 0, 10)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("value", [True, "1", None, [], float("nan"), float("inf"), 11, HUGE], ids=range(8))
def test_a_number_is_finite_and_within_its_bounds(value: Any) -> None:
    with pytest.raises(FieldError, match="not a number from 0 to 10"):
        fields(x=value).get_number("x", 0, 10)
    assert fields(x=1).get_number("x", 0, 10) == 1


@pytest.mark.parametrize("value", [1, None, "x" * 11, "a\x1b[2J", "a\x9b", "a\0", "\ud800", "\x7f", ["a"]])
def test_a_text_has_no_control_characters_and_an_end(value: Any) -> None:
    with pytest.raises(FieldError) as caught:
        fields(t=value).get_text("t", 10)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
    assert fields(t="Zeile\n\tπ 椅子").get_text("t") == "Zeile\n\tπ 椅子"


def test_texts_of_a_pattern() -> None:
    assert fields(t="ab").get_text("t", pattern=re.compile("[ab]+")) == "ab"
    with pytest.raises(FieldError, match=r"not a text of the form \[ab\]\+"):
        fields(t="ab\n").get_text("t", pattern=re.compile("[ab]+"))


@pytest.mark.parametrize(
    "text",
    ["", "0" * 63, "0" * 65, "A" * 64, "0" * 63 + "\n", "../" + "0" * 61, "０" * 64, "g" * 64, None, 0],
)
def test_a_digest_is_64_digits_in_lower_case(text: Any) -> None:
    assert not is_digest(text)
    with pytest.raises(FieldError, match="64 hexadecimal digits in lower case"):
        fields(d=text).get_digest("d")
    assert fields(d="0f" * 32).get_digest("d") == "0f" * 32


def test_lists_and_tables_have_bounds() -> None:
    with pytest.raises(FieldError, match=r"a list of 3, not a list of at most 2 items"):
        fields(l=[1, 2, 3]).get_list("l", 2)
    with pytest.raises(FieldError, match="a list of different texts"):
        fields(l=["a", "a"]).get_unique_texts("l", 9, 9)
    with pytest.raises(FieldError, match=r"^l\.1 is 5"):
        fields(l=["a", 5]).get_unique_texts("l", 9, 9)
    with pytest.raises(FieldError, match=r"^l\[1\] is 5: not an object"):
        list(fields(l=[{}, 5]).iter_fields("l", 9))
    with pytest.raises(FieldError, match=r"^a\.b is missing"):
        fields(a={}).get_fields("a").get_text("b")
    with pytest.raises(FieldError, match="a list of 3 numbers"):
        fields(l=[1, 2]).get_numbers("l", 3, 0, 9)
    assert fields(l=[1, 2.5]).get_numbers("l", 2, 0, 9) == (1, 2.5)
    assert fields(l=[1, 2]).get_integers("l", 2, 0, 9) == (1, 2)


def test_anything_is_neither_deep_nor_has_control_characters() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    for value in (deep, {"a": {"b": "\x1b"}}, {"\x1b": 1}, [], 5, {"a": "x" * 30_000}, {"a": float("inf")}):
        with pytest.raises(FieldError) as caught:
            fields(p=value if isinstance(value, dict) else {"x": value} if value is deep else value).get_dict(
                "p"
            )
        assert len(str(caught.value)) < 300
    assert fields(p={"a": [1, {"b": None}]}).get_dict("p") == {"a": [1, {"b": None}]}
    with pytest.raises(FieldError, match=r"^t\.a is 1, not a text"):
        fields(t={"a": 1}).get_text_dict("t")


def test_what_nobody_read_is_unknown() -> None:
    read = fields(a=1, b=2)
    read.get_integer("a", 0, 9)
    with pytest.raises(FieldError, match="unknown: b"):
        read.check_all_read()
    assert read.has("b")
    read.get_integer("b", 0, 9)
    read.check_all_read()
    absent = fields(a=None)
    assert not absent.has("a")
    absent.check_all_read()
    with pytest.raises(FieldError, match="unknown: "):
        fields(**{"x" * 100_000: 1}).check_all_read()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def refusal(read: Callable[[], Any]) -> str:
    try:
        read()
    except FieldError as error:
        return str(error)
    return ""


@given(value=JSON)
def test_whatever_it_is_the_error_is_a_short_line(value: Any) -> None:
    asked = JsonFields({"x": value})
    for read in (
        partial(asked.get_integer, "x", 0, 1),
        partial(asked.get_number, "x", 0, 1),
        partial(asked.get_text, "x", 3),
        partial(asked.get_digest, "x"),
        partial(asked.get_choice, "x", ("a", "b")),
        partial(asked.get_unique_texts, "x", 2, 2),
        partial(asked.get_numbers, "x", 2, 0, 1),
        partial(asked.get_dict, "x"),
        partial(asked.get_text_dict, "x"),
        lambda: asked.get_fields("x").check_all_read(),
    ):
        told = refusal(read)
        assert len(told.encode()) < 400
