"""Warnings about meshes that renderers report to a loader: logged by kind, not by object."""

import logging

from turntable.datasets.objects import WarningRecord
from turntable.loaders.warning_tally import WarningTally


def warning(name: str, kind: str = "file-missing") -> WarningRecord:
    return WarningRecord(name, kind, f"{name}.mtl", "texture a.png is missing", "gray is used")


def test_the_first_of_each_kind_is_logged_and_at_the_end_the_sums(caplog):
    tally = WarningTally()
    with caplog.at_level(logging.WARNING, logger="turntable.loaders"):
        tally.add([warning("a"), warning("b")])
        tally.add([warning("c"), warning("c", "image-cut")])
        first = list(caplog.messages)
        tally.log_sums()
        sums = caplog.messages[len(first) :]
        tally.log_sums()  # nothing has changed
    text = "a: a.mtl: texture a.png is missing; gray is used"
    assert first == [f"file-missing: {text}", f"image-cut: {text.replace('a: a.', 'c: c.')}"]
    assert sums == [f"file-missing: 3 warnings of 3 objects, the first: {text}"]
    assert caplog.messages == first + sums


def test_an_object_that_several_renderers_load_counts_once(caplog):
    tally = WarningTally()
    for _ in range(3):
        tally.add([warning("a"), warning("a", "image-cut")])
    assert {name: len(items) for name, items in tally.by_object.items()} == {"a": 2}
    assert len(caplog.messages) == 2
