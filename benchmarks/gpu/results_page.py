"""Results as a page of Markdown, beside what was reckoned on paper; and the part of it that the docs take."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from expected_figures import expected
from steps import STEPS

PAGE = "results.md"
BEGIN, END = "<!-- figures of scripts/gpu: begin -->", "<!-- figures of scripts/gpu: end -->"


def write_page(out: Path, results: Mapping[str, Any]) -> None:
    """Write the page of results beside them."""
    (out / PAGE).write_text(made_of(results) + "\n", encoding="utf-8")


def made_of(results: Mapping[str, Any]) -> str:
    """Return the page: where and how, then each step with what it proves and its figures."""
    return "\n\n".join([_where(results), _summary(results), *_figures(results)])


def put_into(page: Path, results: Mapping[str, Any]) -> None:
    """Put the figures between the marks of a page of the docs.

    Raises:
        ValueError: The page has no marks, or the figures are of no GPU.
    """
    if results.get("device") != "cuda":
        raise ValueError("these figures were made without a GPU; docs/performance.md takes those of one")
    text = page.read_text("utf-8")
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"{page} has no place for figures: two lines, {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{made_of(results)}\n\n{END}{after}", encoding="utf-8")


def _where(results: Mapping[str, Any]) -> str:
    return (
        f"`{results.get('command', 'scripts/gpu')}`, {results.get('made', '')}: {results.get('machine', '')}"
    )


def _summary(results: Mapping[str, Any]) -> str:
    lines = ["| step | | seconds | what it proves |", "|---|---|---|---|"]
    for step in STEPS:
        entry = results["steps"].get(step.name)
        state = "not begun" if entry is None else entry["state"]
        seconds = "" if entry is None else f"{entry['seconds']:.0f}"
        told = step.proves
        if entry is not None and entry["state"] != "done":
            told = f"{_cell(entry['word'])}. A failure means: {step.failure_means}"
        lines.append(f"| {step.name} | {state} | {seconds} | {told} |")
    return "\n".join(lines)


def _figures(results: Mapping[str, Any]) -> Iterator[str]:
    for step in STEPS:
        rows = results["steps"].get(step.name, {}).get("rows", [])
        if rows:
            head = [f"**{step.name}**", "", "| | | on paper |", "|---|---|---|"]
            yield "\n".join([*head, *_lines(step.name, rows, results.get("device") == "cuda")])


def _lines(step: str, rows: list[Mapping[str, Any]], on_gpu: bool) -> Iterator[str]:
    for row in rows:
        reckoned = expected(step, row["what"]) if on_gpu else ""
        value = row["value"]
        told = _cell(value) if isinstance(value, str) else _number(value)
        unit = f" {row['unit']}" if row["unit"] else ""
        yield f"| {_cell(row['what'])} | {told}{unit} | {reckoned} |"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
