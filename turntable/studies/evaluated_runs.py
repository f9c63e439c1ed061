"""Evaluations as they are compared: their results, checked, with the settings of the run's training."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from turntable.errors import IntegrityError, InvalidInputError, format_text
from turntable.evaluation import (
    EvaluationResults,
    ResultFiles,
    find_result_files,
    list_result_files,
    read_results,
)
from turntable.evaluation.report import ScoreCatalog, build_catalog
from turntable.training import read_settings

_IGNORED_SETTINGS = frozenset(
    {
        "method",
        "seed",
        "dataset",
        "device",
        "num_workers",
        "log_every",
        "checkpoint_every",
        "wandb",
        "preset",  # the settings that it stands for are compared one by one
        "target_steps",  # so are the epochs that it gave
    }
)
"""Settings that do not change what is learned, or that a comparison shows in another place."""
_MAX_NAME_LENGTH = 500
"""Maximal length of a name that a file may have."""
_MAX_NUMBER = 2**63
"""Bound of counts and seeds that a file may have."""


@dataclass(frozen=True, slots=True)
class EvaluatedRun:
    """The results of one evaluation of a run, with the settings of its training."""

    results: EvaluationResults
    """Results of the evaluation."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the training by name, without its seed; empty if they are not known."""
    folder: Path | None = None
    """Folder of the run; None if it is not known."""
    recorded: Mapping[str, Any] = field(default_factory=dict)
    """Content of the run's config.json (``training.read_settings``); empty if it is not known."""

    @property
    def name(self) -> str:
        """Folder of the run in messages, or the method if that is not known."""
        return str(self.folder) if self.folder is not None else self.results.method


def read_evaluated_runs(run_path: Path) -> list[EvaluatedRun]:
    """Read the results of all evaluations of a run, and its settings.

    Args:
        run_path: Folder of the run, folder of one evaluation, or path of its results.json.

    Raises:
        InvalidInputError: The run has not been evaluated.
        IntegrityError: A file is damaged, or of another version.
    """
    if not run_path.is_dir() and not run_path.is_file():
        raise InvalidInputError(f"{run_path} is not there; give the folder of an evaluated run")
    found = list_result_files(run_path) if run_path.is_dir() else [find_result_files(run_path)]
    if not found:
        raise InvalidInputError(
            f"{run_path} has no results of an evaluation; evaluate it first: turntable evaluate {run_path}"
            " DATASET"
        )
    return _remove_superseded([_read_evaluated_run(files) for files in found])


def _read_evaluated_run(files: ResultFiles) -> EvaluatedRun:
    results, folder = _read_checked_results(files.path), files.run_folder
    if folder is None or not (folder / "config.json").is_file():
        return EvaluatedRun(results)
    recorded = read_settings(folder)
    settings = {**_flatten_settings(recorded["config"]), "trained on": recorded["fingerprint"][:8]}
    kept = {name: value for name, value in settings.items() if name not in _IGNORED_SETTINGS}
    return EvaluatedRun(results, kept, folder, recorded)


def _remove_superseded(evaluated: Sequence[EvaluatedRun]) -> list[EvaluatedRun]:
    """Leave out results that an earlier version wrote, if the same evaluation was made again."""
    kept: dict[tuple[str, str, str], EvaluatedRun] = {}
    for run in evaluated:
        kept.setdefault(get_evaluation_key(run.results), run)
    return list(kept.values())


def get_evaluation_key(results: EvaluationResults) -> tuple[str, str, str]:
    """Return what an evaluation is made with: fingerprint of the data, name of the protocol, and split."""
    return results.fingerprint, str(results.protocol.get("name")), results.split


def _read_checked_results(path: Path) -> EvaluationResults:
    """Read results and check their values, so that the rest of this module can rely on them.

    Raises:
        IntegrityError: The file is not results of an evaluation.
    """
    try:
        results = read_results(path)
        fault = _find_fault(results)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        message = format_text(str(error))
        raise IntegrityError(
            f"{path} is not a result of turntable evaluate ({message}); run it again"
        ) from error
    if fault:
        raise IntegrityError(f"{path} is not a result of turntable evaluate ({fault}); run it again")
    return results


def _find_fault(results: EvaluationResults) -> str | None:
    """Return a message about a wrong value of results; None if all values are right.

    Raises:
        ValueError, TypeError, AttributeError, OverflowError: A value has the wrong type.
    """
    rows = [*results.rows, *(row for other in results.elsewhere for row in other.rows)]
    scores = [score for row in rows for score in row.scores.values()]
    names = [results.method, results.backbone or "", results.dataset, results.fingerprint]
    names += [name for row in rows for name in (row.name, *row.scores)]
    names += [name for other in results.elsewhere for name in (other.dataset, other.fingerprint)]
    names += _build_checked_catalog(results).columns
    numbers = [results.seed, results.num_train_objects, results.num_val_objects, results.num_val_pairs]
    numbers += [row.dim for row in rows]
    _check_writable([*names, *results.notes, format_condition(results)])
    if not all(type(number) is int and abs(number) < _MAX_NUMBER for number in numbers):
        return "it has counts that are not whole numbers"
    if any(len(name) > _MAX_NAME_LENGTH for name in names):
        return f"it has names longer than {_MAX_NAME_LENGTH} characters"
    if not scores:
        return "it has no scores"
    if not all(math.isfinite(end) for score in scores for end in (score.value, score.low, score.high)):
        return "it has scores that are not finite numbers"
    return None


def _build_checked_catalog(results: EvaluationResults) -> ScoreCatalog:
    """Build the catalog of results.

    Raises:
        ValueError: The tables in the protocol are malformed.
    """
    try:
        return build_catalog([results])
    except IntegrityError as error:
        raise ValueError(str(error)) from error


def _check_writable(texts: Sequence[str]) -> None:
    """Check that all values are texts that can be written as UTF-8.

    Raises:
        TypeError: A value is not a text.
        ValueError: A text has a lone surrogate.
    """
    "".join(texts).encode("utf-8")


def _flatten_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flatten_settings(value) if isinstance(value, Mapping) else {name: value}  # pyright: ignore[reportUnknownArgumentType]
    return flat


def format_condition(results: EvaluationResults) -> str:
    """Format what results must have in common to be compared; a digest stands for the protocol's settings."""
    name, pairs = results.protocol.get("name", "?"), str(results.protocol.get("val_pairs"))[:8]
    digest = hashlib.sha256(encode_rules(results).encode()).hexdigest()[:8]
    split = "" if results.split == "val" else f", split {results.split}"
    return f"{results.dataset} {results.fingerprint[:8]}{split}, protocol {name} {digest}, pairs {pairs}"


def encode_rules(results: EvaluationResults) -> str:
    """Encode the settings of a protocol as JSON.

    The digest of its pairs is left out, since it depends on the data. So are tables, which do not change
    numbers.
    """
    rules = {name: value for name, value in results.protocol.items() if name != "val_pairs"}
    tasks = rules.get("tasks")
    if isinstance(tasks, list):
        rules["tasks"] = [_remove_tables(task) for task in tasks]
    return json.dumps(rules, sort_keys=True, default=list)


def _remove_tables(task: Any) -> Any:
    if not isinstance(task, Mapping):
        return task
    return {name: value for name, value in task.items() if name not in ("tables", "main")}  # pyright: ignore[reportUnknownVariableType]
