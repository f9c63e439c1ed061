"""A data set from a recipe and a source of meshes: shards by worker processes, a journal, exact resume.

A shard exists whole or not at all. When it does, a line in the journal says so; a run that was killed starts
from the journal, makes only what is missing, and ends with the same bytes.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from turntable.datasets.assemble import finish_dataset
from turntable.datasets.digests import canonical_json
from turntable.datasets.manifest import Manifest, read_manifest
from turntable.datasets.objects import ObjectRecord, ShardPlan, plan_shards, split_objects
from turntable.datasets.quarantine import QuarantineRecord
from turntable.datasets.recipe import Recipe
from turntable.datasets.shard_writer import ShardRecord, committed_shard
from turntable.datasets.storage import append_line, read_lines, write_text
from turntable.errors import InvalidInputError, TurntableError
from turntable.renderer.meshes.source import MeshSource, SourceObject
from turntable.renderer.scene import CAMERA

PLAN_NAME = "plan.json"
"""What a run set out to make; a resumed run must ask for the same."""
JOURNAL_NAME = "journal.jsonl"
FEWEST_SHARDS = 8
"""A small data set has shards of fewer objects than its recipe allows, so that workers can share them out."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    objects: int
    objects_total: int
    quarantined: int
    views: int
    """Rendered by this run; those of resumed shards are not in it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one planned shard."""

    split: str
    name: str
    shard: ShardRecord | None
    """None where every object was left out."""
    quarantine: tuple[QuarantineRecord, ...]
    warnings: tuple[QuarantineRecord, ...]

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
        return cls(table["split"], table["name"], shard, left_out, warned)


def choose_objects(objects: Sequence[SourceObject], count: int | None) -> tuple[SourceObject, ...]:
    """The first ``count`` objects, taken in turn from every category; all of them without a count."""
    if count is None or count >= len(objects):
        return tuple(objects)
    if count < 1:
        raise InvalidInputError(f"--objects {count}: there must be at least one")
    seen: dict[str, int] = {}
    ranked: list[tuple[int, str, SourceObject]] = []
    for item in sorted(objects, key=lambda item: item.id):
        rank = seen[item.category] = seen.get(item.category, -1) + 1
        ranked.append((rank, item.category, item))
    chosen = sorted(ranked, key=lambda entry: entry[:2])[:count]
    return tuple(sorted((item for _, _, item in chosen), key=lambda item: item.id))


def plan(recipe: Recipe, source: MeshSource, objects: Sequence[SourceObject]) -> tuple[ShardPlan, ...]:
    """Which object goes into which shard; the meshes' digests are filled in when they are loaded."""
    splits = split_objects(
        {item.id: item.category for item in objects}, recipe.val_fraction, recipe.split_seed
    )
    records = [ObjectRecord(item.id, item.category, splits[item.id], source.name, "") for item in objects]
    per_shard = min(recipe.objects_per_shard, -(-len(records) // FEWEST_SHARDS))
    return plan_shards(records, per_shard, recipe.split_seed)


@dataclass(frozen=True, slots=True)
class Run:
    """One data set in the making, in one folder."""

    recipe: Recipe
    source: MeshSource
    folder: Path
    shards: tuple[ShardPlan, ...]

    def begin(self) -> list[Outcome]:
        """Claim the folder, and say which shards an earlier run has already made.

        Raises:
            InvalidInputError: The folder holds something else.
        """
        path, text = self.folder / PLAN_NAME, self._plan_text()
        if path.exists():
            if path.read_text("utf-8") != text:
                raise InvalidInputError(
                    f"{self.folder} holds a data set of another recipe, seed or set of objects; "
                    "give the arguments it was begun with, or choose another --out"
                )
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise InvalidInputError(
                f"{self.folder} is not empty and holds no data set in the making; choose another --out"
            )
        else:
            write_text(path, text)
        outcomes = [Outcome.from_line(line) for line in read_lines(self.folder / JOURNAL_NAME)]
        # A shard that was made again has several lines; the last one counts.
        latest = {(outcome.split, outcome.name): outcome for outcome in outcomes}
        return [outcome for outcome in latest.values() if self._stands(outcome)]

    def record(self, outcome: Outcome) -> None:
        """Write an outcome to the journal."""
        append_line(self.folder / JOURNAL_NAME, outcome.to_line())

    def known_device(self) -> dict[str, object] | None:
        """What drew the data set, if an earlier run came to its end and its manifest can be read."""
        try:
            return dict(read_manifest(self.folder).device)
        except TurntableError:
            return None

    def finish(self, outcomes: Sequence[Outcome], device: dict[str, object]) -> Manifest:
        """Write everything that describes the data set, the manifest last."""
        return finish_dataset(
            self.folder,
            self.recipe,
            [outcome.shard for outcome in outcomes if outcome.shard is not None],
            [item for outcome in outcomes for item in outcome.quarantine],
            warnings=[item for outcome in outcomes for item in outcome.warnings],
            camera=CAMERA.describe(self.recipe.image_size_px),
            device=device,
            source={"name": self.source.name, "licence": self.source.licence},
        )

    def _stands(self, outcome: Outcome) -> bool:
        """Whether a journal line's shard is still there, to the byte; if not, it is made again."""
        made = None if outcome.shard is None else committed_shard(self.folder / outcome.split, outcome.name)
        return made == outcome.shard

    def _plan_text(self) -> str:
        shards: list[Any] = [
            {"split": s.split, "name": s.name, "objects": [o.id for o in s.objects]} for s in self.shards
        ]
        return (
            canonical_json({"recipe": self.recipe.to_dict(), "source": self.source.name, "shards": shards})
            + "\n"
        )
