"""The list of what is shown otherwise than the files of the meshes say, as one line of JSON per warning."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from turntable.datasets.files import FieldError, JsonFields, parse_json, read_lines, to_canonical_json
from turntable.errors import IntegrityError

WARNINGS_NAME = "warnings.jsonl"

_MAX_TEXT_LENGTH = 1 << 20
"""Maximum number of characters of a text."""


@dataclass(frozen=True, slots=True)
class WarningRecord:
    """One thing that the pictures of an object show otherwise than its files say.

    Data sets of earlier versions have no file and no ``shown``, and their lines name the kind "reason".
    """

    object: str
    """The object's id; empty for a warning about the folder of the meshes."""
    kind: str
    """The kind of the warning, one of ``WARNING_KINDS`` of the renderer: "file-missing"."""
    file: str = ""
    """Name of the file that says it, relative to the folder of the meshes."""
    detail: str = ""
    """Text about what is wrong or not supported: "texture wood.png is missing"."""
    shown: str = ""
    """Text about what is shown instead: "the material's own color is used"."""

    def __str__(self) -> str:
        words = [": ".join(filter(None, (self.object, self.file, self.detail)))]
        return "; ".join(filter(None, (*words, self.shown)))

    @classmethod
    def from_fields(cls, fields: JsonFields) -> "WarningRecord":
        """Read a record from untrusted JSON. Escape its texts before printing them."""
        names = ("object", "kind" if fields.has("kind") else "reason")
        texts = (fields.get_raw_text(name, _MAX_TEXT_LENGTH) for name in names)
        more = (
            fields.get_raw_text(name, _MAX_TEXT_LENGTH, default="") for name in ("file", "detail", "shown")
        )
        return cls(*texts, *more)

    def to_line(self) -> str:
        """Return the record as one line of the file, without the line end."""
        if not self.file and not self.shown:  # of an earlier version: its line stays as it was
            old = {"object": self.object, "reason": self.kind, "detail": self.detail}
            return to_canonical_json(old)
        return to_canonical_json(asdict(self))


@dataclass(frozen=True, slots=True)
class KindCount:
    """The warnings of one kind."""

    kind: str
    """The kind."""
    num_warnings: int
    """Number of the warnings."""
    num_objects: int
    """Number of the objects that have one. A warning about the folder counts for none."""
    first: WarningRecord
    """The first of the warnings, as an example."""


def count_by_kind(records: Iterable[WarningRecord]) -> tuple[KindCount, ...]:
    """Count warnings by kind, those of most objects first."""
    by_kind: dict[str, list[WarningRecord]] = {}
    for record in records:
        by_kind.setdefault(record.kind, []).append(record)
    counts = [
        KindCount(kind, len(items), count_warned_objects(items), items[0]) for kind, items in by_kind.items()
    ]
    return tuple(sorted(counts, key=lambda count: (-count.num_objects, -count.num_warnings, count.kind)))


def count_warned_objects(records: Iterable[WarningRecord]) -> int:
    """Return the number of different objects that have a warning."""
    return len({record.object for record in records} - {""})


def format_warnings(records: Iterable[WarningRecord]) -> str:
    """Return the text of the file, sorted by object so that it does not depend on the run's order."""
    return "".join(f"{record.to_line()}\n" for record in sorted(records, key=lambda record: record.object))


def read_warnings(path: Path) -> tuple[WarningRecord, ...]:
    """Read a file of warnings. A missing file has no records.

    Raises:
        IntegrityError: A line is not a record.
    """
    try:
        return parse_warnings(read_lines(path))
    except ValueError as error:
        raise IntegrityError(f"{path}, {error}") from None


def parse_warnings(lines: Iterable[str]) -> tuple[WarningRecord, ...]:
    """Parse the lines of a file of warnings. Raises ValueError if one is not a record."""
    records: list[WarningRecord] = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(WarningRecord.from_fields(JsonFields(parse_json(line))))
        except FieldError as error:
            raise ValueError(f"line {number}: not a warning ({error}); remove the line") from None
    return tuple(records)
