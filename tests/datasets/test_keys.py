import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.files import make_image_member_name, make_object_key
from turntable.datasets.files.names import KEY_PATTERN
from turntable.errors import InvalidInputError

printable = st.text(min_size=1).filter(str.isprintable)
# Few letters, so that two ids are often near each other.
near = st.text(alphabet="ab-/A_", min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("object_id", "key"),
    [
        ("02691156/abc", "02691156-abc"),
        ("desk_lamp/000017", "desk_lamp-000017"),
        ("abc", "abc"),
        ("02691156/u3fd8-4a-b", "02691156-u3fd8-4a-b"),
    ],
)
def test_plain_ids_keep_their_letters(object_id: str, key: str) -> None:
    assert make_object_key(object_id) == key


@pytest.mark.parametrize(
    "object_id", ["a-b", "A/b", "a/b/c", "a/b--c", "a/-b", "a/b-", "ä/b", "../x", "x" * 65]
)
def test_other_ids_get_a_hash(object_id: str) -> None:
    assert "--" in make_object_key(object_id)


@given(printable)
def test_keys_are_safe(object_id: str) -> None:
    assert KEY_PATTERN.fullmatch(make_object_key(object_id))


@given(near, near)
def test_keys_are_one_to_one(first: str, second: str) -> None:
    assert (make_object_key(first) == make_object_key(second)) == (first == second)


def test_ids_that_differ_behind_the_cut_differ_in_key() -> None:
    assert make_object_key("a" * 100 + "x") != make_object_key("a" * 100 + "y")


@pytest.mark.parametrize("object_id", ["", "a\nb", "a\0"])
def test_unprintable_ids_are_refused(object_id: str) -> None:
    with pytest.raises(InvalidInputError, match="printable"):
        make_object_key(object_id)


def test_member_names_sort_by_view() -> None:
    assert make_image_member_name("a-b", 7) == "a-b.007.jpg"
