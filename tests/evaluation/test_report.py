"""Pages, figures and summaries of data sets and runs."""

import base64
import dataclasses
import io
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tests.support.made_up import results, scores
from turntable import cli
from turntable.evaluation import (
    DatasetSummary,
    FigureData,
    OODResults,
    RunSummary,
    ScoreRow,
    get_protocol,
    list_result_files,
    read_results,
    summarize_dataset,
    summarize_run,
    write_report,
    write_runs_report,
)
from turntable.evaluation.figure_data import RetrievalExamples
from turntable.evaluation.measurement import BootstrapConfig
from turntable.evaluation.report.plots import (
    plot_error_over_angle,
    plot_histograms,
    plot_projections,
    plot_training_curves,
)
from turntable.evaluation.report.report_figures import render_retrieval_sheet
from turntable.evaluation.report.report_summaries import read_contact_sheet
from turntable.studies import compare_runs
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import make_demo_config, train

SUMMARY = DatasetSummary("<zoo> & co", {"objects": "320"}, {"rotation_x, rad": np.linspace(-1, 1, 50)})


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.images, self.links, self.cells, self.text = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag == "img":
            self.images.append(named["src"])
        if tag in ("link", "script", "a", "iframe"):
            self.links.append(tag)

    def handle_data(self, data):
        self.text.append(data.strip())


def pixels(url):
    kind, data = re.fullmatch(r"data:image/(png|jpeg);base64,(.+)", url).groups()
    image = Image.open(io.BytesIO(base64.b64decode(data)))
    assert image.format.lower() == kind
    return np.asarray(image.convert("RGBA"))


def test_the_page_is_complete_in_itself(both, tmp_path):
    runs = [RunSummary("sie", (3.0, 2.0, 1.0), "small"), RunSummary("vicreg", (2.0, 1.5), "small")]
    sheet = plot_histograms({"a": np.arange(4.0)})
    path = write_report(
        tmp_path / "report.html",
        DatasetSummary(SUMMARY.name, SUMMARY.facts, SUMMARY.factors, sheet),
        runs,
        both,
    )
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.images) == 3  # curves, contact sheet, histograms
    assert all(pixels(url)[..., 3].max() > 0 for url in page.images)
    assert page.links == []
    assert "http" not in text
    assert "prefers-color-scheme: dark" in text
    assert "<zoo> & co" in page.text  # escaped in the file
    assert "<zoo>" not in text


def test_a_page_without_runs_shows_the_data_alone(tmp_path):
    page = Page(write_report(tmp_path / "report.html", SUMMARY, [], []).read_text(encoding="utf-8"))
    assert len(page.images) == 1
    assert "Data" in page.text
    assert "Training" not in page.text


@pytest.mark.slow
def test_figures_show_their_numbers():
    assert plot_histograms({"a": np.zeros(9)}) == plot_histograms({"a": np.zeros(9)})
    assert plot_histograms({"a": np.zeros(9)}) != plot_histograms({"a": np.arange(9.0)})
    falling, rising = {"loss": [3.0, 2, 1]}, {"loss": [1.0, 2, 3]}
    assert plot_training_curves([("sie", falling)]) != plot_training_curves([("sie", rising)])
    with_terms = plot_training_curves([("sie", {**falling, "variance": [1.0, 1, 2]})])
    assert with_terms != plot_training_curves([("sie", falling)])
    assert height(plot_training_curves([("sie", {term: [1.0, 2] for term in "abcde"})])) > height(with_terms)
    # Seeds of one name share a panel.
    assert height(plot_training_curves([("sie", falling)] * 9)) == height(
        plot_training_curves([("sie", falling)])
    )


def height(png):
    return Image.open(io.BytesIO(png)).height


def test_errors_are_binned_by_angle_up_to_the_last_degree():
    turns, errors = np.full(20, 180.0), np.full(20, 90.0)
    blank = plot_error_over_angle(np.zeros(0), {"representation": np.zeros(0)})
    assert plot_error_over_angle(turns, {"representation": errors}) != blank
    few = plot_error_over_angle(turns[:4], {"representation": errors[:4]})
    assert few == blank  # too few for a median


def test_points_of_many_categories_and_of_one_are_drawn():
    points = {"representation": np.random.default_rng(0).normal(size=(60, 2))}
    names = [f"category {number}" for number in range(30)]
    many = plot_projections(points, np.arange(60) % 30, names)
    assert many != plot_projections(points, np.zeros(60, int), names)


