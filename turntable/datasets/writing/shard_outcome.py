"""The outcome of a planned shard, as a line of the journal."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from turntable.datasets.files import (
    MAX_OBJECTS,
    PLAIN_NAME_PATTERN,
    FieldError,
    JsonFields,
    parse_json,
    to_canonical_json,
)
from turntable.datasets.objects import QuarantineRecord, WarningRecord
from turntable.datasets.shards import ShardRecord
from turntable.errors import IntegrityError

_JOB_PATTERN = re.compile(r"(?:[1-9]\d{0,8}/[1-9]\d{0,8})?")


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """The outcome of one planned shard."""

    split: str
    name: str
    shard: ShardRecord | None
    """The committed shard; None if every object was left out."""
    quarantine: tuple[QuarantineRecord, ...]
    """The objects left out."""
    warnings: tuple[WarningRecord, ...]
    """The warnings about the objects that were kept, and about their folder."""
    device: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The device that made the pixels."""
    job: str = ""
    """The job that made the shard, such as "2/5"; "" if a run of the whole data set did."""

    @property
    def split_and_name(self) -> tuple[str, str]:
        """The split and the name."""
        return self.split, self.name

    def to_line(self) -> str:
        """Return the outcome as one line of the journal."""
        table = asdict(self)
        if not self.job:
            del table["job"]
        return to_canonical_json(table)

    @classmethod
    def from_line(cls, line: str) -> "ShardOutcome":
        """Parse a line of the journal. Raises IntegrityError if it is not an outcome."""
        try:
            fields = JsonFields(parse_json(line))
            shard = ShardRecord.from_fields(fields.get_fields("shard")) if fields.has("shard") else None
            left_out = tuple(map(QuarantineRecord.from_fields, fields.iter_fields("quarantine", MAX_OBJECTS)))
            warned = tuple(map(WarningRecord.from_fields, fields.iter_fields("warnings", MAX_OBJECTS)))
            split, name = (fields.get_text(name, pattern=PLAIN_NAME_PATTERN) for name in ("split", "name"))
            device = fields.get_dict("device") if fields.has("device") else {}
            job = fields.get_text("job", pattern=_JOB_PATTERN, default="")
            return cls(split, name, shard, left_out, warned, device, job)
        except FieldError as error:
            raise IntegrityError(
                f"a line of the journal is damaged ({error}); remove it, and its shard is made again"
            ) from None
