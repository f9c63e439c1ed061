"""A data set in the making: what is claimed, what has been made already, and how it ends.

A shard exists whole or not at all. When it does, a line in the journal says so; a run that was killed starts
from the journal, makes only what is missing, and ends with the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from turntable.datasets import Manifest, Recipe
from turntable.datasets.describing import DESCRIBED
from turntable.datasets.files import canonical_json
from turntable.datasets.making import Destination, Job, Outcome, finish_dataset, standing
from turntable.datasets.objects import ShardPlan
from turntable.errors import InvalidInputError
from turntable.renderer.runs.planning import Plan
from turntable.renderer.scene import describe_camera


@dataclass(frozen=True, slots=True)
class RenderRun:
    """A render run: one plan on its way to one destination; a job makes its share of it."""

    plan: Plan
    destination: Destination
    job: Job | None = None

    @property
    def shards(self) -> list[ShardPlan]:
        """Those that this run is to make."""
        return list(self.plan.shards) if self.job is None else self.job.share(self.plan.shards)

    def begin(self) -> list[Outcome]:
        """Claim the place for this plan, and say which shards have been made already, by whichever run.

        Raises:
            InvalidInputError: The place holds something else; the message says what differs.
        """
        text, earlier = self.plan.to_text(), self.destination.read_plan()
        if earlier is None:
            self.destination.write_plan(text)
        elif earlier != text:
            said = "; ".join(self.plan.differences(earlier))
            raise InvalidInputError(
                f"{self.destination.where} holds a data set of another plan ({said}); give the arguments it "
                "was begun with, or choose another --out"
            )
        return standing(self.destination)

    def record(self, outcome: Outcome) -> None:
        """Write an outcome to the journal."""
        self.destination.record(outcome, self.job)

    def finish(self, outcomes: Sequence[Outcome]) -> Manifest:
        """Write everything that describes the data set, the manifest last."""
        return finish(self.destination, self.plan.recipe, self.plan.source, outcomes)


def finish(
    destination: Destination, recipe: Recipe, source: Mapping[str, Any], outcomes: Sequence[Outcome]
) -> Manifest:
    """Write everything that describes a data set whose shards are all there; again, it changes no byte.

    Raises:
        InvalidInputError: There is no shard at all: every object was left out.
        IntegrityError: A shard is not as it was committed.
    """
    manifest = finish_dataset(
        destination.folder,
        recipe,
        [outcome.shard for outcome in outcomes if outcome.shard is not None],
        [item for outcome in outcomes for item in outcome.quarantine],
        warnings=[item for outcome in outcomes for item in outcome.warnings],
        camera=describe_camera(recipe.image_size_px, recipe.schema.names),
        device=_plain(_devices(outcomes)),
        source=_plain(source),
        open_shard=destination.open_shard,
    )
    destination.deliver_rest(DESCRIBED)
    return manifest


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table as it comes back from a journal or a plan, its keys in order: the same bytes either way."""
    return cast("dict[str, Any]", json.loads(canonical_json(dict(table))))


def _devices(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What drew the first shard, and beside it whatever else drew others."""
    in_order = sorted(outcomes, key=lambda outcome: outcome.place)
    found: list[dict[str, Any]] = []
    for outcome in in_order:
        if outcome.device not in found:
            found.append(dict(outcome.device))
    return {**found[0], **({"others": found[1:]} if len(found) > 1 else {})} if found else {}
