"""Progress: a bar with the time left on a terminal, a line now and then in a log."""

import io

import pytest
from rich.console import Console

from turntable.console import ByteBar, CountBar, StageBar, progress_log
from turntable.evaluation import StageCounter, StageProgress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress_log.time, "monotonic", lambda: now[0])
    return now


def test_in_a_log_the_first_line_comes_after_some_seconds_then_one_every_half_minute(clock):
    out = io.StringIO()
    with CountBar(Console(file=out), "shards") as bar:
        for second in range(100):
            clock[0] = float(second)
            bar(second, 100)
    assert out.getvalue().splitlines() == [
        "5/100 shards, 95 s left".replace("95 s", "2 min"),
        "35/100 shards, 1 min left",
        "65/100 shards, 35 s left".replace("35 s", "1 min"),
        "95/100 shards, 5 s left",
    ]


def test_each_stage_has_a_time_left_of_its_own(clock):
    out = io.StringIO()
    with StageBar(Console(file=out), "evaluate") as bar:
        bar(StageProgress("features of the val split", 0, 10, "views"))
        clock[0] = 6.0
        bar(StageProgress("features of the val split", 2, 10, "views"))
        clock[0] = 30.0
        bar(StageProgress("heads", 0, 100, "epochs"))
        clock[0] = 40.0
        bar(StageProgress("heads", 50, 100, "epochs"))
    assert out.getvalue().splitlines() == [
        "evaluate: features of the val split, 2/10 views, 24 s left",
        "evaluate: heads, 50/100 epochs, 10 s left",
    ]


def test_a_short_work_leaves_no_line(clock):
    out = io.StringIO()
    with CountBar(Console(file=out), "shards") as bar:
        bar(1, 1)
    assert out.getvalue() == ""


def test_a_terminal_has_a_bar_with_the_time_left():
    out = io.StringIO()
    with StageBar(Console(file=out, force_terminal=True, width=120), "evaluate") as bar:
        bar(StageProgress("[red]heads[/red]", 3, 12, "epochs"))
    assert "3/12" in out.getvalue()
    assert "[red]heads[/red]" in out.getvalue()  # names are no markup
    assert "epochs" in out.getvalue()


def test_a_counter_tells_every_step_and_never_more_than_all():
    told = []
    counter = StageCounter(told.append, "heads", 3, "epochs")
    counter.add()
    counter.move_to(9)
    assert [(each.done, each.total) for each in told] == [(0, 3), (1, 3), (3, 3)]
    assert counter.done == 3


def test_bytes_are_told_in_a_unit_that_suits_them(clock):
    out, terminal = io.StringIO(), io.StringIO()
    with (
        ByteBar(Console(file=out)) as bar,
        ByteBar(Console(file=terminal, force_terminal=True, width=120)) as shown,
    ):
        bar(0, 3_000_000_000)
        clock[0] = 6.0
        bar(1_000_000_000, 3_000_000_000)
        shown(1_000_000_000, 3_000_000_000)
    assert out.getvalue().splitlines() == ["1.0 GB of 3.0 GB, 12 s left"]
    assert "1.0/3.0 GB" in terminal.getvalue()
