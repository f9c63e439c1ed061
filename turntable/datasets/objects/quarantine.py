"""The list of the objects left out of a data set, each with its reason, as one line of JSON per object."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from turntable.datasets.files import FieldError, JsonFields, parse_json, read_lines, to_canonical_json
from turntable.errors import IntegrityError

QUARANTINE_NAME = "quarantine.jsonl"

_MAX_TEXT_LENGTH = 1 << 20
"""Maximum number of characters of a text."""


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """An object that could not be used, with the reason."""

    object: str
    """The object's id."""
    reason: str
    """The reason in a few words, the same for the same cause: "no triangles"."""
    detail: str = ""
    """The whole message."""

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "QuarantineRecord":
        """Read a record from untrusted JSON. Escape its texts before printing them."""
        return cls(*(fields.get_raw_text(name, _MAX_TEXT_LENGTH) for name in ("object", "reason", "detail")))

    def to_line(self) -> str:
        """Return the record as one line of the file, without the line end."""
        return to_canonical_json(asdict(self))


def format_quarantine(records: Iterable[QuarantineRecord]) -> str:
    """Return the text of the file, sorted by object so that it does not depend on the run's order."""
    return "".join(f"{record.to_line()}\n" for record in sorted(records, key=lambda record: record.object))


def read_quarantine(path: Path) -> tuple[QuarantineRecord, ...]:
    """Read a quarantine file, or a journal of the same lines. A missing file has no records.

    Raises:
        IntegrityError: A line is not a record.
    """
    try:
        return parse_quarantine(read_lines(path))
    except ValueError as error:
        raise IntegrityError(f"{path}, {error}") from None


def parse_quarantine(lines: Iterable[str]) -> tuple[QuarantineRecord, ...]:
    """Parse the lines of a quarantine file. Raises ValueError if one is not a record."""
    records: list[QuarantineRecord] = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(QuarantineRecord.from_fields(JsonFields(parse_json(line))))
        except FieldError as error:
            raise ValueError(f"line {number}: not a quarantine record ({error}); remove the line") from None
    return tuple(records)
