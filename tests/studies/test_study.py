"""The contract: studies come from one registry, are given runs and a data set, and leave files."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from turntable import cli
from turntable.datasets import digest_ids, load_recipe, open_dataset, read_vectors
from turntable.errors import InvalidInputError
from turntable.evaluation import Score, compute_split_features, export_vectors
from turntable.evaluation.report import ReportFigure, plot_heat_map
from turntable.studies import (
    STUDIES,
    Study,
    StudyColumn,
    StudyInput,
    StudyOutcome,
    StudyRow,
    StudyTable,
    format_studies_table,
    run_study,
    study_to_html,
    study_to_json,
    write_study,
)
from turntable.studies.study_runner import make_run_labels
from turntable.testing.datasets import make_synthetic_dataset, make_synthetic_objects, write_synthetic_dataset
from turntable.training import make_demo_config, open_run, train

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_synthetic_dataset(tmp_path_factory.mktemp("data") / "set", num_objects=16, num_views=3).path


@pytest.fixture(scope="module")
def runs(dataset, tmp_path_factory):
    """A method with parts, and two seeds of one without."""
    folder = tmp_path_factory.mktemp("runs")
    settings = {"epochs": 1, "batch_size": 4, "pairs_per_object": 1}
    kinds = {"sie": ("sie", 0), "one": ("vicreg", 0), "two": ("vicreg", 1)}
    return {
        name: train(make_demo_config(method, dataset, seed=seed, **settings), folder / name)
        for name, (method, seed) in kinds.items()
    }


def called(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        cli.main(["study", *map(str, words)])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def counted(material: StudyInput) -> StudyOutcome:
    """How many objects each run's split has: a study of three lines."""
    rows = tuple(
        StudyRow((run.label,), (Score(n := run.get_features(material.split).num_objects, n, n), None))
        for run in material.runs
    )
    table = StudyTable(
        "<b>Counts</b>", "How many.", ("run",), (StudyColumn("objects", 1, 0), StudyColumn("no", 1)), rows
    )
    notes = (f"scale {material.choices['scale']}", "{{ 7 * 7 }} <script>")
    return StudyOutcome((table,), ("There are some.",), notes)


@pytest.fixture
def counts(monkeypatch):
    """Another study, which is an entry and no more."""
    study = Study("counts", "How many objects there are", "two runs", counted, {"scale": ("one", "two")}, 2)
    monkeypatch.setitem(STUDIES, "counts", study)
    return study


def test_names_of_the_registry_are_those_of_its_entries():
    assert [study.name for study in STUDIES.values()] == list(STUDIES)
    for study in STUDIES.values():
        assert study.help
        assert study.needs
        assert all(values for values in study.choices.values())


def test_the_docs_have_the_table_of_the_registry():
    assert format_studies_table() in (DOCS / "studies.md").read_text("utf-8"), format_studies_table()


def test_the_docs_explain_every_study():
    text = (DOCS / "studies.md").read_text("utf-8")
    assert all(f"\n## {name.capitalize()}\n" in text for name in STUDIES)


def test_an_entry_is_a_command(counts, runs, tmp_path, capsys):
    out = tmp_path / "out"
    code, said, warned = called(capsys, "counts", runs["one"], runs["two"], "--out", out, "--scale", "two")
    assert code == 0
    assert "<b>Counts</b>" in said
    assert "There are some." in said
    assert "scale two" in warned
    assert sorted(path.name for path in out.iterdir()) == ["study.html", "study.json"]
    page = (out / "study.html").read_text("utf-8")
    assert "<script>" not in page
    assert "&lt;b&gt;Counts" in page
    assert "{{ 7 * 7 }}" in page
    assert "scale: two" in page
    stated = json.loads((out / "study.json").read_text("utf-8"))
    assert stated["choices"] == {"scale": "two"}
    assert stated["tables"][0]["rows"][0]["scores"] == [{"value": 4, "low": 4, "high": 4}, None]
    assert [run["label"] for run in stated["runs"]] == ["vicreg seed 0", "vicreg seed 1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["colors", "one"], "there is no study 'colors'; the studies are"),
        (["counts", "one"], "needs 2 or more finished runs"),
        (["factors"], "needs 1 or more finished runs"),
        (["factors", "one", "one"], "is given twice"),
        (["factors", "one", "--heads", "deep"], "--heads deep is not possible; choose one of linear, mlp"),
        (["factors", "one", "--hats", "high"], "has no option --hats; its options are: --heads"),
        (["factors", "nowhere"], "holds no run"),
        (["factors", "one", "--split", "test"], "no split 'test'; it has train, val"),
        (["factors", "one", "--split", "train"], "measure another split"),
        (["factors", "one", "--data", "nowhere"], "nowhere"),
    ],
)
def test_what_is_wrong_is_said(counts, runs, monkeypatch, capsys, words, told):
    monkeypatch.chdir(runs["one"].parent)
    code, _, err = called(capsys, *words)
    assert code == 2
    assert told in err
    assert "Traceback" not in err


