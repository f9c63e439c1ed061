"""Runs side by side."""

import dataclasses
import io
import json

import pytest
from rich.console import Console

from turntable import cli
from turntable.console import build_comparison_tables, build_results_tables
from turntable.errors import IntegrityError, InvalidInputError
from turntable.evaluation import EvaluationResults, OODResults, Score, ScoreRow
from turntable.evaluation.evaluation_results import write_results
from turntable.evaluation.report import CATALOG
from turntable.studies import (
    compare_runs,
    comparison_to_html,
    comparison_to_json,
    comparison_to_markdown,
    sort_comparison,
)
from turntable.studies.comparison import EvaluatedRun, compare_evaluated_runs
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import make_demo_config, train


def score(value):
    return Score(value, value - 0.1, value + 0.1)


def results(method, seed=0, top1=0.5, error=40.0, **changes):
    rows = (
        ScoreRow("representation", 8, {"top1": score(top1), "geodesic_median_deg": score(error)}),
        ScoreRow("predictor", 4, {"mrr_without_identity": score(0.2)}),
        ScoreRow("constant", 0, {"top1": score(0.1), "geodesic_median_deg": score(70.0)}),
    )
    made = EvaluationResults(method, "small", seed, "zoo", "f" * 64, {"name": "turntable-1"}, 9, 3, 60, rows)
    return dataclasses.replace(made, **changes)


def compared(*found):
    return compare_evaluated_runs(
        [run if isinstance(run, EvaluatedRun) else EvaluatedRun(run) for run in found]
    )


def names(comparison):
    return [entry.method for entry in comparison.entries if entry.part in ("representation", "constant")]


def printed(tables, width):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    for table in tables:
        console.print(table)
    return console.file.getvalue()


def test_seeds_of_a_method_are_one_row_with_their_spread():
    entries = compared(results("sie", 0, 0.4), results("vicreg"), results("sie", 1, 0.6)).entries
    assert [(entry.method, entry.part, entry.num_seeds) for entry in entries] == [
        ("sie", "representation", 2),
        ("sie", "predictor", 2),
        ("vicreg", "representation", 1),
        ("vicreg", "predictor", 1),
        ("constant baseline", "constant", 1),
    ]
    top1 = entries[0].summaries["top1"]
    assert top1.mean == pytest.approx(0.5)
    assert top1.spread == pytest.approx(0.1414, abs=1e-4)
    assert (top1.low, top1.high) == (pytest.approx(0.3), pytest.approx(0.7))
    assert entries[2].summaries["top1"].spread is None


def test_the_markdown_has_a_row_an_entry():
    seeds = compared(results("sie", 0, 0.4), results("sie", 1, 0.6))
    lines = comparison_to_markdown(seeds).splitlines()
    assert lines[0] == "| method | part | seeds | top-1, % | rotation median error ° | MRR without identity |"
    assert lines[2] == "| sie | representation | 2 | ★ 50.0 ± 14.1 | ★ 40.0 ± 0.0 |  |"
    assert lines[3] == "| sie | predictor | 2 |  |  | ★ 0.200 ± 0.000 |"
    assert lines[4] == "| constant baseline | constant | 1 | 10.0 | 70.0 |  |"
    assert "| ★ 50.0 ± 14.1 (30.0 … 70.0) |" in comparison_to_markdown(seeds, with_intervals=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fingerprint": "e" * 64}, "different data,"),
        ({"protocol": {"name": "sie"}}, "different protocols,"),
        ({"protocol": {"name": "turntable-1", "neighbors": 3}}, "different protocols,"),
        ({"protocol": {"name": "turntable-1", "val_pairs": "ab"}}, "different validation pairs,"),
    ],
)
def test_what_cannot_be_compared_is_neither_averaged_nor_ranked_together(changes, words):
    found = compared(results("sie", 0, 0.35), results("sie", 1, 0.8, **changes))
    assert len(found.sections) == 2
    assert [section.entries[0].summaries["top1"].mean for section in found.sections] == [0.35, 0.8]
    assert all(section.entries[0].num_seeds == 1 for section in found.sections)
    (warning,) = found.warnings
    assert words in warning
    assert all(section.title in warning for section in found.sections)
    text = comparison_to_markdown(found)
    assert text.startswith(f"> {warning}")
    assert all(f"**{section.title}**" in text for section in found.sections)
    assert text.count("| constant baseline | constant | 1 |") == 2
    page = comparison_to_html(found)
    assert page.count('class="warning"') == 1
    assert page.count('<td class="best">★ 35.0') == page.count('<td class="best">★ 80.0') == 1


