"""Objects left out of a data set, each with its reason, one JSON line an object."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from turntable.datasets.digests import canonical_json
from turntable.datasets.storage import read_lines
from turntable.errors import IntegrityError

QUARANTINE_NAME = "quarantine.jsonl"
WARNINGS_NAME = "warnings.jsonl"
"""Objects that were kept though something of theirs was missing: the same lines."""


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """One object that could not be used."""

    object: str
    """Its id."""
    reason: str
    """A few words, the same for the same cause: "no triangles"."""
    detail: str = ""
    """The whole message."""

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
    records: list[QuarantineRecord] = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            table = json.loads(line)
            records.append(QuarantineRecord(str(table["object"]), str(table["reason"]), str(table["detail"])))
        except (ValueError, KeyError, TypeError):
            raise IntegrityError(f"{path}, line {number}: not a quarantine record; remove the line") from None
    return tuple(records)
