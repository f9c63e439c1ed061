"""The plan of a run: new, continued or extended, and the checks before anything is written."""

import json
from dataclasses import replace
from pathlib import Path

from turntable.datasets.files import move_into_place, write_text
from turntable.datasets.stores import convert_os_errors
from turntable.errors import InvalidInputError
from turntable.models import shorten_method_name
from turntable.training.runs.config import TrainConfig
from turntable.training.runs.data import TrainingData
from turntable.training.runs.folder import Run, compute_weights_sha256, open_run
from turntable.training.runs.lineage import Extension, Lineage
from turntable.training.runs.output_folder import check_output_folder
from turntable.training.runs.setting_names import format_setting
from turntable.training.runs.starting import find_reference, has_same_start
from turntable.training.runs.step_plan import set_epochs

_CHANGEABLE_SETTINGS = frozenset(
    {
        "method",
        "dataset",
        "meshes",
        "links_under",
        "device",
        "num_workers",
        "checkpoint_every",
        "wandb",
        "preset",
        "target_steps",
        "epochs",
        "start_from",
    }
)
"""Settings that are not compared when a run continues.

Results do not depend on them, or they are compared in another way: data sets by fingerprint instead of path,
methods by the last part of their names, since the file of a user's method may have moved, the run that gave
the first weights by these weights, and epochs because a run may be extended.
"""
_ONLINE_HINT = (
    " (earlier versions held out other objects of --online: see split_rule on the page Recipes; finish a run"
    " that one of them began with that version)"
)


def plan_run(folder: Path, config: TrainConfig, data: TrainingData) -> Run:
    """Return the run that a folder will hold, new, continued or extended; nothing is written yet.

    Args:
        folder: Path of the run's folder.
        config: Settings of the run.
        data: Description of the data.

    Raises:
        InvalidInputError: The folder holds a run with other settings, more epochs or other data; or it holds
            a data set or other files.
    """
    info = data.to_data_info(config.image_size, config.center_crop)
    run = Run(folder, set_epochs(config, data), info, data.categories, data.fingerprint)
    if not run.config_path.exists():
        check_output_folder(folder)
        return run
    existing = open_run(folder, find_reference(config.method))
    run = replace(run, config=_keep_epochs(existing.config, run.config), data=existing.data)
    _check_same_settings(existing, run)
    return replace(run, lineage=_extend_lineage(existing, run.config.epochs))


def _keep_epochs(existing: TrainConfig, planned: TrainConfig) -> TrainConfig:
    """Return the planned settings with the existing number of epochs, unless the user gave another.

    The number of steps that a preset aims at is for new runs; the run may be of a version with another one.
    """
    is_asked = planned.target_steps is None or existing.target_steps not in (None, planned.target_steps)
    return planned if is_asked else replace(planned, epochs=existing.epochs)


def _extend_lineage(existing: Run, epochs: int) -> Lineage:
    """Return the lineage of a run that continues to a number of epochs."""
    if existing.config.epochs >= epochs:
        return existing.lineage
    finished = existing.weights_path.is_file()
    weights_sha256 = compute_weights_sha256(existing) if finished else None
    return existing.lineage.extend(Extension(existing.config.epochs, weights_sha256))


def is_finished(run: Run) -> bool:
    """Return True if the folder holds the weights of the run, at its number of epochs."""
    return run.weights_path.is_file() and _read_epochs(run) == run.config.epochs


def check_extendable(run: Run) -> None:
    """Check that a finished run that is to have more epochs has the checkpoint from which it continues.

    Raises:
        InvalidInputError: It has none.
    """
    if run.weights_path.is_file() and not is_finished(run) and not run.checkpoints.exist:
        raise InvalidInputError(
            f"{run.folder} has weights.pt but no checkpoint.pt, from which more epochs would continue; train"
            f" into another folder with {format_setting('start_from', run.folder)}"
        )


def create_run(run: Run) -> None:
    """Create the folder of a run and its config.json, or change that of a run that is extended.

    The weights of a finished run that is extended are kept as ``weights-N-epochs.pt``.

    Raises:
        InvalidInputError: The folder has come to hold another run since ``plan_run``.
    """
    if run.config_path.exists():
        existing = open_run(run.folder, find_reference(run.config.method))
        _check_same_settings(existing, run)
        if existing.config.epochs == run.config.epochs:
            return
        if existing.weights_path.is_file():
            shorter = run.folder / f"weights-{existing.config.epochs}-epochs.pt"
            with convert_os_errors(shorter):
                move_into_place(existing.weights_path, shorter)
    with convert_os_errors(run.config_path):
        write_text(run.config_path, json.dumps(run.to_dict(), indent=1) + "\n")


def _read_epochs(run: Run) -> int:
    return open_run(run.folder, find_reference(run.config.method)).config.epochs


def _check_same_settings(existing: Run, planned: Run) -> None:
    """Check that a run may continue: its settings and data must be those of the run in its folder.

    The number of epochs may be larger.
    """
    if shorten_method_name(existing.config.method) != shorten_method_name(planned.config.method):
        raise InvalidInputError(
            f"{existing.folder} holds a run of {existing.config.method}, not of {planned.config.method};"
            " train into another folder (--out, in Python out_dir)"
        )
    before, after = existing.config.to_dict(), planned.config.to_dict()
    changed = [
        f"{name} was {before.get(name)!r}, now {after.get(name)!r}"
        for name in dict.fromkeys([*before, *after])  # the selection is left out if it is the whole split
        if name not in _CHANGEABLE_SETTINGS and before.get(name) != after.get(name)
    ]
    if not has_same_start(existing, planned.config.start_from):
        changed.append(f"start_from was {before['start_from']!r}, now {after['start_from']!r}")
    if existing.config.epochs > planned.config.epochs:
        changed.append(
            f"epochs was {existing.config.epochs}, now {planned.config.epochs} (a run can be extended, not"
            f" shortened: give {format_setting('epochs', existing.config.epochs)} or more)"
        )
    if existing.fingerprint != planned.fingerprint:
        changed.append(
            f"the fingerprint of the data set was {existing.fingerprint}, now {planned.fingerprint}"
            + (_ONLINE_HINT if planned.config.online is not None else "")
        )
    if changed:
        raise InvalidInputError(
            f"{existing.folder} holds a run with other settings: {'; '.join(changed)}."
            " Continue it with the same settings, or train into another folder (--out, in Python out_dir)"
        )