def test_one_seed_twice_is_said():
    twice = compared(results("sie"), results("sie")).warnings
    assert "sie is there twice with seed 0" in twice[0]
    assert compared(results("sie"), results("sie", 1)).warnings == ()


def test_other_backbones_are_other_rows():
    found = compared(results("sie"), results("sie", backbone="resnet18"))
    assert names(found) == ["sie (small)", "sie (resnet18)", "constant baseline"]


def test_runs_with_other_settings_are_no_seeds_of_one_method():
    short, long = {"epochs": 5, "batch_size": 64}, {"epochs": 50, "batch_size": 64}
    vicreg = {"epochs": 7}
    found = compared(
        EvaluatedRun(results("sie"), short),
        EvaluatedRun(results("sie", 1), short),
        EvaluatedRun(results("sie"), long),
        EvaluatedRun(results("vicreg"), vicreg),
    )
    assert names(found) == ["sie (epochs 5)", "sie (epochs 50)", "vicreg", "constant baseline"]
    assert [entry.num_seeds for entry in found.entries[::2]] == [2, 1, 1, 1]
    assert found.warnings == ()
    unknown = compared(EvaluatedRun(results("sie"), short), EvaluatedRun(results("sie", 1)))
    assert names(unknown) == ["sie", "sie (settings unknown)", "constant baseline"]


def test_scores_on_other_data_stand_in_a_section_of_their_own():
    there = (OODResults("so3-ood", "a" * 64, 0.0, results("sie", top1=0.3).rows),)
    found = compared(results("sie", elsewhere=there), results("sie", 1, elsewhere=there))
    assert [section.title.split(",")[0] for section in found.sections] == ["zoo ffffffff", "so3-ood aaaaaaaa"]
    assert [section.entries[0].summaries["top1"].mean for section in found.sections] == [0.5, 0.3]
    assert found.warnings == ()


def test_what_sees_no_image_has_the_chances_of_whatever_some_method_is_asked():
    rows = results("sie").rows
    chance = dataclasses.replace(rows[-1], scores={**rows[-1].scores, "mrr_without_identity": score(0.1)})
    predicting = results("sie", rows=(*rows[:-1], chance))
    assert compared(results("vicreg"), predicting).entries[-1].summaries["mrr_without_identity"].mean == 0.1


def test_methods_are_sorted_by_their_best_part_and_parts_stay_together():
    runs = [results("a", top1=0.3, error=20.0), results("b", top1=0.9, error=60.0), results("c", top1=0.5)]
    found = compared(*runs)
    assert names(sort_comparison(found, "top1")) == ["b", "c", "a", "constant baseline"]
    assert names(sort_comparison(found, "geodesic_median_deg")) == ["a", "c", "b", "constant baseline"]
    assert [entry.part for entry in sort_comparison(found, "top1").entries[:2]] == [
        "representation",
        "predictor",
    ]
    without = results("z", rows=(ScoreRow("representation", 8, {"top1": score(0.9)}),))
    assert names(sort_comparison(compared(without, *runs), "geodesic_median_deg"))[-2:] == [
        "z",
        "constant baseline",
    ]
    with pytest.raises(
        InvalidInputError, match="no run has the metric 'top5' to sort by; choose one of: top1, geo"
    ):
        sort_comparison(found, "top5")


