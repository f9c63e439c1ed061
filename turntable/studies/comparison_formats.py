"""Formats of a comparison: tables for people, Markdown, and JSON for programs."""

import json
from dataclasses import asdict

from turntable.evaluation import Score, ScoreRow
from turntable.evaluation.report import (
    MARKS_LEGEND,
    ColumnMarker,
    MeanScore,
    RenderedTable,
    build_tables,
    format_cell,
)
from turntable.markdown import format_markdown_table
from turntable.studies.comparison import ComparedPart, Comparison, ComparisonSection, MetricSummary


def build_comparison_tables(section: ComparisonSection) -> tuple[RenderedTable, ...]:
    """Build all tables: means over seeds ± standard deviations, and the widest intervals over objects."""
    return build_tables(
        [(_format_method(entry), _to_score_row(entry)) for entry in section.entries],
        section.catalog,
    )


def build_main_rows(
    section: ComparisonSection, with_intervals: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Build the headings and rows of the short table: marked means over seeds ± standard deviations.

    Args:
        section: Section of a comparison.
        with_intervals: True to add the bootstrap intervals over objects.
    """
    found = {metric for entry in section.entries for metric in entry.summaries}
    columns = [section.catalog.columns[name] for name in section.catalog.main_metrics if name in found]
    score_rows = [_to_score_row(entry) for entry in section.entries]
    markers = [
        ColumnMarker.from_rows(column, score_rows, section.catalog.get_finding(column)) for column in columns
    ]
    headings = ["method", "part", "seeds", *(column.short_heading for column in columns)]
    rows = [
        [
            entry.method,
            entry.part,
            str(entry.num_seeds),
            *(_format_score(marker, row, with_intervals) for marker in markers),
        ]
        for entry, row in zip(section.entries, score_rows, strict=True)
    ]
    return headings, rows


def comparison_to_markdown(comparison: Comparison, with_intervals: bool = False) -> str:
    """Return the short tables in Markdown, below the warnings and above the notes.

    Args:
        comparison: Comparison of evaluated runs.
        with_intervals: True to add the bootstrap intervals over objects.
    """
    blocks = [f"> {warning}" for warning in comparison.warnings]
    for section in comparison.sections:
        if len(comparison.sections) > 1:
            blocks.append(f"**{section.title}**")
        headings, rows = build_main_rows(section, with_intervals)
        blocks.append(format_markdown_table(headings, rows))
    blocks += [*comparison.notes, MARKS_LEGEND]
    return "\n\n".join(blocks)


def comparison_to_json(comparison: Comparison) -> str:
    """Return the whole comparison as JSON, without the catalog."""
    values = asdict(comparison)
    for section in values["sections"]:
        del section["catalog"]
    return json.dumps(values, indent=1, allow_nan=False, default=str)


def _format_method(entry: ComparedPart) -> str:
    return entry.method if entry.num_seeds == 1 else f"{entry.method} × {entry.num_seeds}"


def _to_score_row(entry: ComparedPart) -> ScoreRow:
    """Return an entry as a row of scores; entries have no width."""
    return ScoreRow(entry.part, 0, {name: _to_score(summary) for name, summary in entry.summaries.items()})


def _to_score(summary: MetricSummary) -> Score:
    if summary.spread is None:
        return Score(summary.mean, summary.low, summary.high)
    return MeanScore(summary.mean, summary.low, summary.high, summary.spread)


def _format_score(marker: ColumnMarker, row: ScoreRow, with_intervals: bool) -> str:
    cell = format_cell(marker, row)
    spread = f" ± {cell.spread}" if cell.spread else ""
    interval = f" ({cell.interval})" if with_intervals and cell.interval else ""
    return f"{cell.text}{spread}{interval}"
