"""How scores are shown: those of known tasks, of a user's own, and of tasks that nobody knows."""

import dataclasses
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support.own_tasks import HiddenNumber
from turntable.errors import IntegrityError, InvalidInputError
from turntable.evaluation import (
    EvaluationResults,
    Score,
    ScoreRow,
    locate_result_files,
    summarize_dataset,
    write_report,
)
from turntable.evaluation.report import CATALOG, build_catalog, build_tables, collect_rows
from turntable.evaluation.report.score_catalog import OTHER_SCORES_TITLE
from turntable.studies import (
    compare_runs,
    comparison_to_html,
    comparison_to_json,
    comparison_to_markdown,
    sort_comparison,
)

ROOT = Path(__file__).parents[2]


def test_scores_of_ones_own_task_are_shown_as_it_says(evaluated, tmp_path):
    dataset, run, results = evaluated
    page = write_report(tmp_path / "report.html", summarize_dataset(dataset), [], [results]).read_text(
        "utf-8"
    )
    for told in (
        "What is hidden",
        "How far it is missed.",
        "missed by, m",
        "baseline_median",
        "baseline</td>",
    ):
        assert told in page
    assert re.search(r"vicreg misses it by \d\.\d\d, the mean misses by \d\.\d\d\.", page)
    assert OTHER_SCORES_TITLE not in page
    comparison = compare_runs([run])
    assert "hidden, m" in comparison_to_markdown(comparison)
    assert "What is hidden" in comparison_to_html(comparison)
    parts = [entry.part for entry in comparison.entries]
    assert parts == ["representation", "baseline_median", "constant"]
    assert [entry.part for entry in sort_comparison(comparison, "hidden_error").entries] == parts
    assert "catalog" not in json.loads(comparison_to_json(comparison))["sections"][0]


def test_the_results_say_by_which_tasks_with_which_settings(evaluated):
    _, run, results = evaluated
    neighbours, hidden = json.loads(locate_result_files(run, results).path.read_text())["protocol"]["tasks"]
    assert neighbours == {"name": "knn_top1", "kind": "NearestNeighbors", "num_neighbors": 20}
    assert (hidden["name"], hidden["kind"], hidden["scale"]) == ("hidden", "HiddenNumber", 2.0)
    assert hidden["tables"][0]["columns"][0]["metric"] == "hidden_error"
    assert set(results.protocol) == {"name", "tasks", "pairs", "batch_norm", "resampling", "val_pairs"}


def with_protocol(results, **changes):
    return dataclasses.replace(results, protocol={**results.protocol, **changes})


def test_scores_that_nobody_knows_stand_in_a_table_at_the_end(evaluated, tmp_path):
    _, _, results = evaluated
    unknown = with_protocol(results, tasks=[])
    *_, last = build_tables(collect_rows([unknown]))
    assert (last.title, last.headings) == (OTHER_SCORES_TITLE, ("hidden_error",))
    assert not any(cell.is_best for row in last.rows for cell in row.cells)
    assert last.finding == ""
    (tmp_path / "results.json").write_text(unknown.to_json())
    comparison = compare_runs([tmp_path])
    assert "hidden_error" in comparison_to_markdown(comparison)
    assert OTHER_SCORES_TITLE in comparison_to_html(comparison)
    with pytest.raises(
        InvalidInputError, match="no run has the metric 'hidden_error' to sort by; choose one of: knn_top1"
    ):
        sort_comparison(comparison, "hidden_error")