def test_no_number_is_cut_in_eighty_columns():
    everything = {metric: Score(0.1234, 0.1, 0.2) for metric in CATALOG.columns}
    method = "only-equivariance-vicreg"
    rows = (ScoreRow("representation", 8, everything), ScoreRow("constant", 0, everything))
    runs = [results(method, seed, rows=rows) for seed in (0, 1)]
    long = EvaluatedRun(results("sie", rows=rows), {"learning_rate": 0.001, "epochs": 5, "batch_size": 64})
    longer = EvaluatedRun(results("sie", rows=rows), {"learning_rate": 0.002, "epochs": 6, "batch_size": 32})
    for tables, told in (
        (build_results_tables(runs[:1]), "12.3"),
        (build_comparison_tables(compared(*runs)), "12.3 ± 0.0"),
        (build_comparison_tables(compared(*runs), intervals=True), "12.3 ± 0.0 (10.0 … 20.0)"),
        (build_comparison_tables(compared(long, longer)), "12.3"),
    ):
        text = printed(tables, 80)
        assert max(map(len, text.splitlines())) <= 80
        assert told in text
        assert text.replace(" … ", "").count("…") == 0
        assert "representation" in text


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two seeds, trained for an epoch, with made-up scores."""
    folder = tmp_path_factory.mktemp("compared")
    make_synthetic_dataset(folder / "set", num_objects=8)
    found = []
    for seed in (0, 1):
        config = make_demo_config(
            "vicreg", folder / "set", epochs=1, batch_size=4, pairs_per_object=1, seed=seed
        )
        found.append(train(config, folder / f"run-{seed}"))
        write_results(found[-1] / "results.json", results("vicreg", seed))
    return found


def called(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        cli.main(["compare", *map(str, words)])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def test_runs_are_read_from_their_folders_with_their_curves(runs, tmp_path, capsys):
    found = compare_runs([runs[0], runs[1] / "results.json"])
    assert [(run.label, run.seed, run.folder) for run in found.runs] == [
        ("vicreg", 0, runs[0]),
        ("vicreg", 1, runs[1]),
    ]
    page = tmp_path / "page.html"
    code, out, err = called(capsys, *runs, "--format", "markdown", "--out", page)
    assert code == 0
    assert "| vicreg | representation | 2 |" in out
    assert str(page) in err
    text = page.read_text("utf-8")
    assert "vicreg × 2" in text
    assert "50.0 ± 0.0<small>40.0 … 60.0</small>" in text
    assert text.count("data:image/png") == 1
    assert "http" not in text
    assert called(capsys, *runs, "--format", "html")[1].strip() == text.strip()
    assert "representation" in called(capsys, *runs, "--sort", "top1")[1]
    assert "choose one of" in called(capsys, *runs, "--sort", "top5")[2]
    assert json.loads(comparison_to_json(found))["sections"][0]["entries"][0]["method"] == "vicreg"


def test_a_run_with_other_settings_is_told_apart_by_its_config(runs, tmp_path):
    settings = json.loads((runs[0] / "config.json").read_text())
    settings["config"]["learning_rate"] = 0.5
    (tmp_path / "config.json").write_text(json.dumps(settings))
    write_results(tmp_path / "results.json", results("vicreg", 2))
    named = names(compare_runs([*runs, tmp_path]))
    assert named[0].startswith("vicreg (learning_rate 0.")
    assert named[1:] == ["vicreg (learning_rate 0.5)", "constant baseline"]


def test_what_is_no_evaluated_run_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="nothing to compare"):
        compare_runs([])
    with pytest.raises(InvalidInputError, match="evaluate it first: turntable evaluate"):
        compare_runs([tmp_path])


GOOD = json.loads(results("sie").to_json())


def with_score(value):
    rows = [{"name": "representation", "dim": 8, "scores": {"top1": {"value": value, "low": 0, "high": 1}}}]
    return json.dumps({**GOOD, "rows": rows}).encode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "run it again"),
        (b"\xff\xfe\x93", "run it again"),
        (b"[1]", "run it again"),
        (b"[" * 100_000, "run it again"),
        (
            b'{"format_version": 1}',
            "has format 1, but this version of turntable reads formats 2 and 3: evaluate again",
        ),
        (json.dumps({**GOOD, "rows": []}).encode(), "it has no scores"),
        (json.dumps({**GOOD, "rows": [{"name": "a", "dim": 1, "scores": [1]}]}).encode(), "run it again"),
        (json.dumps({**GOOD, "elsewhere": {"a": 1}}).encode(), "run it again"),
        (json.dumps({**GOOD, "protocol": [1]}).encode(), "run it again"),
        (with_score("much"), "run it again"),
        (with_score(None), "run it again"),
        (with_score(float("nan")), "scores that are not finite numbers"),
    ],
    ids=range(12),
)
def test_damaged_results_are_refused(tmp_path, content, words):
    (tmp_path / "results.json").write_bytes(content)
    with pytest.raises(IntegrityError, match=words) as refused:
        compare_runs([tmp_path])
    assert str(tmp_path / "results.json") in str(refused.value)