def test_an_unknown_name_lists_the_studies(capsys):
    _, _, err = called(capsys, "colors", "run")
    assert all(f"{study.name}: {study.help}" in err for study in STUDIES.values())


def test_factors_of_real_runs(runs, tmp_path, capsys):
    code, said, _ = called(capsys, "factors", runs["sie"], runs["one"], "--out", tmp_path)
    assert code == 0
    for words in ("equivariant", "constant baseline", "floor", "sie: ", "vicreg: the representation"):
        assert words in said
    assert str(tmp_path / "study.html") in said
    page = (tmp_path / "study.html").read_text("utf-8")
    assert page.count("data:image/png") == 2
    assert "http" not in page
    assert "<small>" in page
    with np.load(tmp_path / "details.npz", allow_pickle=False) as details:
        assert details["errors"].shape == (5, 7, 4)
    stated = json.loads((tmp_path / "study.json").read_text("utf-8"))
    assert stated["details"]["errors"]["shape"] == [5, 7, 4]
    assert stated["fingerprint"] == open_run(runs["sie"]).fingerprint
    assert [row["names"] for row in stated["tables"][0]["rows"]][-1] == ["constant baseline", "constant"]


def test_the_same_runs_give_the_same_files(runs, tmp_path):
    pages = [write_study(tmp_path / name, run_study("factors", [runs["sie"]])) for name in "ab"]
    for name in ("study.json", "study.html"):
        assert (pages[0] / name).read_bytes() == (pages[1] / name).read_bytes()


def test_other_data_may_be_asked_of_a_run(runs, tmp_path):
    other = make_synthetic_dataset(tmp_path / "other", num_objects=8, num_views=2, seed=5)
    studied = run_study("factors", [runs["one"]], other.path)
    assert studied.fingerprint == other.manifest.fingerprint
    assert "vicreg" in study_to_html(studied)
    assert json.loads(study_to_json(studied))["fingerprint"] == studied.fingerprint


def test_runs_of_different_data_need_to_be_told_which(runs, tmp_path):
    other = make_synthetic_dataset(tmp_path / "other", num_objects=8, num_views=2, seed=5)
    settings = {"epochs": 1, "batch_size": 4, "pairs_per_object": 1}
    elsewhere = train(make_demo_config("vicreg", other.path, **settings), tmp_path / "run")
    with pytest.raises(InvalidInputError, match=r"trained on different data sets .*--data"):
        run_study("factors", [runs["one"], elsewhere])
    assert run_study("factors", [runs["one"], elsewhere], other.path).dataset == "synthetic"


def moved(run, folder, place):
    """The run as if its data set lay elsewhere."""
    folder.mkdir()
    for name in ("config.json", "weights.pt"):
        (folder / name).write_bytes((run / name).read_bytes())
    values = json.loads((folder / "config.json").read_text())
    values["config"]["dataset"] = str(place)
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def test_a_data_set_that_has_gone_or_changed_is_not_taken_for_another(runs, dataset, tmp_path):
    run = moved(runs["one"], tmp_path / "run", tmp_path / "gone")
    with pytest.raises(InvalidInputError, match=r"is not at .*gone; give its path or URL with --data"):
        run_study("factors", [run])
    assert run_study("factors", [run, runs["two"]]).path_or_url == str(dataset)
    make_synthetic_dataset(tmp_path / "gone", num_objects=8, num_views=2, seed=5)
    with pytest.raises(InvalidInputError, match=r"is no longer the data set that .* was trained on"):
        run_study("factors", [run])


