"""Findings: what a table of factors says, in a sentence for each run."""

from collections.abc import Mapping, Sequence

from turntable.evaluation import Score
from turntable.studies.study import StudyTable

WHOLE = "representation"
"""The part that has all others in it."""
Parts = Mapping[str, Sequence[Score | None]]
"""Scores of every column, by part."""


def say_findings(table: StudyTable, constant: tuple[str, ...]) -> tuple[str, ...]:
    """Say of each run which factors each of its parts explains most; only where intervals do not meet.

    Args:
        table: Its rows are named by run and part.
        constant: The name of the row of what sees no image.
    """
    runs: dict[str, dict[str, Sequence[Score | None]]] = {}
    blind: Sequence[Score | None] = ()
    for row in table.rows:
        if row.names == constant:
            blind = row.scores
        else:
            runs.setdefault(row.names[0], {})[row.names[1]] = row.scores
    return tuple(_sentence(label, parts, blind, table) for label, parts in runs.items())


def _sentence(label: str, parts: Parts, blind: Sequence[Score | None], table: StudyTable) -> str:
    divided = {name: scores for name, scores in parts.items() if name != WHOLE}
    if len(divided) > 1:
        return f"{label}: {_compared(divided, table)}."
    name = next(iter(parts))
    known = _leads({name: parts[name], "": blind}, table)[name]
    if not known:
        return f"{label}: the {name} explains no factor more than what sees no image does."
    rest = [title for title in _titles(table) if title not in {title for title, _, _ in known}]
    blind_too = f"; {', '.join(rest)} no more than what sees no image does" if rest else ""
    return f"{label}: the {name} explains {_listed(known)}{blind_too}."


def _compared(parts: Parts, table: StudyTable) -> str:
    leads = _leads(parts, table)
    said = [f"the {name} part explains most of {_listed(of)}" for name, of in leads.items() if of]
    settled = {title for of in leads.values() for title, _, _ in of}
    open_ = [title for title in _titles(table) if title not in settled]
    if not said:
        return f"no part explains any factor more than another: their intervals meet ({', '.join(open_)})"
    return "; ".join(said) + (f"; of {', '.join(open_)}, intervals meet" if open_ else "")


def _leads(parts: Parts, table: StudyTable) -> dict[str, list[tuple[str, str, str]]]:
    """Return by part in which columns its interval lies above all others: title, number, the next one's."""
    leads: dict[str, list[tuple[str, str, str]]] = {name: [] for name in parts}
    for place, (title, column) in enumerate(zip(_titles(table), table.columns, strict=True)):
        scores = {name: score for name, of in parts.items() if (score := of[place]) is not None}
        if len(scores) < 2:
            continue
        first, second = sorted(scores, key=lambda name: -scores[name].value)[:2]
        if all(scores[first].low > scores[name].high for name in scores if name != first):
            number, other = (column.told(scores[name].value) for name in (first, second))
            leads[first].append((title, number, other))
    return leads


def _titles(table: StudyTable) -> list[str]:
    return [column.name.removesuffix(", %") for column in table.columns]


def _listed(found: Sequence[tuple[str, str, str]]) -> str:
    return ", ".join(f"{title} ({number} against {other})" for title, number, other in found)
