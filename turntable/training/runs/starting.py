"""A run that starts with the weights of another run: the checks of the two, and the weights."""

from dataclasses import asdict, replace

from torch import Tensor

from turntable.errors import InvalidInputError, format_value
from turntable.home import expand_home
from turntable.models import shorten_method_name
from turntable.training.runs.checkpoints import find_misfits, format_misfits
from turntable.training.runs.folder import (
    Run,
    build_meta_method,
    compute_weights_sha256,
    load_run_weights,
    open_run,
)
from turntable.training.runs.lineage import Start
from turntable.training.runs.setting_names import format_setting
from turntable.user_code import is_reference


def add_start(run: Run) -> Run:
    """Return a new run with the run that it starts from in its lineage; any other run as it is.

    The colors of the images are normalized as in the run that it starts from, since the weights know no
    others.

    Raises:
        InvalidInputError: That run is not finished, is of another method, or its weights do not fit.
        IntegrityError: Its files are damaged.
    """
    if run.config.start_from is None or run.config_path.exists():
        return run
    source = _open_source(run)
    data = replace(run.data, mean=source.data.mean, std=source.data.std)
    start = Start(
        run.config.start_from,
        shorten_method_name(source.config.method),
        source.config.epochs,
        compute_weights_sha256(source),
        source.fingerprint,
    )
    return replace(run, data=data, lineage=replace(run.lineage, start=start))


def load_start_weights(run: Run) -> dict[str, Tensor] | None:
    """Load the weights that a run starts with, by name; None if it draws its own or has a checkpoint.

    Raises:
        InvalidInputError: The run that it starts from is gone, or has other weights than when this run began.
        IntegrityError: Its files are damaged.
    """
    if run.lineage.start is None or run.checkpoints.exist:
        return None
    source = open_run(run.lineage.start.run, find_reference(run.config.method))
    if compute_weights_sha256(source) != run.lineage.start.weights_sha256:
        raise InvalidInputError(
            f"{run.folder} began with the weights of {source.folder}, which has other weights now; train into"
            " another folder (--out, in Python out_dir)"
        )
    return load_run_weights(source)


def has_same_start(existing: Run, start_from: str | None) -> bool:
    """Return True if a path is that of the run that an existing run started from, or a copy of it."""
    start = existing.lineage.start
    if start_from == existing.config.start_from or start is None or start_from is None:
        return start_from == existing.config.start_from
    source = open_run(start_from, find_reference(existing.config.method))
    return start.weights_sha256 == compute_weights_sha256(source)


def find_reference(method: str) -> str | None:
    """Return the reference of a user's method, whose file may have moved; None for any other method."""
    return method if is_reference(method) else None


def _open_source(run: Run) -> Run:
    """Open the run that another one starts from, after a check that its weights fit."""
    assert run.config.start_from is not None
    folder = expand_home(run.config.start_from)
    if folder.resolve() == run.folder.resolve():
        raise InvalidInputError(
            f"{folder} cannot start from itself; give {format_setting('epochs')} to extend it"
        )
    source = open_run(folder, find_reference(run.config.method))
    ours, theirs = (shorten_method_name(each.config.method) for each in (run, source))
    if ours != theirs:
        raise InvalidInputError(
            f"{folder} holds a run of {theirs}, and its weights do not fit {ours}; start from a run of {ours}"
            f" ({format_setting('start_from')}), or train {theirs} (--method)"
        )
    if misfits := find_misfits(build_meta_method(run), load_run_weights(source)):
        differences = "; ".join([*_list_differences(source, run), format_misfits(misfits)])
        raise InvalidInputError(
            f"the weights of {folder} do not fit this run: {differences}. Give the settings of that run, or"
            f" leave {format_setting('start_from')} out"
        )
    return source


def _list_differences(source: Run, run: Run) -> list[str]:
    """Return the settings that determine the shapes of weights and differ between two runs."""
    before, after = (
        {"backbone": each.config.backbone, **asdict(each.config.method_config), **asdict(each.data)}
        for each in (source, run)
    )
    return [
        f"{name} was {format_value(before[name])}, now {format_value(after[name])}"
        for name in after
        if name not in ("mean", "std") and name in before and before[name] != after[name]
    ]