def test_a_study_has_the_splits_that_it_needs_and_no_others(counts, runs, tmp_path):
    whole = make_synthetic_dataset(tmp_path / "whole", num_objects=8, num_views=2, val_fraction=0.0)
    assert whole.splits == ("train",)
    with pytest.raises(InvalidInputError, match="no split 'val'; it has train"):
        run_study("counts", [runs["one"], runs["two"]], whole.path)
    found = run_study("counts", [runs["one"], runs["two"]], whole.path, "train").outcome
    assert found.tables[0].rows[0].scores[0].value == 8
    recipe = load_recipe("3diebench").replace(source="folder", views=2, image_size_px=32)
    records = [dataclasses.replace(record, split="val") for record in make_synthetic_objects(recipe, 8, 3)]
    write_synthetic_dataset(tmp_path / "held", recipe, records)
    held = open_dataset(tmp_path / "held")
    assert held.splits == ("val",)
    assert run_study("counts", [runs["one"], runs["two"]], held.path).split == "val"
    with pytest.raises(InvalidInputError, match="no split 'train'; it has val"):
        run_study("factors", [runs["one"]], held.path)


def test_an_unfinished_run_says_how_to_go_on(runs, tmp_path):
    (tmp_path / "config.json").write_bytes((runs["one"] / "config.json").read_bytes())
    with pytest.raises(InvalidInputError, match="the run is not finished"):
        run_study("factors", [tmp_path])


def test_runs_are_called_by_what_sets_them_apart(runs):
    sie, one, two = (open_run(runs[name]) for name in ("sie", "one", "two"))
    assert make_run_labels([sie, one]) == ["sie", "vicreg"]
    assert make_run_labels([one, two, sie]) == ["vicreg seed 0", "vicreg seed 1", "sie seed 0"]
    again = dataclasses.replace(one, folder=one.folder.parent / "again")
    assert make_run_labels([one, again]) == ["vicreg one", "vicreg again"]
    below = dataclasses.replace(one, folder=one.folder / "one")
    assert make_run_labels([one, below]) == [f"vicreg {one.folder}", f"vicreg {below.folder}"]


def test_vectors_are_the_features_of_the_split(runs, dataset, capsys):
    code, said, _ = called(capsys, "factors", runs["sie"], "--vectors")
    assert code == 0
    opened, run = open_dataset(dataset), open_run(runs["sie"])
    features = compute_split_features(run, dataset, "val")
    assert list(features.parts) == ["representation", "invariant", "equivariant"]
    for part, values in features.parts.items():
        folder = runs["sie"] / "vectors" / "synthetic" / "val" / part
        assert str(folder) in said
        found = read_vectors(folder, opened.manifest.fingerprint, verify=True)
        np.testing.assert_array_equal(found.values, values)
        assert (found.split, found.part, found.method) == ("val", part, "sie")
        assert found.objects == digest_ids(features.object_ids)
    (folder,) = export_vectors(runs["one"], dataset, "train")
    assert read_vectors(folder).split == "train"


def test_evaluate_leaves_vectors_too(runs, dataset, capsys):
    words = ["evaluate", str(runs["two"]), str(dataset), "--preset", "demo", "--vectors"]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--untrained"])
    assert ended.value.code == 2
    assert "--vectors writes the features of the trained run" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0
    folder = runs["two"] / "vectors" / "synthetic" / "val" / "representation"
    assert read_vectors(folder, verify=True).method == "vicreg"


@pytest.mark.parametrize("columns", [1, 15, 40])
def test_a_heat_map_takes_any_number_of_columns_and_any_names(columns):
    names = ["$\\frac{", *(f"a factor {number}" for number in range(columns - 1))]
    shares = np.linspace(-1, 2, 3 * columns).reshape(3, columns)
    image = plot_heat_map(shares, [["$$"] * columns] * 3, ["a", "<b>", "$_"], names)
    assert image.startswith(b"\x89PNG")
    assert image == plot_heat_map(shares, [["$$"] * columns] * 3, ["a", "<b>", "$_"], names)
    assert ReportFigure(image, "", "").image == image


def test_a_number_has_no_minus_before_nothing():
    column = StudyColumn("r2")
    assert [column.format_value(value) for value in (-0.001, 0.5, -0.25)] == ["0.00", "0.50", "-0.25"]
    assert StudyColumn("share", 100, 1).format_value(0.1234) == "12.3"
