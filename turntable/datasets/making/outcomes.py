"""What became of a planned shard: a line of the journal."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from turntable.datasets.files import MOST_OBJECTS, PLAIN_NAME, FieldError, Fields, canonical_json, parse_json
from turntable.datasets.objects import QuarantineRecord
from turntable.datasets.shards import ShardRecord
from turntable.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one planned shard."""

    split: str
    name: str
    shard: ShardRecord | None
    """None where every object was left out."""
    quarantine: tuple[QuarantineRecord, ...]
    warnings: tuple[QuarantineRecord, ...]
    device: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What drew it."""

    @property
    def place(self) -> tuple[str, str]:
        """Split and name."""
        return self.split, self.name

    def to_line(self) -> str:
        """One line of the journal."""
        return canonical_json(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> "Outcome":
        """Read a line of the journal. Raises IntegrityError where it is none."""
        try:
            fields = Fields(parse_json(line))
            shard = ShardRecord.from_fields(fields.table("shard")) if fields.has("shard") else None
            left_out, warned = (
                tuple(map(QuarantineRecord.from_fields, fields.tables(name, MOST_OBJECTS)))
                for name in ("quarantine", "warnings")
            )
            split, name = (fields.text(name, pattern=PLAIN_NAME) for name in ("split", "name"))
            device = fields.plain("device") if fields.has("device") else {}
            return cls(split, name, shard, left_out, warned, device)
        except FieldError as error:
            raise IntegrityError(
                f"a line of the journal is none ({error}); remove it, and its shard is made again"
            ) from None
