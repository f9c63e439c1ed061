"""Comparing runs that were not evaluated alike: which, and the commands that mend it."""

import dataclasses

import pytest

from tests.support.made_up import results, scores
from turntable.errors import InvalidInputError
from turntable.evaluation import ScoreRow, TrainingSource
from turntable.studies.comparison import compare_evaluated_runs
from turntable.studies.evaluated_runs import EvaluatedRun, read_evaluated_runs
from turntable.studies.missing_evaluations import select_evaluations

ROW = ScoreRow("representation", 8, scores())
SOURCE = TrainingSource("zoo", "f" * 64, "my set")


def run(folder, method="sie", protocol="turntable-1", fingerprint="f" * 64, **changes):
    made = dataclasses.replace(results(method, ROW), fingerprint=fingerprint, path_or_url="my set", **changes)
    made = dataclasses.replace(made, protocol={**made.protocol, "name": protocol}, training=SOURCE)
    recorded = {"config": {"method": method, "dataset": "my set"}, "fingerprint": "f" * 64}
    return EvaluatedRun(made, {}, folder, recorded)


def test_the_warning_names_the_runs_and_the_command(tmp_path):
    one, two, three = (tmp_path / name for name in ("a", "b", "c d"))
    short = run(three, "vicreg", "turntable-1-demo")
    (warning,) = compare_evaluated_runs([run(one), run(two, "byol"), short]).warnings
    assert warning.startswith("these runs were evaluated with different protocols")
    assert f"({one}, {two}); " in warning
    assert f"({three}). To compare them, run: " in warning
    command = f"turntable evaluate '{three}' 'my set' --protocol turntable --preset paper"
    assert warning.endswith(f"run: {command}")


def test_no_warning_where_every_run_has_every_evaluation(tmp_path):
    one, two = tmp_path / "a", tmp_path / "b"
    evaluated = [
        run(place, m, p) for place, m in ((one, "sie"), (two, "byol")) for p in ("turntable-1", "sie")
    ]
    comparison = compare_evaluated_runs(evaluated)
    assert comparison.warnings == ()
    assert len(comparison.sections) == 2
    assert [each.folder for each in comparison.runs] == [one, two]
    assert comparison.notes == ("Trained on zoo ffffffff.",)


def test_all_are_evaluated_again_where_the_same_command_gave_other_settings(tmp_path):
    old = run(tmp_path / "a")
    old = dataclasses.replace(
        old, results=dataclasses.replace(old.results, protocol={**old.results.protocol, "pairs": 1})
    )
    (warning,) = compare_evaluated_runs([old, run(tmp_path / "b", "byol")]).warnings
    assert warning.count("turntable evaluate") == 2


def test_untrained_networks_and_own_methods_are_evaluated_by_their_own_options(tmp_path):
    fresh = run(tmp_path / "run" / "untrained", "untrained", "sie")
    own = run(tmp_path / "own", "mine", "sie")
    own.recorded["config"]["method"] = "mine.py:Mine"
    many = [run(tmp_path / name, method) for name, method in (("a", "sie"), ("b", "byol"), ("c", "sen"))]
    (warning,) = compare_evaluated_runs([*many, fresh, own]).warnings
    options = "'my set' --protocol turntable --preset paper"
    assert f"turntable evaluate {tmp_path / 'run'} {options} --untrained && " in warning
    assert warning.endswith(f"turntable evaluate {tmp_path / 'own'} {options} --method mine.py:Mine")


def test_results_are_chosen_by_data_set_and_protocol(tmp_path):
    one, two = run(tmp_path / "a"), run(tmp_path / "a", protocol="turntable-1-demo", fingerprint="e" * 64)
    assert select_evaluations([one, two], protocol="turntable") == [one]
    assert select_evaluations([one, two], protocol="turntable-demo") == [two]
    assert select_evaluations([one, two], dataset="eeeeee") == [two]
    assert select_evaluations([one, two], dataset="my set") == [one, two]
    with pytest.raises(InvalidInputError, match="no run has results for protocol sie; they have: zoo fff"):
        select_evaluations([one, two], protocol="sie")


def test_a_chosen_evaluation_that_a_run_lacks_is_named_with_its_command(tmp_path):
    one, two = run(tmp_path / "a", protocol="sie"), run(tmp_path / "b", "byol", "equicaps")
    with pytest.raises(InvalidInputError) as refused:
        select_evaluations([one, two], protocol="sie")
    command = f"turntable evaluate {two.folder} 'my set' --protocol sie"
    assert str(refused.value) == f"no such results of {two.folder}; run: {command}"


def test_a_protocol_of_a_user_has_no_command(tmp_path):
    found = [run(tmp_path / "a", protocol="mine"), run(tmp_path / "b", "byol")]
    (warning,) = compare_evaluated_runs(found).warnings
    assert warning.endswith(f"evaluate {tmp_path / 'b'} in Python, under protocol mine too")


def test_a_place_without_results_says_how_to_get_some(tmp_path):
    with pytest.raises(InvalidInputError, match="evaluate it first: turntable evaluate"):
        read_evaluated_runs(tmp_path)
    with pytest.raises(InvalidInputError, match="is not there; give the folder of an evaluated run"):
        read_evaluated_runs(tmp_path / "nowhere")
