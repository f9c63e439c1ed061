import pytest

from turntable.datasets.writing import ShardOutcome
from turntable.errors import IntegrityError

LINE = ShardOutcome("train", "shard-000000", None, (), ()).to_line()


def test_a_line_of_the_journal_is_read_as_it_was_written():
    assert ShardOutcome.from_line(LINE).split_and_name == ("train", "shard-000000")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        LINE[:-5],
        LINE.replace("shard-000000", "../shard"),
        LINE.replace('"quarantine":[]', '"quarantine":7'),
        LINE.replace('"shard":null', '"shard":{"name":3}'),
    ],
    ids=["empty", "list", "cut", "path", "number", "shard"],
)
def test_a_line_that_is_none_says_what_to_do(line):
    assert line != LINE
    with pytest.raises(
        IntegrityError, match=r"a line of the journal is damaged .*; remove it, and its shard"
    ):
        ShardOutcome.from_line(line)
