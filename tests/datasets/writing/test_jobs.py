import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.writing import Job
from turntable.errors import InvalidInputError


@given(st.lists(st.integers(), max_size=40), st.integers(1, 9))
def test_every_item_is_in_one_share(items, jobs):
    shares = [Job(number, jobs).select_share(items) for number in range(1, jobs + 1)]
    assert sorted(item for share in shares for item in share) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_reads_what_users_write():
    assert Job.parse(" 2/5 ") == Job(2, 5)
    assert str(Job(2, 5)) == "2-of-5"


@pytest.mark.parametrize("text", ["0/3", "4/3", "2", "a/b", "-1/3", "1/0", "1/3/5"])
def test_refuses_what_cannot_be_right(text):
    with pytest.raises(InvalidInputError, match="counted from 1"):
        Job.parse(text)
