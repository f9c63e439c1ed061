"""The demo at a toy's size: every stage and the page; a second call does nothing again."""

from contextlib import nullcontext

import pytest

from turntable.demo import METHODS, DemoConfig, run_demo
from turntable.errors import StoppedError

pytestmark = [pytest.mark.gl, pytest.mark.slow]


class Quiet:
    def __init__(self):
        self.said, self.steps, self.stages = [], 0, []

    def warn(self, text):
        pass

    def announce(self, text):
        self.said.append(text)

    def watch_rendering(self):
        return nullcontext(lambda progress: None)

    def watch_verification(self):
        return nullcontext(lambda done, total: None)

    def watch_training(self, method):
        return nullcontext(lambda progress: self.count())

    def watch_evaluation(self, method):
        return nullcontext(self.stages.append)

    def count(self):
        self.steps += 1


def test_everything_and_again(tmp_path):
    config = DemoConfig(tmp_path / "demo", num_objects=32, num_views=4, num_workers=1, epochs=10)
    stopped = Quiet()
    with pytest.raises(StoppedError, match="run the same command again to resume"):
        run_demo(config, stopped, lambda: "train sie" in stopped.said)
    sie = {file.name for file in (config.folder / "sie").iterdir()}
    assert "checkpoint.pt" in sie
    assert "weights.pt" not in sie
    first = Quiet()
    report = run_demo(config, first)
    assert [result.method for result in report.results] == list(METHODS)
    assert all(result.get_row("constant").scores["r2_averaged"].value < 0.1 for result in report.results)
    page = report.page_path.read_text()
    pictures = (
        "Rotation error by angle between the views",
        "Principal components of views",
        "Views retrieved by the predictor",
        "More than one rigid object",
    )
    for words in ("data:image/jpeg;base64", "constant baseline", *METHODS, *pictures):
        assert words in page
    assert first.steps > 0
    assert {"features of the train split", "features of the val split", "heads"} == {
        told.stage for told in first.stages
    }
    second = Quiet()
    assert run_demo(config, second).results == report.results
    assert second.steps == 0
