import json

import pytest

from turntable.datasets.objects import WarningRecord, format_warnings
from turntable.datasets.writing import ShardOutcome
from turntable.errors import IntegrityError

LINE = ShardOutcome("train", "shard-000000", None, (), ()).to_line()


def test_a_line_of_the_journal_is_read_as_it_was_written():
    assert ShardOutcome.from_line(LINE).split_and_name == ("train", "shard-000000")


def test_a_line_of_an_earlier_version_is_read_and_its_warnings_stay_as_they_were():
    old = {"object": "cat/a", "reason": "incomplete", "detail": "a.mtl: texture wood.png is missing"}
    line = LINE.replace('"warnings":[]', f'"warnings":[{json.dumps(old)}]')
    (warning,) = ShardOutcome.from_line(line).warnings
    assert warning == WarningRecord("cat/a", "incomplete", "", old["detail"])
    assert json.loads(format_warnings([warning])) == old
    again = ShardOutcome.from_line(ShardOutcome.from_line(line).to_line())
    assert again.warnings == (warning,)


def test_a_warning_is_read_as_it_was_written():
    warning = WarningRecord("cat/ü", "image-cut", "tëx.jpg", "the image is cut off", "what there is of it")
    line = ShardOutcome("val", "shard-000003", None, (), (warning,)).to_line()
    assert ShardOutcome.from_line(line).warnings == (warning,)


def test_the_job_that_made_a_shard_is_kept():
    outcome = ShardOutcome("val", "shard-000003", None, (), (), job="7/16")
    assert ShardOutcome.from_line(outcome.to_line()) == outcome
    assert ShardOutcome.from_line(LINE).job == ""
    with pytest.raises(IntegrityError, match="a line of the journal is damaged"):
        ShardOutcome.from_line(outcome.to_line().replace("7/16", "0/16"))


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
