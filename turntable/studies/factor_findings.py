"""Findings of the factor study: a sentence about each run."""

from collections.abc import Mapping, Sequence

from turntable.evaluation import Score
from turntable.studies.study import StudyTable

WHOLE_PART = "representation"
"""The part that includes all other parts."""
ScoresByPart = Mapping[str, Sequence[Score | None]]
"""Scores of all columns, by part."""


def format_findings(table: StudyTable, constant: tuple[str, ...]) -> tuple[str, ...]:
    """Format a sentence for each run about the factors that each part explains most.

    Only differences are named where the intervals do not overlap.

    Args:
        table: Table whose rows are named by run and part.
        constant: Names of the row of the constant baseline.
    """
    runs: dict[str, dict[str, Sequence[Score | None]]] = {}
    constant_scores: Sequence[Score | None] = ()
    for row in table.rows:
        if row.names == constant:
            constant_scores = row.scores
        else:
            runs.setdefault(row.names[0], {})[row.names[1]] = row.scores
    return tuple(_format_sentence(label, parts, constant_scores, table) for label, parts in runs.items())


def _format_sentence(
    label: str, parts: ScoresByPart, constant_scores: Sequence[Score | None], table: StudyTable
) -> str:
    proper_parts = {name: scores for name, scores in parts.items() if name != WHOLE_PART}
    if len(proper_parts) > 1:
        return f"{label}: {_format_comparison(proper_parts, table)}."
    name = next(iter(parts))
    leads = _find_leads({name: parts[name], "": constant_scores}, table)[name]
    if not leads:
        return f"{label}: the {name} explains no factor better than the constant baseline."
    rest = [title for title in _list_titles(table) if title not in {title for title, _, _ in leads}]
    others = f"; {', '.join(rest)} no better than the constant baseline" if rest else ""
    return f"{label}: the {name} explains {_format_list(leads)}{others}."


def _format_comparison(parts: ScoresByPart, table: StudyTable) -> str:
    leads = _find_leads(parts, table)
    clauses = [f"the {name} part explains most of {_format_list(won)}" for name, won in leads.items() if won]
    decided = {title for won in leads.values() for title, _, _ in won}
    undecided = [title for title in _list_titles(table) if title not in decided]
    if not clauses:
        return (
            f"no part explains any factor more than another: the intervals overlap ({', '.join(undecided)})"
        )
    return "; ".join(clauses) + (f"; the intervals of {', '.join(undecided)} overlap" if undecided else "")


def _find_leads(parts: ScoresByPart, table: StudyTable) -> dict[str, list[tuple[str, str, str]]]:
    """Find the columns in which a part's interval lies above those of all others.

    Returns:
        By part: title of the column, value of the part, and value of the second best.
    """
    leads: dict[str, list[tuple[str, str, str]]] = {name: [] for name in parts}
    for index, (title, column) in enumerate(zip(_list_titles(table), table.columns, strict=True)):
        scores = {name: score for name, row in parts.items() if (score := row[index]) is not None}
        if len(scores) < 2:
            continue
        first, second = sorted(scores, key=lambda name: -scores[name].value)[:2]
        if all(scores[first].low > scores[name].high for name in scores if name != first):
            value, next_value = (column.format_value(scores[name].value) for name in (first, second))
            leads[first].append((title, value, next_value))
    return leads


def _list_titles(table: StudyTable) -> list[str]:
    return [column.name.removesuffix(", %") for column in table.columns]


def _format_list(leads: Sequence[tuple[str, str, str]]) -> str:
    return ", ".join(f"{title} ({value} against {next_value})" for title, value, next_value in leads)
