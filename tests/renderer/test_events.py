import json
import os
import signal

import pytest

from turntable.errors import InvalidInputError
from turntable.processes import catch_stop_signals
from turntable.renderer.runs import Progress, open_event_log
from turntable.renderer.runs.events import ignore_event, make_rate_limiter
from turntable.renderer.runs.progress import ProgressMeter, RenderCounts


def test_a_line_an_event_is_added_to_the_file(tmp_path):
    path = tmp_path / "events.jsonl"
    for name in ("begin", "end"):
        with open_event_log(path) as tell:
            tell(name, objects=3, text="é\n")
    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["event"], second["event"]) == ("begin", "end")
    assert first["objects"] == 3
    assert first["text"] == "é\n"
    assert first["time"] <= second["time"]


def test_a_dash_is_the_standard_output(capsys, tmp_path):
    from pathlib import Path

    with open_event_log(Path("-")) as tell:
        tell("begin")
    assert json.loads(capsys.readouterr().out)["event"] == "begin"
    with open_event_log(None) as tell:
        assert tell is ignore_event


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(InvalidInputError, match="cannot be written"), open_event_log(tmp_path):
        pass


def test_progress_is_told_now_and_then():
    is_due = make_rate_limiter(3600.0)
    assert [is_due() for _ in range(3)] == [True, False, False]


def test_rate_and_time_left():
    now = Progress(objects=30, objects_total=90, quarantined=1, views=100, seconds=10.0, objects_here=20)
    assert now.views_per_second == 10
    assert now.seconds_left == 30
    assert Progress(10, 90, 0, 0).seconds_left is None
    assert Progress(10, 90, 0, 0).views_per_second == 0


def test_the_meter_adds_what_is_in_work_to_what_is_done():
    meter = ProgressMeter(10, RenderCounts(num_objects=4, num_quarantined=1))
    now = meter.measure([RenderCounts(1, 5, 0, ("a",)), RenderCounts(2, 10, 1)])
    assert (now.objects, now.objects_total, now.quarantined, now.views) == (7, 10, 2, 15)
    assert now.objects_here == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_asks_and_the_same_again_ends(number):
    said = []
    before = signal.getsignal(number)
    with catch_stop_signals(said.append, "the shards in hand") as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert said == [f"{number.name}: ending after the shards in hand; send it again to end at once"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before
