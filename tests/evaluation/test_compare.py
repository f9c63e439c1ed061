"""Runs side by side."""

import dataclasses
import json

import pytest

from turntable import cli
from turntable.errors import IntegrityError, InvalidInputError
from turntable.evaluation import (
    Results,
    Row,
    Score,
    compare,
    compare_runs,
    comparison_json,
    comparison_markdown,
    write_comparison,
)
from turntable.evaluation.results import write_results


def score(value):
    return Score(value, value - 0.1, value + 0.1)


def results(method, seed=0, top1=0.5, **changes):
    rows = (
        Row("representation", 8, {"top1": score(top1), "r2_averaged": score(0.3)}),
        Row("predictor", 4, {"mrr_without_identity": score(0.2)}),
        Row("constant", 0, {"top1": score(0.1), "r2_averaged": score(0.0)}),
    )
    made = Results(method, "small", seed, "zoo", "f" * 64, {"name": "turntable-1"}, 9, 3, 60, rows)
    return dataclasses.replace(made, **changes)


def test_seeds_of_a_method_are_one_row_with_their_spread():
    entries = compare([results("sie", 0, 0.4), results("vicreg"), results("sie", 1, 0.6)]).entries
    assert [(entry.method, entry.part) for entry in entries] == [
        ("sie", "representation"),
        ("sie", "predictor"),
        ("vicreg", "representation"),
        ("vicreg", "predictor"),
        ("no image", "constant"),
    ]
    top1 = entries[0].summaries["top1"]
    assert (top1.mean, top1.seeds) == (pytest.approx(0.5), 2)
    assert top1.spread == pytest.approx(0.1414, abs=1e-4)
    assert (top1.low, top1.high) == (pytest.approx(0.3), pytest.approx(0.7))
    assert entries[2].summaries["top1"].spread is None


def test_the_markdown_has_a_row_an_entry():
    lines = comparison_markdown(compare([results("sie", 0, 0.4), results("sie", 1, 0.6)])).splitlines()
    assert lines[0] == "| method | part | seeds | top-1, % | R² averaged | MRR |"
    assert lines[2] == "| sie | representation | 2 | 50.0 ± 14.1 | 0.300 ± 0.000 |  |"
    assert lines[3] == "| sie | predictor | 2 |  |  | 0.200 ± 0.000 |"
    assert lines[4] == "| no image | constant | 1 | 10.0 | 0.000 |  |"


def test_what_cannot_be_compared_is_said():
    other_data = compare([results("sie"), results("vicreg", fingerprint="e" * 64)]).warnings
    assert len(other_data) == 1
    assert "evaluated on other data" in other_data[0]
    assert "vicreg: zoo eeeeeeee" in other_data[0]
    other_protocol = compare([results("sie"), results("vicreg", protocol={"name": "sie"})]).warnings
    assert "other protocols" in other_protocol[0]
    twice = compare([results("sie"), results("sie")]).warnings
    assert "sie comes twice with seed 0" in twice[0]
    assert compare([results("sie"), results("sie", 1)]).warnings == ()


def test_other_backbones_are_other_rows():
    entries = compare([results("sie"), results("sie", backbone="resnet18")]).entries
    assert [entry.method for entry in entries[::2]] == ["sie (small)", "sie (resnet18)", "no image"]


def test_runs_are_read_from_their_folders(tmp_path, capsys):
    for seed in (0, 1):
        (tmp_path / f"sie-{seed}").mkdir()
        write_results(tmp_path / f"sie-{seed}" / "results.json", results("sie", seed))
    runs = [str(tmp_path / "sie-0"), str(tmp_path / "sie-1" / "results.json")]
    assert len(compare_runs(runs).entries) == 3
    page = tmp_path / "page.html"
    with pytest.raises(SystemExit) as ended:
        cli.main(["compare", *runs, "--format", "markdown", "--out", str(page)])
    assert ended.value.code == 0
    assert "| sie | representation | 2 |" in capsys.readouterr().out
    assert "sie × 2" in page.read_text("utf-8")
    with pytest.raises(SystemExit):
        cli.main(["compare", *runs])
    assert "representation" in capsys.readouterr().out
    assert json.loads(comparison_json(compare_runs(runs)))["entries"][0]["method"] == "sie"
    assert write_comparison(page, compare_runs(runs)) == page


def test_what_is_no_evaluated_run_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="nothing to compare"):
        compare_runs([])
    with pytest.raises(InvalidInputError, match="evaluate it first: turntable evaluate"):
        compare_runs([tmp_path])
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(IntegrityError, match="run it again"):
        compare_runs([tmp_path])
    (tmp_path / "results.json").write_text('{"format_version": 1}')
    with pytest.raises(IntegrityError, match="has format 1; this version reads 2"):
        compare_runs([tmp_path])
