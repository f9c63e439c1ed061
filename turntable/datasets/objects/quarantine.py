"""Objects left out of a data set, each with its reason, one JSON line an object."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from turntable.datasets.files import FieldError, Fields, canonical_json, parse_json, read_lines
from turntable.errors import IntegrityError

QUARANTINE_NAME = "quarantine.jsonl"
WARNINGS_NAME = "warnings.jsonl"
"""Objects that were kept though something of theirs was missing: the same lines."""

_LONGEST = 1 << 20
"""Characters of a text."""


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """One object that could not be used."""

    object: str
    """Its id."""
    reason: str
    """A few words, the same for the same cause: "no triangles"."""
    detail: str = ""
    """The whole message."""

    @classmethod
    def from_fields(cls, fields: Fields) -> "QuarantineRecord":
        """Read the record from JSON, whoever wrote it: its texts are not to be printed as they are."""
        return cls(*(fields.raw_text(name, _LONGEST) for name in ("object", "reason", "detail")))

    def to_line(self) -> str:
        """As one line of the file, without its end."""
        return canonical_json(asdict(self))


def quarantine_text(records: Iterable[QuarantineRecord]) -> str:
    """The whole file, sorted by object so that it does not depend on the order of the run."""
    return "".join(f"{record.to_line()}\n" for record in sorted(records, key=lambda record: record.object))


def read_quarantine(path: Path) -> tuple[QuarantineRecord, ...]:
    """Read a quarantine file, or a journal of the same lines; none where there is no file.

    Raises:
        IntegrityError: a line is not a record.
    """
    try:
        return parse_quarantine(read_lines(path))
    except ValueError as error:
        raise IntegrityError(f"{path}, {error}") from None


def parse_quarantine(lines: Iterable[str]) -> tuple[QuarantineRecord, ...]:
    """Read the lines of a quarantine file, without their ends. Raises ValueError where one is no record."""
    records: list[QuarantineRecord] = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(QuarantineRecord.from_fields(Fields(parse_json(line))))
        except FieldError as error:
            raise ValueError(f"line {number}: not a quarantine record ({error}); remove the line") from None
    return tuple(records)