def test_a_data_set_is_summarized(tmp_path):
    dataset = make_synthetic_dataset(tmp_path / "set", num_objects=8, num_views=5)
    summary = summarize_dataset(dataset)
    assert summary.facts["images"] == "40"
    assert summary.facts["objects"].startswith("8 (")
    assert list(summary.factors)[:4] == [
        "rotation_x, rad",
        "rotation_y, rad",
        "rotation_z, rad",
        "floor_hue, turns",
    ]
    assert all(len(values) == 40 for values in summary.factors.values())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data set and a run of two epochs on it."""
    folder = tmp_path_factory.mktemp("reported")
    dataset = make_synthetic_dataset(folder / "set", num_objects=8)
    config = make_demo_config("vicreg", folder / "set", epochs=2, batch_size=4, pairs_per_object=2)
    return dataset, train(config, folder / "run")


def test_a_run_is_summarized(trained):
    curve = summarize_run(trained[1])
    assert curve.name == "vicreg"
    assert len(curve.losses) == 2
    assert "small, 2 epochs of 2 samples an object, batch 4" in curve.settings
    assert {"invariance", "variance", "covariance"} <= set(curve.terms)
    assert all(len(values) == 2 for values in curve.terms.values())
    assert not {"loss", "epoch", "step", "kind"} & set(curve.terms)


def retrieval(*asked_and_found):
    asked, found = zip(*asked_and_found, strict=True)
    return RetrievalExamples(
        np.arange(len(asked)) % 2, np.zeros(len(asked), int), np.array(asked), np.array(found)
    )


def made_up_details(found=None):
    generator = np.random.default_rng(0)
    parts = ("representation", "invariant")
    return FigureData(
        generator.uniform(0, 180, 300),
        {"representation": generator.uniform(0, 180, 300)},
        {part: generator.normal(size=(40, 2)) for part in parts},
        np.zeros(40, int),
        np.zeros(40, int),
        np.arange(40) % 2,
        found,
    )


def test_the_page_of_a_run_shows_all_there_is(trained, tmp_path):
    dataset, run = trained
    row = ScoreRow("representation", 8, scores(r2_averaged=0.7))
    there = results("vicreg", ScoreRow("representation", 8, scores(r2_averaged=-0.2))).rows
    elsewhere = OODResults("so3-ood", "e" * 64, 0.0, there, ("color: left out",))
    found = dataclasses.replace(results("vicreg", row), elsewhere=(elsewhere,), notes=("hues: left out",))
    details = made_up_details(retrieval((1, [1, 2, 3, 4, 5])))
    page = Page(
        write_runs_report([run], dataset, [found], details, tmp_path / "report.html").read_text("utf-8")
    )
    assert len(page.images) == 6  # errors, points, what is found, curves, contact sheet, histograms
    assert "vicreg on zoo" not in page.text
    assert "vicreg on synthetic" in page.text
    assert "Out of distribution on SO(3): none of its rotations can occur in training." in page.text
    assert {"hues: left out.", "color: left out."} <= set(page.text)
    assert read_contact_sheet(dataset) == base64.b64decode(page.images[4].split(",")[1])


def test_other_data_of_the_same_name_are_told_apart(tmp_path):
    row = results("sie", ScoreRow("representation", 8, scores())).rows
    elsewhere = (OODResults(SUMMARY.name, "a" * 64, 0.0, row), OODResults("other", "b" * 64, 1.0, row))
    found = dataclasses.replace(results("sie", row[0]), elsewhere=elsewhere)
    page = Page(write_report(tmp_path / "report.html", SUMMARY, [], [found]).read_text("utf-8"))
    assert f"{SUMMARY.name} aaaaaaaa" in page.text
    assert "other" in page.text


def test_the_true_view_is_framed_where_it_is_found(trained):
    found = retrieval((1, [1, 2, 3, 4, 5]), (1, [5, 4, 3, 2, 1]), (1, [2, 3, 4, 5, 0]))
    sheet = np.asarray(Image.open(io.BytesIO(render_retrieval_sheet(found, trained[0]))).convert("RGBA"))
    framed = (sheet[..., :3] == (76, 159, 80)).all(axis=2)
    rows = np.array_split(framed[20:], 3)
    places = [np.flatnonzero(row.any(axis=0)) for row in rows]
    assert places[0].max() < places[1].min()  # first found, then last
    assert len(places[2]) == 0


def evaluated(monkeypatch, capsys, *words):
    quick = dataclasses.replace(
        get_protocol("turntable-demo").with_probe_settings(epochs=1, hidden=8),
        resampling=BootstrapConfig(num_resamples=10),
    )
    monkeypatch.setattr("turntable.evaluation.select_protocol", lambda *chosen: (quick, None))
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", *map(str, words)])
    return ended.value.code, capsys.readouterr()


@pytest.mark.slow
def test_a_network_that_has_learned_nothing_is_evaluated_beside_its_run(trained, monkeypatch, capsys):
    dataset, run = trained
    code, _ = evaluated(monkeypatch, capsys, run, dataset.path, "--untrained")
    assert code == 0
    assert list_result_files(run) == ()
    (files,) = list_result_files(run / "untrained")
    assert read_results(files.path).method == "untrained"
    text = files.report_path.read_text("utf-8")
    assert "untrained on synthetic" in text
    assert "it has no records" in text
    assert evaluated(monkeypatch, capsys, run, dataset.path)[0] == 0
    methods = [entry.method for entry in compare_runs([run, run / "untrained"]).entries]
    assert methods == ["vicreg", "untrained", "constant baseline"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--protocol", "sie", "--preset", "demo"], "--preset demo is for turntable's protocol"),
        (["--untrained", "--ood", "elsewhere"], "--untrained scores one data set"),
    ],
)
def test_options_that_would_be_ignored_are_refused(words, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", "nowhere", "nowhere", *words])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_without_a_network_shows_the_page(both, trained, tmp_path):
    write_runs_report([trained[1]], trained[0], [both[0]], made_up_details(), tmp_path / "report.html")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}"]
    command += [f"--screenshot={tmp_path / 'page.png'}", "--window-size=1200,3000"]
    subprocess.run(
        [*command, f"file://{tmp_path / 'report.html'}"], check=True, capture_output=True, timeout=60
    )
    shown = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).reshape(-1, 3)
    for color in ((232, 241, 250), (59, 130, 196)):  # the mark of the best, the first color of figures
        assert (shown == color).all(axis=1).sum() > 100


def test_a_home_that_cannot_be_written_and_strange_names_leave_no_notices(tmp_path):
    code = (
        "import numpy as np; from turntable.evaluation.report.plots import plot_histograms;"
        "assert plot_histograms({'\u6c49\u5b57': np.arange(9.0)})"
    )
    lacking = {"HOME": str(tmp_path / "none" / "home"), "TMPDIR": str(tmp_path)}
    (tmp_path / "none").touch()
    kept = {
        k: v for k, v in os.environ.items() if k not in ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    }
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code],
        env={**kept, **lacking},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