def test_other_words_about_the_same_scores_are_no_other_protocol(evaluated, tmp_path):
    _, _, results = evaluated
    reworded = json.loads(json.dumps(results.protocol["tasks"]))
    reworded[1]["tables"][0]["title"] = "Another title"
    longer = json.loads(json.dumps(results.protocol["tasks"]))
    longer[1]["scale"] = 3.0
    for name, made in {
        "one": results,
        "two": with_protocol(results, tasks=reworded),
        "three": with_protocol(results, tasks=longer),
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_text(dataclasses.replace(made, seed=len(name)).to_json())
    assert len(compare_runs([tmp_path / "one", tmp_path / "two"]).sections) == 1
    assert len(compare_runs([tmp_path / "one", tmp_path / "three"]).sections) == 2


TABLE = dataclasses.asdict(HiddenNumber.tables[0])
COLUMN = TABLE["columns"][0]


def told(tasks):
    rows = (ScoreRow("representation", 8, {"hidden_error": Score(0.5, 0.4, 0.6)}),)
    return EvaluationResults(
        "toy", "small", 0, "zoo", "f" * 64, {"name": "mine", "tasks": tasks}, 9, 3, 60, rows
    )


@pytest.mark.parametrize(
    "tasks",
    [
        {"tables": []},
        [{"tables": {}}],
        [{"tables": [1]}],
        [{"tables": [{**TABLE, "columns": [{}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "digits": 10**9}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "factor": float("inf")}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "factor": 10**400}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "heading": "\ud800"}]}]}],
        [{"tables": [{**TABLE, "columns": [{**COLUMN, "lower_is_better": "yes"}]}]}],
        [{"tables": [{**TABLE, "title": "x" * 10_000}]}],
        [{"tables": [{**TABLE, "finding": {"says": "{who}"}}]}],
        [{"tables": [], "main": [1]}],
    ],
    ids=range(12),
)
def test_tables_of_a_file_that_are_none_are_told(tmp_path, tasks):
    tasks = json.loads(json.dumps(tasks))
    with pytest.raises(IntegrityError, match="malformed tables"):
        build_catalog([told(tasks)])
    values = {**json.loads(told([]).to_json()), "protocol": {"name": "mine", "tasks": tasks}}
    (tmp_path / "results.json").write_text(json.dumps(values))
    with pytest.raises(IntegrityError, match=r"results\.json is not a result of turntable evaluate"):
        compare_runs([tmp_path])


def test_tables_of_a_file_change_nothing_that_is_known():
    column = {**COLUMN, "metric": "top1", "heading": "mine"}
    finding = {**TABLE["finding"], "says": "{who.__class__} {hidden_error:>999999999} {nothing}"}
    catalog = build_catalog(
        [
            told(
                json.loads(
                    json.dumps([{"tables": [{**TABLE, "columns": [COLUMN, column], "finding": finding}]}])
                )
            )
        ]
    )
    assert catalog.columns["top1"] == CATALOG.columns["top1"]
    assert [table.title for table in catalog.tables][:-1] == [table.title for table in CATALOG.tables]
    (shown,) = build_tables(collect_rows([told([])]), catalog)
    assert shown.title == "What is hidden"
    assert "{who.__class__} {hidden_error:>999999999} {nothing}" in shown.finding


def test_short_tables_have_their_metrics_in_a_fixed_order():
    assert CATALOG.main_metrics == (
        *("top1", "knn_top1", "r2_averaged", "geodesic_median_deg", "absolute_geodesic_median_deg"),
        *("color_r2_averaged", "classifier_top1", "mrr_without_identity", "equivariance_residual"),
    )
    headings = [CATALOG.columns[metric].short_heading for metric in CATALOG.main_metrics]
    assert headings[4:] == [
        *("absolute rotation median error °", "color R² averaged", "classifier top-1, %"),
        *("MRR without identity", "residual"),
    ]


def test_every_metric_is_documented():
    text = (ROOT / "docs" / "evaluation.md").read_text("utf-8")
    named = [
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+\*?)`", line)
    ]
    patterns = [name.replace("h_at_k", "h_at_[0-9]*") for name in named]
    patterns += [f"{pattern}_without_identity" for pattern in patterns] + ["pre_in_*"]
    unknown = [m for m in CATALOG.columns if not any(fnmatchcase(m, pattern) for pattern in patterns)]
    assert unknown == []
