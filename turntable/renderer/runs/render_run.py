"""A render run: one plan on its way to one destination, from claiming the destination to the manifest.

A shard exists whole or not at all. Once it exists, a line in the journal says so. A run that was killed
resumes from the journal, makes only what is missing, and ends with the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from turntable.datasets import Manifest
from turntable.datasets.describing import DESCRIPTION_FILES, SHEET_NAME
from turntable.datasets.files import to_canonical_json
from turntable.datasets.objects import LISTS_TEXT, ShardPlan
from turntable.datasets.writing import Destination, Job, ShardOutcome, find_finished_outcomes, finish_dataset
from turntable.errors import InvalidInputError
from turntable.renderer.meshes import WARNING_KINDS
from turntable.renderer.runs.run_plan import RunPlan
from turntable.renderer.runs.stored_plan import StoredPlan
from turntable.renderer.scene import describe_camera


@dataclass(frozen=True, slots=True)
class RenderRun:
    """A render run of a whole plan, or of one job's share of it."""

    plan: RunPlan
    destination: Destination
    job: Job | None = None

    @property
    def shards(self) -> list[ShardPlan]:
        """Shards that this run is to make."""
        return list(self.plan.shards) if self.job is None else self.job.select_share(self.plan.shards)

    def begin(self) -> list[ShardOutcome]:
        """Claim the destination for this plan, and return the outcomes of all shards that exist in it.

        Raises:
            InvalidInputError: The destination holds something else; the message names the differences.
        """
        text, earlier = self.plan.to_text(), self.destination.read_plan()
        if earlier is None:
            self.destination.write_plan(text)
        elif earlier != text:
            differences = "; ".join(self.plan.list_differences(earlier))
            raise InvalidInputError(
                f"{self.destination.path_or_url} holds a data set of another plan ({differences}); give the "
                "arguments it was begun with, or choose another --out"
            )
        return find_finished_outcomes(self.destination)

    def record(self, outcome: ShardOutcome) -> None:
        """Write an outcome to the journal, with the job that made it."""
        made_by = "" if self.job is None else self.job.option_text
        self.destination.record_outcome(replace(outcome, job=made_by), self.job)

    def finish(self, outcomes: Sequence[ShardOutcome]) -> Manifest:
        """Write everything that describes the data set, the manifest last."""
        return finish_run(self.destination, self.plan, outcomes)


def finish_run(
    destination: Destination, plan: RunPlan | StoredPlan, outcomes: Sequence[ShardOutcome]
) -> Manifest:
    """Write everything that describes a data set whose shards are all there; a second call changes no byte.

    Raises:
        InvalidInputError: There is no shard at all: every object was left out.
        IntegrityError: A shard differs from what was committed.
    """
    recipe = plan.recipe
    manifest = finish_dataset(
        destination.folder,
        recipe,
        [outcome.shard for outcome in outcomes if outcome.shard is not None],
        [item for outcome in outcomes for item in outcome.quarantine],
        warnings=[item for outcome in outcomes for item in outcome.warnings],
        kind_meanings={**WARNING_KINDS},
        camera=describe_camera(recipe.image_size_px, recipe.schema.names),
        device=_round_trip(_collect_devices(outcomes)),
        source=_round_trip(plan.source),
        split_text=LISTS_TEXT if plan.split["rule"] == "files" else str(plan.split["rule"]),
        open_shard=destination.open_shard,
    )
    has_sheet = manifest.has_pictures
    destination.deliver_files(tuple(name for name in DESCRIPTION_FILES if has_sheet or name != SHEET_NAME))
    return manifest


def _round_trip(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table as it comes back from a journal or a plan, with sorted keys.

    A run that made all shards and one that resumed from the journal then write the same bytes.
    """
    return cast("dict[str, Any]", json.loads(to_canonical_json(dict(table))))


def _collect_devices(outcomes: Sequence[ShardOutcome]) -> dict[str, Any]:
    """Return the device that drew the first shard, with any other devices under the key ``others``."""
    # Workers finish in any order: sort by shard, so that the manifest does not depend on it.
    devices: list[dict[str, Any]] = []
    for outcome in sorted(outcomes, key=lambda outcome: outcome.split_and_name):
        if outcome.device not in devices:
            devices.append(dict(outcome.device))
    if not devices:
        return {}
    first, *others = devices
    return {**first, "others": others} if others else first
