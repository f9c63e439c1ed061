"""The demo at a toy's size: every stage and the page; a second call does nothing again."""

from contextlib import nullcontext

import pytest

from turntable.demo import METHODS, DemoConfig, run_demo
from turntable.errors import StoppedError

pytestmark = [pytest.mark.gl, pytest.mark.slow]


class Quiet:
    def __init__(self):
        self.said, self.steps = [], 0

    def warn(self, text):
        pass

    def say(self, text):
        self.said.append(text)

    def rendering(self):
        return nullcontext(lambda progress: None)

    def verifying(self):
        return nullcontext(lambda done, total: None)

    def training(self, method):
        return nullcontext(lambda progress: self.count())

    def count(self):
        self.steps += 1


def test_everything_and_again(tmp_path):
    config = DemoConfig(tmp_path / "demo", objects=32, views=4, workers=1, epochs=10)
    stopped = Quiet()
    with pytest.raises(StoppedError, match="goes on"):
        run_demo(config, stopped, lambda: "train sie" in stopped.said)
    sie = {file.name for file in (config.folder / "sie").iterdir()}
    assert "checkpoint.pt" in sie
    assert "weights.pt" not in sie
    first = Quiet()
    report = run_demo(config, first)
    assert [result.method for result in report.results] == list(METHODS)
    assert all(result.row("constant").scores["r2_averaged"].value < 0.1 for result in report.results)
    page = report.page.read_text()
    pictures = ("Error over the angle of the turn", "Views as points", "Views that the predictor finds")
    for words in ("data:image/jpeg;base64", "no image", *METHODS, *pictures):
        assert words in page
    assert first.steps > 0
    second = Quiet()
    assert run_demo(config, second).results == report.results
    assert second.steps == 0
