"""The shares of several jobs, joined into one data set: the same bytes as one run would have made."""

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from turntable.datasets import Manifest, Recipe
from turntable.datasets.files import atomic_file, put_in_place, temporary_path
from turntable.datasets.making import PLAN_NAME, Destination, LocalFolder, Outcome, as_destination, standing
from turntable.datasets.shards import INDEX_SUFFIX, SHARD_SUFFIX, ShardRecord
from turntable.errors import InvalidInputError
from turntable.renderer.runs.run import finish

NAMED = 5
"""So many missing shards are named in a message."""


def merge(where: Path | Destination, parts: Sequence[Path] = ()) -> Manifest:
    """Join what the jobs of one data set have made, and write what describes it, the manifest last.

    Args:
        where: The folder (or other destination) in which the jobs worked; or a new one, for ``parts``.
        parts: Folders of jobs that did not share one; their shards are linked into ``where``, or copied.

    Raises:
        InvalidInputError: There is no data set in the making, the parts are of different ones, or shards are
            still missing.
    """
    destination = as_destination(where)
    for part in parts:
        if not (part / PLAN_NAME).is_file():
            raise InvalidInputError(f"{part} holds no share of a data set; give folders that `--job` filled")
    with ExitStack() as held:
        held.enter_context(destination.claim(None))
        for part in parts:
            held.enter_context(LocalFolder(part).claim(None))
        text = _common_plan(destination, parts)
        outcomes = {outcome.place: outcome for outcome in standing(destination)}
        for part in parts:
            _take_over(LocalFolder(part), destination, outcomes)
        table = cast("dict[str, Any]", json.loads(text))
        _all_there(destination, table, outcomes)
        recipe = Recipe.from_dict(table["recipe"], "in plan.json")
        return finish(destination, recipe, table["source"], list(outcomes.values()))


def _common_plan(destination: Destination, parts: Sequence[Path]) -> str:
    """The one plan of all; written to the destination where that is new."""
    text = destination.read_plan()
    for part in parts:
        found = LocalFolder(part).read_plan()
        if text is not None and found != text:
            raise InvalidInputError(
                f"{part} is a share of another data set than {destination.where}; all jobs must have had the "
                "same recipe, meshes and arguments"
            )
        if text is None and found is not None:
            destination.write_plan(found)
        text = found
    if text is None:
        raise InvalidInputError(f"{destination.where} holds no data set in the making; nothing to merge")
    return text


def _take_over(part: LocalFolder, destination: Destination, outcomes: dict[tuple[str, str], Outcome]) -> None:
    """Bring a part's shards, and the lines of its journal, to the destination."""
    for outcome in standing(part):
        if outcome.place in outcomes:
            continue
        if outcome.shard is not None:
            _link(part.folder, destination.folder, outcome.shard)
            destination.deliver(outcome.shard)
        destination.record(outcome, None)
        outcomes[outcome.place] = outcome


def _link(source: Path, target: Path, shard: ShardRecord) -> None:
    """The shard's files in another folder, the index first: a shard with a name always has its index."""
    for suffix in (INDEX_SUFFIX, SHARD_SUFFIX):
        name = Path(shard.split) / f"{shard.name}{suffix}"
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_path(target / name)
        temporary.unlink(missing_ok=True)
        try:
            os.link(source / name, temporary)
        except OSError:  # another file system, or one without links
            with (source / name).open("rb") as theirs, atomic_file(target / name) as ours:
                shutil.copyfileobj(theirs, ours)
        else:
            put_in_place(temporary, target / name)


def _all_there(
    destination: Destination, table: dict[str, Any], outcomes: dict[tuple[str, str], Outcome]
) -> None:
    planned = [(item["split"], item["name"]) for item in table["shards"]]
    missing = ["/".join(place) for place in planned if place not in outcomes]
    if missing:
        named = ", ".join(missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
        raise InvalidInputError(
            f"{destination.where}: {len(missing)} of {len(planned)} shards are still missing ({named}); run "
            "the jobs that make them again, or give all folders that jobs filled"
        )
