"""Results of earlier versions are read by the present names, and stand beside new ones."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from tests.support.made_up import results, scores
from tests.support.tiny_backbone import tiny_backbone
from turntable.errors import InvalidInputError
from turntable.evaluation import EvaluationResults, ScoreRow, get_protocol, list_protocol_names, read_results
from turntable.evaluation.old_names import METRIC_NAMES, PROTOCOL_NAMES, TASK_KINDS, TASK_SETTINGS
from turntable.evaluation.report import CATALOG
from turntable.evaluation.tasks import TASKS
from turntable.studies import compare_runs, sort_comparison
from turntable.studies.comparison import EvaluatedRun, compare_evaluated_runs, read_evaluated_runs

STORED = sorted((Path(__file__).parents[1] / "fixtures" / "results").glob("*/*.json"))
ALL_OLD_NAMES = {**METRIC_NAMES, **PROTOCOL_NAMES, **TASK_KINDS}
PROTOCOLS = list_protocol_names()


def with_old_names(protocol):
    """A protocol as an earlier version has written it."""
    before = {new: old for old, new in {**ALL_OLD_NAMES, **TASK_SETTINGS}.items()}
    tasks = [
        {
            before.get(key, key): before.get(value, value) if isinstance(value, str) else value
            for key, value in task.items()
        }
        for task in protocol["tasks"]
    ]
    return {**protocol, "name": before.get(protocol["name"], protocol["name"]), "tasks": tasks}


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_stored_results_of_an_earlier_version_have_the_present_names(path):
    read = read_results(path)
    text = read.to_json()
    assert not [name for name in ALL_OLD_NAMES if f'"{name}"' in text]
    assert read.protocol["name"] in {get_protocol(name).name for name in PROTOCOLS}
    assert all(metric in CATALOG.columns for row in read.rows for metric in row.scores)


def test_scores_are_only_renamed():
    path = next(path for path in STORED if path.stem == "turntable" and path.parent.name == "sie")
    before, read = json.loads(path.read_text()), read_results(path)
    rows = [*before["rows"], *before["elsewhere"][0]["rows"]]
    for old, row in zip(rows, [*read.rows, *read.elsewhere[0].rows], strict=True):
        renamed = {METRIC_NAMES.get(name, name): score for name, score in old["scores"].items()}
        assert {name: dataclasses.asdict(score) for name, score in row.scores.items()} == renamed


def test_an_old_result_and_a_new_one_of_the_same_settings_are_compared(tmp_path):
    path = next(path for path in STORED if path.stem == "sie-drifting")
    (tmp_path / "results.json").write_text(read_results(path).to_json())
    compared = compare_runs([path, tmp_path])
    assert len(compared.sections) == 1
    assert "protocol sie-train-mode-bn" in compared.sections[0].title


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_with_old_names_is_the_one_with_new_names(name, tmp_path):
    row = ScoreRow("representation", 8, scores())
    new = dataclasses.replace(results("sie", row), protocol=get_protocol(name).to_plain(), seed=1)
    values = json.loads(new.to_json())
    old = {**values, "seed": 0, "protocol": with_old_names(values["protocol"])}
    (tmp_path / "new.json").write_text(json.dumps(values))
    (tmp_path / "old.json").write_text(json.dumps(old))
    assert read_results(tmp_path / "old.json").protocol == read_results(tmp_path / "new.json").protocol
    compared = compare_runs([tmp_path / "new.json", tmp_path / "old.json"])
    assert len(compared.sections) == 1
    assert compared.warnings == ()
    assert [entry.num_seeds for entry in compared.entries] == [2, 1]


def test_old_names_of_methods_are_read_too():
    old = results("supervised-colour", ScoreRow("representation", 8, scores()))
    assert EvaluationResults.from_json(old.to_json()).method == "supervised-color"


def test_settings_beside_old_results_have_their_present_names(tmp_path):
    fixtures = Path(__file__).parents[1] / "fixtures"
    shutil.copy(fixtures / "runs" / "seq-jepa" / "finished" / "config.json", tmp_path / "config.json")
    shutil.copy(fixtures / "results" / "seq-jepa" / "seq-jepa.json", tmp_path / "results.json")
    with tiny_backbone():
        settings = read_evaluated_runs(tmp_path)[0].settings
    assert settings["num_layers"] == 1
    assert "layers" not in settings


def test_new_results_are_read_as_they_are_written():
    protocol = get_protocol("turntable").to_plain()
    new = dataclasses.replace(results("sie", ScoreRow("representation", 8, scores())), protocol=protocol)
    assert EvaluationResults.from_json(new.to_json()) == new


def test_old_names_are_refused_elsewhere_with_the_new_one():
    for old, new in PROTOCOL_NAMES.items():
        assert get_protocol(new).name == new
        with pytest.raises(InvalidInputError, match=f"protocol {old} is now called {new}"):
            get_protocol(old)
    compared = compare_evaluated_runs([EvaluatedRun(results("sie", ScoreRow("representation", 8, scores())))])
    for old, new in METRIC_NAMES.items():
        with pytest.raises(InvalidInputError, match=f"metric {old} is now called {new}"):
            sort_comparison(compared, old)


def test_every_new_name_is_in_use():
    assert set(METRIC_NAMES.values()) <= set(CATALOG.columns)
    assert set(TASK_KINDS.values()) <= {type(task).__name__ for task in TASKS}
