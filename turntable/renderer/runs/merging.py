"""Merging of the shares of several jobs into one data set, with the same bytes as one run would have made."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

from turntable.datasets import Manifest
from turntable.datasets.files import make_temporary_path, move_into_place, open_atomic_file
from turntable.datasets.shards import INDEX_SUFFIX, SHARD_SUFFIX, ShardRecord
from turntable.datasets.writing import (
    PLAN_NAME,
    Destination,
    FolderDestination,
    Job,
    ShardOutcome,
    as_destination,
    find_finished_outcomes,
)
from turntable.errors import InvalidInputError
from turntable.renderer.runs.render_run import finish_run
from turntable.renderer.runs.stored_plan import StoredPlan

MAX_NAMED = 5
"""Largest number of missing shards that a message names."""


def merge(destination: Path | Destination, parts: Sequence[Path] = ()) -> Manifest:
    """Join what the jobs of one data set have made, and write the files that describe it.

    The manifest is written last, so a data set with a manifest is complete.

    Args:
        destination: Folder or other destination in which the jobs worked; or a new one, for ``parts``.
        parts: Folders of jobs that did not share one; their shards are linked into ``destination``, or
            copied.

    Returns:
        The manifest of the data set.

    Raises:
        InvalidInputError: There is nothing to merge, the parts belong to different data sets, or shards are
            still missing.
    """
    destination = as_destination(destination)
    for part in parts:
        if not (part / PLAN_NAME).is_file():
            raise InvalidInputError(f"{part} holds no share of a data set; give folders that `--job` filled")
    # Claim everything first: no job may still be at work in the destination or a part.
    with ExitStack() as claims:
        claims.enter_context(destination.claim(None))
        for part in parts:
            claims.enter_context(FolderDestination(part).claim(None))
        text = _read_common_plan(destination, parts)
        outcomes = {outcome.split_and_name: outcome for outcome in find_finished_outcomes(destination)}
        for part in parts:
            _adopt_shards(FolderDestination(part), destination, outcomes)
        plan = StoredPlan.from_text(text)
        _check_complete(destination, plan, outcomes)
        return finish_run(destination, plan, list(outcomes.values()))


def _read_common_plan(destination: Destination, parts: Sequence[Path]) -> str:
    """Return the plan that all parts and the destination share; write it to a new destination.

    Raises:
        InvalidInputError: The plans differ, or there is none.
    """
    text = destination.read_plan()
    for part in parts:
        part_text = FolderDestination(part).read_plan()
        if text is not None and part_text != text:
            raise InvalidInputError(
                f"{part} is a share of another data set than {destination.path_or_url}; all jobs must have "
                "had the same recipe, meshes and arguments"
            )
        if text is None and part_text is not None:
            destination.write_plan(part_text)
        text = part_text
    if text is None:
        raise InvalidInputError(
            f"{destination.path_or_url} holds no shares of a data set: there is nothing to merge"
        )
    return text


def _adopt_shards(
    part: FolderDestination, destination: Destination, outcomes: dict[tuple[str, str], ShardOutcome]
) -> None:
    """Bring a part's shards, and the lines of its journal, to the destination."""
    for outcome in find_finished_outcomes(part):
        if outcome.split_and_name in outcomes:
            continue
        if outcome.shard is not None:
            _link_shard(part.folder, destination.folder, outcome.shard)
            destination.deliver_shard(outcome.shard)
        destination.record_outcome(outcome, None)
        outcomes[outcome.split_and_name] = outcome


def _link_shard(source: Path, target: Path, shard: ShardRecord) -> None:
    """Link or copy a shard's files into another folder.

    The index comes first, so that a shard that has its name always has its index.
    """
    for suffix in (INDEX_SUFFIX, SHARD_SUFFIX):
        name = Path(shard.split) / f"{shard.name}{suffix}"
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        temporary = make_temporary_path(target / name)
        temporary.unlink(missing_ok=True)
        try:
            os.link(source / name, temporary)
        except OSError:  # another file system, or one without links
            with (source / name).open("rb") as original, open_atomic_file(target / name) as copy:
                shutil.copyfileobj(original, copy)
        else:
            move_into_place(temporary, target / name)


def _check_complete(
    destination: Destination, plan: StoredPlan, outcomes: Mapping[tuple[str, str], ShardOutcome]
) -> None:
    missing = [index for index, item in enumerate(plan.shard_names) if item not in outcomes]
    if missing:
        named = ", ".join("/".join(plan.shard_names[index]) for index in missing[:MAX_NAMED])
        raise InvalidInputError(
            f"{destination.path_or_url}: {len(missing)} of {len(plan.shard_names)} shards are still missing "
            f"({named}{', ...' if len(missing) > MAX_NAMED else ''}); "
            f"{_format_missing_jobs(missing, outcomes.values())}, or give all folders that jobs filled"
        )


def _format_missing_jobs(missing: Sequence[int], outcomes: Iterable[ShardOutcome]) -> str:
    """Return which jobs make the shards at these positions of the plan, and how to run them again."""
    counts = sorted({Job.parse(outcome.job).num_jobs for outcome in outcomes if outcome.job})
    if not counts:
        return "run the jobs that make them again"
    if len(counts) > 1:
        listed = " and ".join(map(str, counts))
        return (
            f"the jobs were started with different counts, --job .../{listed}; run those of one count again"
        )
    (count,) = counts
    numbers = sorted({index % count + 1 for index in missing})
    jobs = f"job {numbers[0]}/{count} has" if len(numbers) == 1 else f"{len(numbers)} of {count} jobs have"
    array = _format_ranges(numbers)
    return (
        f"{jobs} not finished: run the command again with --job {numbers[0]}/{count}"
        + (f" and so on ({array})" if len(numbers) > 1 else "")
        + f", in SLURM with sbatch --array={array}"
    )


def _format_ranges(numbers: Sequence[int]) -> str:
    """Return increasing numbers as SLURM writes them, such as "2,5-7"."""
    runs = [
        [number for _, number in group]
        for _, group in groupby(enumerate(numbers), key=lambda item: item[1] - item[0])
    ]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
