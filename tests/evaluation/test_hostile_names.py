"""Names that strangers chose for their classes, runs and licences, on every page that shows them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from turntable.cli.base import PlainConsole
from turntable.console import build_comparison_tables, build_dataset_tables
from turntable.datasets import Dataset, ObjectRecord, load_recipe, open_dataset
from turntable.datasets.describing import Provenance, format_card, parse_croissant_digests
from turntable.datasets.describing.croissant import format_croissant
from turntable.errors import IntegrityError
from turntable.evaluation import EvaluationResults, Score, ScoreRow, summarize_dataset, write_report
from turntable.evaluation.report.plots import (
    plot_error_over_angle,
    plot_histograms,
    plot_projections,
    plot_training_curves,
)
from turntable.evaluation.report.report_summaries import read_contact_sheet
from turntable.studies import compare_runs, write_comparison
from turntable.testing.datasets import write_synthetic_dataset

pytestmark = pytest.mark.slow

NAMES = (
    "<script>alert(1)</script>",
    "$\\frac{",
    "$$",
    "a | b\n| c",
    "[/red] [link=file:///etc/passwd]x[/link]",
    "\u202etxt.exe",
    "'; drop table labels; --",
    "{{ 7 * 7 }} {% raw %}",
    "_" * 80 + "ü",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A data set whose classes have such names, as folders of meshes may."""
    folder = tmp_path_factory.mktemp("names") / "set"
    recipe = load_recipe("3diebench").replace(
        name="names", source="folder", views=2, image_size_px=16, splits=["train"]
    )
    names = [name.replace("\n", " ").replace("\u202e", "") for name in NAMES]
    records = [
        ObjectRecord(f"{name.replace('/', '-')}/{at}", name, "train", "folder", "", licence=NAMES[at])
        for at, name in enumerate(names)
    ]
    write_synthetic_dataset(folder, recipe, records)
    return open_dataset(folder)


def results(method: str, **changes: object) -> EvaluationResults:
    score = Score(0.5, 0.4, 0.6)
    rows = (
        ScoreRow(method, 8, {"top1": score, "r2_averaged": score}),
        ScoreRow("constant", 0, {"top1": score}),
    )
    made = EvaluationResults(
        method, method, 0, "set", "0" * 64, {"name": method}, 1, 1, 1, rows, notes=(method,)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def plain(page: str) -> None:
    assert "<script>alert" not in page


def test_a_report_shows_names_as_text(hostile: Dataset, tmp_path: Path) -> None:
    summary = summarize_dataset(hostile, read_contact_sheet(hostile))
    for name in NAMES:
        path = write_report(tmp_path / "report.html", summary, [], [results(name)])
        plain(path.read_text("utf-8"))
        assert "7 * 7" in path.read_text("utf-8") or "7 * 7" not in name


def test_a_comparison_shows_names_as_text(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "results.json").write_text(results(name).to_json())
    comparison = compare_runs([tmp_path / str(number) for number in range(len(NAMES))])
    plain(write_comparison(tmp_path / "page.html", comparison).read_text("utf-8"))
    console = PlainConsole()
    with console.capture() as shown:
        for table in build_comparison_tables(comparison):
            console.print(table)
    assert "\u202e" not in shown.get()
    assert "\\u202e" in shown.get()


def test_results_with_names_without_an_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(results("x" * 100_000).to_json())
    with pytest.raises(IntegrityError, match="names longer than 500 characters"):
        compare_runs([tmp_path])


def test_figures_take_names_for_words(hostile: Dataset) -> None:
    count = len(NAMES)
    for name in NAMES:
        assert plot_training_curves([(name, {name: [1.0, 0.5]})]).startswith(b"\x89PNG")
        assert plot_histograms({name: np.arange(5.0)}).startswith(b"\x89PNG")
    angles = np.linspace(0, 180, 90)
    assert plot_error_over_angle(angles, dict.fromkeys(NAMES, angles)).startswith(b"\x89PNG")
    points = {NAMES[1]: np.arange(2.0 * count).reshape(count, 2)}
    assert plot_projections(points, np.arange(count), hostile.categories).startswith(b"\x89PNG")


def test_a_card_and_a_croissant_show_licences_as_words(hostile: Dataset) -> None:
    manifest = replace(hostile.manifest, source={"name": NAMES[0], "licence": NAMES[3]})
    card = format_card(manifest, Provenance(dict.fromkeys(NAMES, 1)))
    assert "<script>" not in card
    rows = (
        card.partition("| license of the mesh | objects |")[2].partition("## Labels")[0].strip().splitlines()
    )
    assert len(rows) == 1 + len(NAMES)
    assert all(row.replace("\\|", "").count("|") == 3 for row in rows)
    text = format_croissant(manifest, "0" * 64, "1" * 64)
    assert json.loads(text)["name"] == "names"
    assert parse_croissant_digests(text)["manifest.json"] == "0" * 64


def test_a_terminal_shows_names_as_text(hostile: Dataset) -> None:
    console = PlainConsole()
    with console.capture() as shown:
        for table in build_dataset_tables(hostile):
            console.print(table)
        console.print("\x1b[2J\x1b]0;owned\x07 \x9b2J")
    assert "\x1b" not in shown.get().replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[3m", "")
    assert "\\x1b[2J" in shown.get()
    assert "[link=file:///etc/passwd]" in shown.get().replace("\n", "")
