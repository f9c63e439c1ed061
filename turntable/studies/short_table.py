"""The short table of a comparison, for terminals and pages in Markdown, and all of it for programs."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from turntable.evaluation import Row, Score, ScoreColumn
from turntable.evaluation.report import MeanScore, ShownTable, tables
from turntable.markdown import markdown_table
from turntable.studies.comparison import ComparedPart, Comparison, Section, Summary


def comparison_tables(section: Section) -> tuple[ShownTable, ...]:
    """All tables of metrics: means over seeds ± standard deviations, the widest intervals over objects."""
    return tables(
        [
            (_named(entry), Row(entry.part, 0, {name: _as_score(s) for name, s in entry.summaries.items()}))
            for entry in section.entries
        ],
        section.catalog,
    )


def main_rows(section: Section, intervals: bool = False) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the short table: a mean over seeds ± its standard deviation.

    Args:
        section: What may be compared.
        intervals: Whether the bootstrap intervals over objects stand beside.
    """
    found = {metric for entry in section.entries for metric in entry.summaries}
    columns = [section.catalog.columns[name] for name in section.catalog.main if name in found]
    headings = ["method", "part", "seeds", *(column.short_heading for column in columns)]
    rows = [
        [entry.method, entry.part, str(entry.seeds), *_told(entry, columns, intervals)]
        for entry in section.entries
    ]
    return headings, rows


def comparison_markdown(comparison: Comparison, intervals: bool = False) -> str:
    """The short tables in Markdown, with what cannot be compared said above them.

    Args:
        comparison: Of evaluated runs.
        intervals: Whether the bootstrap intervals over objects stand beside.
    """
    blocks = [f"> {warning}" for warning in comparison.warnings]
    for section in comparison.sections:
        if len(comparison.sections) > 1:
            blocks.append(f"**{section.title}**")
        headings, rows = main_rows(section, intervals)
        blocks.append(markdown_table(headings, rows))
    return "\n\n".join(blocks)


def comparison_json(comparison: Comparison) -> str:
    """All of it, for programs."""
    told = asdict(comparison)
    for section in told["sections"]:
        del section["catalog"]
    return json.dumps(told, indent=1, allow_nan=False, default=str)


def _named(entry: ComparedPart) -> str:
    return entry.method if entry.seeds == 1 else f"{entry.method} × {entry.seeds}"


def _as_score(summary: Summary) -> Score:
    if summary.spread is None:
        return Score(summary.mean, summary.low, summary.high)
    return MeanScore(summary.mean, summary.low, summary.high, summary.spread)


def _told(entry: ComparedPart, columns: Iterable[ScoreColumn], intervals: bool) -> list[str]:
    return [
        _cell(column, entry.summaries[column.metric], intervals) if column.metric in entry.summaries else ""
        for column in columns
    ]


def _cell(column: ScoreColumn, summary: Summary, intervals: bool) -> str:
    told = column.told(summary.mean)
    if summary.spread is not None:
        told += f" ± {column.told(summary.spread)}"
    if intervals:
        told += f" ({column.told(summary.low)} … {column.told(summary.high)})"
    return told
