"""Tables of results: their rows, what is marked in them, and the sentence that says what they show."""

import dataclasses

import pytest

from tests.support.made_up import results, scores
from turntable.evaluation import Row, Score
from turntable.evaluation.report import rows_of, tables
from turntable.evaluation.report.page import told_share
from turntable.evaluation.report.score_tables import side_by_side


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


def test_what_is_no_better_than_seeing_nothing_is_not_marked(both):
    blind = scores(acc_at_15=0.2, r2_averaged=0.0)
    worse = results("sie", Row("representation", 8, scores(acc_at_15=0.1)))
    worse = dataclasses.replace(worse, rows=(worse.rows[0], Row("constant", 0, blind)))
    _, turning = tables(rows_of([worse]))
    marked = dict(zip(turning.headings, turning.rows[0].cells, strict=True))
    assert not marked["within 15°, %"].best
    assert marked["R² averaged"].best


def test_several_views_together_are_shown_but_not_called_the_best():
    rows = Row("representation", 8, scores(top1=0.5)), Row("aggregate_3", 8, {"top1": Score(0.9, 0.8, 1.0)})
    naming = tables(rows_of([results("seq-jepa", *rows)]))[0]
    assert [(row.part, row.cells[0].best) for row in naming.rows] == [
        ("representation", True),
        ("aggregate_3", False),
        ("constant", False),
    ]
    assert "the representation of seq-jepa" in naming.finding


def test_a_sentence_says_what_each_group_found(both):
    naming, turning = (table.finding for table in tables(rows_of(both)))
    assert naming == (
        "A linear head on the representation of vicreg names the category of 95.0 % of the views;"
        " always naming the most frequent one is right for 6.2 %."
    )
    assert turning == (
        "Half of what the equivariant of sie says is wrong by less than 21.4° (R² averaged 0.610);"
        " of what says the same of all, half by less than 107.2° (R² averaged 0.000)."
    )


@pytest.mark.parametrize(
    ("median", "verdict"),
    [(21.0, None), (107.19, "nothing is shown to be learned"), (150.0, "That is worse.")],
)
def test_a_sentence_claims_no_more_than_the_intervals(median, verdict):
    row = Row("representation", 8, scores(geodesic_median_deg=median))
    finding = tables(rows_of([results("sie", row)]))[1].finding
    assert (verdict in finding) if verdict else finding.endswith(").")


@pytest.mark.parametrize(("residual", "blind", "said"), [(0.9, 0.8, "0.800"), (0.9, None, "1.000")])
def test_a_predictor_is_held_against_the_better_of_staying_and_the_mean(residual, blind, said):
    def of(value):
        return {} if value is None else {"equivariance_residual": Score(value, value, value)}

    rows = [("sie", Row("predictor", 8, of(residual))), ("no image", Row("constant", 0, of(blind)))]
    (table,) = tables(rows)
    assert f"misses by {said}." in table.finding
    assert table.finding.endswith("That is worse.") == (blind is not None)
    assert table.rows[0].cells[0].best == (blind is None)


def test_data_sets_stand_side_by_side_with_the_same_metric_next_to_each_other():
    def rows(**values):
        return rows_of([results("sie", Row("representation", 8, scores(**values)))])

    naming, turning, *_ = side_by_side({"zoo": rows(top1=0.9), "so3-ood": rows(top1=0.4)})
    assert (naming.over, naming.headings) == (("top-1, %",), ("zoo", "so3-ood"))
    assert [cell.value for cell in naming.rows[0].cells] == ["90.0", "40.0"]
    assert [row.part for row in naming.rows] == ["representation", "constant"]
    assert turning.over == ("R² averaged", "error, median °")
    assert turning.headings == ("zoo", "so3-ood") * 2


def test_what_one_data_set_cannot_have_is_an_empty_cell():
    here = [("sie", Row("representation", 8, {"top1": Score(0.9, 0.8, 1.0)}))]
    there = [("sie", Row("representation", 8, {"r2_averaged": Score(0.1, 0.0, 0.2)}))]
    naming, turning = side_by_side({"here": here, "there": there})
    assert [cell.value for cell in naming.rows[0].cells] == ["90.0", ""]
    assert [cell.value for cell in turning.rows[0].cells] == ["", "0.100"]


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "Out of distribution"), (1.0, "Not out of"), (0.25, "25.0 %"), (None, "not known")],
)
def test_it_is_said_how_far_outside_of_training_other_data_are(share, words):
    assert words in told_share(share)
