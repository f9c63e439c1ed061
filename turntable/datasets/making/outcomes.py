"""What became of a planned shard: a line of the journal."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from turntable.datasets.digests import canonical_json
from turntable.datasets.quarantine import QuarantineRecord
from turntable.datasets.shard_writer import ShardRecord


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
        """Read a line of the journal."""
        table = json.loads(line)
        shard = ShardRecord(**table["shard"]) if table["shard"] else None
        left_out, warned = (
            tuple(QuarantineRecord(**item) for item in table[name]) for name in ("quarantine", "warnings")
        )
        return cls(table["split"], table["name"], shard, left_out, warned, table.get("device", {}))
