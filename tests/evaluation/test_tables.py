"""Tables of results: their rows, what is marked in them, and the sentence that says what they show."""

import dataclasses

import pytest

from tests.support.made_up import results, scores
from turntable.evaluation import Score, ScoreRow
from turntable.evaluation.report import build_tables, collect_rows
from turntable.evaluation.report.page import format_training_share
from turntable.evaluation.report.score_tables import build_side_by_side_tables


def test_the_table_has_every_part_and_ends_with_what_sees_no_image(both):
    naming, turning = build_tables(collect_rows(both))
    rows = naming.rows
    assert [(row.method, row.part) for row in rows] == [
        ("sie", "representation"),
        ("sie", "equivariant"),
        ("vicreg", "representation"),
        ("constant baseline", "constant"),
    ]
    assert naming.headings == ("top-1, %",)
    assert len(turning.headings) == 6
    assert all(len(row.cells) == 6 for row in turning.rows)
    assert (rows[0].cells[0].value, rows[0].cells[0].interval) == ("91.0", "90.0 … 92.0")


def test_the_best_of_each_column_is_marked_low_errors_too(both):
    marked = {
        heading: [f"{row.method}/{row.part}" for row in table.rows if row.cells[number].is_best]
        for table in build_tables(collect_rows(both))
        for number, heading in enumerate(table.headings)
    }
    assert marked["top-1, %"] == ["vicreg/representation"]
    assert marked["R² averaged"] == ["sie/equivariant"]
    assert marked["median error °"] == ["sie/equivariant"]


def test_rows_without_a_group_are_not_in_its_table(both):
    predictor = ScoreRow("predictor", 64, {"mrr": Score(0.4, 0.3, 0.5), "pre": Score(0.1, 0.0, 0.2)})
    groups = build_tables(
        collect_rows([results("sie", ScoreRow("representation", 512, scores()), predictor)])
    )
    assert [table.title for table in groups][-1] == "Retrieval by the predictor"
    assert [row.part for row in groups[0].rows] == ["representation", "constant"]
    assert [row.part for row in groups[-1].rows] == ["predictor"]
    assert groups[-1].headings == ("PRE", "MRR")


def test_what_is_no_better_than_seeing_nothing_is_not_marked(both):
    blind = scores(acc_at_15=0.2, r2_averaged=0.0)
    worse = results("sie", ScoreRow("representation", 8, scores(acc_at_15=0.1)))
    worse = dataclasses.replace(worse, rows=(worse.rows[0], ScoreRow("constant", 0, blind)))
    _, turning = build_tables(collect_rows([worse]))
    marked = dict(zip(turning.headings, turning.rows[0].cells, strict=True))
    assert marked["within 15°, %"].is_worse
    assert marked["R² averaged"].is_best


def test_several_views_together_are_shown_but_not_called_the_best():
    rows = (
        ScoreRow("representation", 8, scores(top1=0.5)),
        ScoreRow("aggregate_3", 8, {"top1": Score(0.9, 0.8, 1.0)}),
    )
    naming = build_tables(collect_rows([results("seq-jepa", *rows)]))[0]
    assert [(row.part, row.cells[0].is_best) for row in naming.rows] == [
        ("representation", True),
        ("aggregate_3", False),
        ("constant", False),
    ]
    assert naming.finding.startswith("seq-jepa: ")


def test_a_sentence_says_what_each_group_found(both):
    naming, turning = (table.finding for table in build_tables(collect_rows(both)))
    assert naming == "vicreg: category right for 95.0 %, constant baseline 6.2 %."
    assert turning == "sie, equivariant: median rotation error 21.4°, constant baseline 107.2°."


@pytest.mark.parametrize(
    ("median", "verdict"),
    [(21.0, None), (107.19, "no difference is shown"), (150.0, "This is worse than the constant baseline.")],
)
def test_a_sentence_claims_no_more_than_the_intervals(median, verdict):
    row = ScoreRow("representation", 8, scores(geodesic_median_deg=median))
    finding = build_tables(collect_rows([results("sie", row)]))[1].finding
    assert (verdict in finding) if verdict else finding.endswith("°.")


@pytest.mark.parametrize(("residual", "blind", "said"), [(0.9, 0.8, "0.800"), (0.9, None, "1.000")])
def test_a_predictor_is_held_against_the_better_of_staying_and_the_mean(residual, blind, said):
    def of(value):
        return {} if value is None else {"equivariance_residual": Score(value, value, value)}

    rows = [
        ("sie", ScoreRow("predictor", 8, of(residual))),
        ("constant baseline", ScoreRow("constant", 0, of(blind))),
    ]
    (table,) = build_tables(rows)
    assert f"constant baseline {said}." in table.finding
    assert table.finding.endswith("This is worse than the constant baseline.") == (blind is not None)
    assert table.rows[0].cells[0].is_best == (blind is None)


def test_data_sets_stand_side_by_side_with_the_same_metric_next_to_each_other():
    def rows(**values):
        return collect_rows([results("sie", ScoreRow("representation", 8, scores(**values)))])

    naming, turning, *_ = build_side_by_side_tables({"zoo": rows(top1=0.9), "so3-ood": rows(top1=0.4)})
    assert (naming.group_headings, naming.headings) == (("top-1, %",), ("zoo", "so3-ood"))
    assert [cell.value for cell in naming.rows[0].cells] == ["90.0", "40.0"]
    assert [row.part for row in naming.rows] == ["representation", "constant"]
    assert turning.group_headings == ("R² averaged", "median error °")
    assert turning.headings == ("zoo", "so3-ood") * 2


def test_what_one_data_set_cannot_have_is_an_empty_cell():
    here = [("sie", ScoreRow("representation", 8, {"top1": Score(0.9, 0.8, 1.0)}))]
    there = [("sie", ScoreRow("representation", 8, {"r2_averaged": Score(0.1, 0.0, 0.2)}))]
    naming, turning = build_side_by_side_tables({"here": here, "there": there})
    assert [cell.value for cell in naming.rows[0].cells] == ["90.0", ""]
    assert [cell.value for cell in turning.rows[0].cells] == ["", "0.100"]


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "Out of distribution"), (1.0, "Not out of"), (0.25, "25.0 %"), (None, "not known")],
)
def test_it_is_said_how_far_outside_of_training_other_data_are(share, words):
    assert words in format_training_share(share)
