"""Tables of views: one line for each view of an object, with the values of its factors, as CSV.

Files of spreadsheets are read as they are: with a byte-order mark, blanks around the cells, and semicolons
with decimal commas, as Excel writes them where the comma is the decimal mark.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from turntable.datasets.files import MAX_LIST_BYTES, read_user_text, strip_word
from turntable.errors import InvalidInputError, format_text
from turntable.renderer.scene import OPTIONAL_FACTORS, REQUIRED_FACTORS

DELIMITERS = ",;\t"
"""The characters that may separate cells; the first line has the one of its file most often."""


@dataclass(frozen=True, slots=True)
class LatentRow:
    """One line of a table of latents: one view of an object, with the values of its factors."""

    object_id: str
    view: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LatentTable:
    """A table of views."""

    names: tuple[str, ...]
    """Factor of each value."""
    rows: tuple[LatentRow, ...]

    def iter_objects(self) -> Iterator[tuple[str, tuple[LatentRow, ...]]]:
        """Yield the id and the rows of each object, objects sorted by id and rows by view."""
        ordered = sorted(self.rows, key=lambda row: (row.object_id, row.view))
        for name, group in groupby(ordered, key=lambda row: row.object_id):
            yield name, tuple(group)


def read_latents(path: Path) -> LatentTable:
    """Read a CSV table with the columns ``object``, ``view``, and one per factor by its name.

    Cells are separated by commas, or by semicolons or tabs; numbers may then have decimal commas.

    Raises:
        InvalidInputError: The file is missing, lacks a column, or holds a value that is no number.
    """
    header, lines, delimiter = _read_cells(path)
    names = _read_factor_names(path, header)
    decimal = "." if delimiter == "," else ","
    rows = tuple(
        _parse_row(f"{path}, line {number}", header, line, names, decimal)
        for number, line in lines
        if any(line)
    )
    if not rows:
        raise InvalidInputError(f"{path}: no views below the header")
    return LatentTable(names, rows)


def _read_cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    """Return the header, the numbered lines below it, and the character that separates cells."""
    lines = read_user_text(path, MAX_LIST_BYTES).split("\n")
    start = 1 if lines[0].lower().startswith("sep=") else 0  # Excel's own hint
    delimiter = max(DELIMITERS, key=lines[start].count) if start < len(lines) else ","
    try:
        reader = csv.reader(
            (f"{line}\n" for line in lines[start:]), delimiter=delimiter, skipinitialspace=True
        )
        rows = [(start + reader.line_num, [strip_word(cell) for cell in row]) for row in reader]
    except csv.Error as error:
        raise InvalidInputError(f"{path} is not a CSV table ({error}); save it as CSV in UTF-8") from None
    return (rows[0][1], rows[1:], delimiter) if rows else ([], [], delimiter)


def _read_factor_names(path: Path, header: Sequence[str]) -> tuple[str, ...]:
    """Return the factors that the header names, in its order."""
    known = ("object", "view", *REQUIRED_FACTORS, *OPTIONAL_FACTORS)
    if missing := [name for name in ("object", "view", *REQUIRED_FACTORS) if name not in header]:
        raise InvalidInputError(
            f"{path}: missing columns: {', '.join(missing)}; the first line must name every factor"
        )
    if unknown := [name for name in header if name not in known]:
        listed = format_text(", ".join(name or "(no name)" for name in unknown))
        raise InvalidInputError(f"{path}: unknown columns: {listed}; remove or rename them")
    if len(set(header)) < len(header):
        raise InvalidInputError(f"{path}: a column is there twice; remove one of the two")
    return tuple(name for name in header if name in REQUIRED_FACTORS + OPTIONAL_FACTORS)


def _parse_row(
    display_name: str, header: Sequence[str], line: Sequence[str], names: Sequence[str], decimal: str
) -> LatentRow:
    if len(line) != len(header):
        raise InvalidInputError(f"{display_name}: {len(line)} values for {len(header)} columns")
    cells: Mapping[str, str] = dict(zip(header, line, strict=True))
    try:
        values = tuple(float(cells[name].replace(decimal, ".")) for name in names)
        view = int(cells["view"])
    except ValueError as error:
        raise InvalidInputError(
            f"{display_name}: {error}; views are whole numbers, factors numbers"
        ) from None
    if not np.isfinite(values).all():
        raise InvalidInputError(f"{display_name}: a factor is NaN or infinite")
    return LatentRow(cells["object"], view, values)
