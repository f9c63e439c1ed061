import base64
import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from synthetic import make_synthetic_dataset

from turntable.evaluation import (
    DatasetSummary,
    Details,
    Elsewhere,
    Results,
    Row,
    RunCurve,
    Score,
    summarize_dataset,
    summarize_run,
    write_report,
)
from turntable.evaluation.details import Retrieval
from turntable.evaluation.figures import histograms, loss_curves
from turntable.evaluation.report import meaning, pictures_of, told_share
from turntable.evaluation.tables import rows_of, tables


def scores(**values):
    numbers = {"top1": 0.5, "r2_pooled": 0.4, "r2_averaged": 0.3, "geodesic_mean_deg": 50.0}
    numbers |= {"geodesic_median_deg": 40.0, "acc_at_15": 0.1, "acc_at_30": 0.2, **values}
    return {name: Score(value, value - 0.01, value + 0.01) for name, value in numbers.items()}


def results(method, *rows):
    constant = Row("constant", 0, scores(top1=0.0625, r2_averaged=-0.0001, geodesic_median_deg=107.2))
    return Results(
        method, "small", 0, "zoo", "f" * 64, {"name": "turntable-1"}, 256, 64, 1280, (*rows, constant)
    )


@pytest.fixture
def both():
    sie = results(
        "sie",
        Row("representation", 512, scores(top1=0.91)),
        Row("equivariant", 256, scores(r2_averaged=0.61, geodesic_median_deg=21.4)),
    )
    return [sie, results("vicreg", Row("representation", 512, scores(top1=0.95, r2_averaged=0.2)))]


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
    runs = [RunCurve("sie", (3.0, 2.0, 1.0), "small"), RunCurve("vicreg", (2.0, 1.5), "small")]
    sheet = histograms({"a": np.arange(4.0)})
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


def test_the_table_has_every_part_and_ends_with_what_sees_no_image(both):
    naming, turning = tables(rows_of(both))
    rows = naming.rows
    assert [(row.method, row.part) for row in rows] == [
        ("sie", "representation"),
        ("sie", "equivariant"),
        ("vicreg", "representation"),
        ("no image", "constant"),
    ]
    assert naming.headings == ("top-1, %",)
    assert len(turning.headings) == 6
    assert all(len(row.cells) == 6 for row in turning.rows)
    assert (rows[0].cells[0].value, rows[0].cells[0].interval) == ("91.0", "90.0 … 92.0")


def test_the_best_of_each_column_is_marked_low_errors_too(both):
    marked = {
        heading: [f"{row.method}/{row.part}" for row in table.rows if row.cells[number].best]
        for table in tables(rows_of(both))
        for number, heading in enumerate(table.headings)
    }
    assert marked["top-1, %"] == ["vicreg/representation"]
    assert marked["R² averaged"] == ["sie/equivariant"]
    assert marked["error, median °"] == ["sie/equivariant"]


def test_rows_without_a_group_are_not_in_its_table(both):
    predictor = Row("predictor", 64, {"mrr": Score(0.4, 0.3, 0.5), "pre": Score(0.1, 0.0, 0.2)})
    groups = tables(rows_of([results("sie", Row("representation", 512, scores()), predictor)]))
    assert [table.title for table in groups][-1] == "What the predictor finds"
    assert [row.part for row in groups[0].rows] == ["representation", "constant"]
    assert [row.part for row in groups[-1].rows] == ["predictor"]
    assert groups[-1].headings == ("PRE", "MRR")


def test_two_sentences_say_what_the_numbers_mean(both):
    turning, naming = meaning(both)
    assert "by sie (equivariant): R² averaged 0.61, where seeing nothing gives 0.00" in turning
    assert "21° instead of 107°" in turning
    assert "from vicreg (representation): right in 95 % of the views" in naming
    assert "is right in 6 %" in naming


def test_figures_show_their_numbers():
    assert histograms({"a": np.zeros(9)}) == histograms({"a": np.zeros(9)})
    assert histograms({"a": np.zeros(9)}) != histograms({"a": np.arange(9.0)})
    assert loss_curves({"sie": [3, 2, 1]}) != loss_curves({"sie": [1, 2, 3]})


def test_a_data_set_is_summarized(tmp_path):
    dataset = make_synthetic_dataset(tmp_path / "set", objects=8, views=5)
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


def test_a_run_is_summarized(tmp_path):
    from turntable.training import demo_config, train

    make_synthetic_dataset(tmp_path / "set", objects=8)
    config = demo_config("vicreg", tmp_path / "set", epochs=2, batch_size=4)
    curve = summarize_run(train(config, tmp_path / "run"))
    assert curve.name == "vicreg"
    assert len(curve.losses) == 2
    assert "small, 2 epochs of 10 pairs an object, batch 4" in curve.settings


def test_the_page_of_a_run_shows_errors_points_and_what_is_found(tmp_path):
    dataset = make_synthetic_dataset(tmp_path / "set", objects=8, views=6)
    generator = np.random.default_rng(0)
    some = np.arange(4)
    details = Details(
        generator.uniform(0, 180, 300),
        {"representation": generator.uniform(0, 180, 300)},
        {"representation": generator.normal(size=(40, 2)), "invariant": generator.normal(size=(40, 2))},
        np.zeros(40, int),
        np.zeros(40, int),
        np.arange(40) % 2,
        Retrieval(np.array([0, 1]), some[:2], some[1:3], np.array([[1, 2, 3, 4, 5], [0, 2, 3, 4, 5]])),
    )
    run = tmp_path / "run"
    run.mkdir()
    elsewhere = Elsewhere("legacy", "e" * 64, 1.0, results("sie", Row("representation", 8, scores())).rows)
    found = dataclasses.replace(results("sie", Row("representation", 8, scores())), elsewhere=(elsewhere,))
    pictures = pictures_of(details, dataset, found)
    path = write_report(tmp_path / "report.html", summarize_dataset(dataset), [], [found], pictures)
    page = Page(path.read_text("utf-8"))
    assert len(page.images) == 4  # errors, points, what is found, histograms
    assert "The same heads on legacy" in page.text
    assert any("Not out of distribution on SO(3)" in text for text in page.text)
    sheet = pixels(page.images[2])
    green = (sheet[..., :3] == (76, 159, 80)).all(axis=2).any(axis=1)
    step = sheet.shape[0] // 2
    assert green[:step].any()  # the first found view is the one asked for
    assert green[step:].any()


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "Out of distribution"), (1.0, "Not out of"), (0.25, "25.0 %"), (None, "not known")],
)
def test_it_is_said_how_far_outside_of_training_other_data_are(share, words):
    assert words in told_share(share)
