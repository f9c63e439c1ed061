"""The short table of a comparison, for terminals and pages in Markdown, and all of it for programs."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from turntable.evaluation import Row, Score
from turntable.evaluation.report import COLUMNS, MAIN, MeanScore, Table, short_heading, tables
from turntable.studies.comparison import Comparison, Entry, Section, Summary


def comparison_tables(section: Section) -> tuple[Table, ...]:
    """All groups of metrics: means over seeds ± standard deviations, the widest intervals over objects."""
    return tables(
        [
            (_named(entry), Row(entry.part, 0, {name: _as_score(s) for name, s in entry.summaries.items()}))
            for entry in section.entries
        ]
    )


def main_rows(section: Section, intervals: bool = False) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of the short table: a mean over seeds ± its standard deviation.

    Args:
        section: What may be compared.
        intervals: Whether the bootstrap intervals over objects stand beside.
    """
    metrics = [name for name in MAIN if any(name in entry.summaries for entry in section.entries)]
    headings = ["method", "part", "seeds", *(short_heading(name) for name in metrics)]
    rows = [
        [entry.method, entry.part, str(entry.seeds), *_told(entry, metrics, intervals)]
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
        lines = [headings, ["---"] * len(headings), *rows]
        blocks.append("\n".join(f"| {' | '.join(_escaped(cell) for cell in cells)} |" for cells in lines))
    return "\n\n".join(blocks)


def comparison_json(comparison: Comparison) -> str:
    """All of it, for programs."""
    return json.dumps(asdict(comparison), indent=1, allow_nan=False, default=str)


def _named(entry: Entry) -> str:
    return entry.method if entry.seeds == 1 else f"{entry.method} × {entry.seeds}"


def _as_score(summary: Summary) -> Score:
    if summary.spread is None:
        return Score(summary.mean, summary.low, summary.high)
    return MeanScore(summary.mean, summary.low, summary.high, summary.spread)


def _told(entry: Entry, metrics: Iterable[str], intervals: bool) -> list[str]:
    return [
        _cell(name, entry.summaries[name], intervals) if name in entry.summaries else "" for name in metrics
    ]


def _cell(metric: str, summary: Summary, intervals: bool) -> str:
    column = COLUMNS[metric]
    told = column.told(summary.mean)
    if summary.spread is not None:
        told += f" ± {column.told(summary.spread)}"
    if intervals:
        told += f" ({column.told(summary.low)} … {column.told(summary.high)})"
    return told


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
