"""The folder of a run: what its files are called, who may continue it, and the method it has trained."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from turntable.datasets.files import write_text
from turntable.errors import IntegrityError, InvalidInputError, said, shown
from turntable.models import (
    METHODS,
    MOST_CHARACTERS,
    Bounds,
    DataInfo,
    Method,
    build_backbone,
    build_method,
    choose_method,
    is_at_hand,
    method_entry,
    method_label,
    register_method,
    value_faults,
)
from turntable.own_code import is_reference
from turntable.training.runs.checkpoints import Checkpoints, check_fit, load_weights, read_weights
from turntable.training.runs.config import TrainConfig
from turntable.training.runs.data import TrainingData

_FREE_TO_CHANGE = frozenset(
    {"method", "dataset", "meshes", "device", "num_workers", "checkpoint_every", "wandb"}
)
"""Settings that a continued run may change: the results do not depend on them, the data are compared by
their fingerprint, methods by the last part of their names: the file of one's own may move."""

RECORDS_NAME = "records.jsonl"
MOST_SETTINGS_BYTES = 64 * 2**20
"""The size of config.json, at most: the categories of a data set may be many."""
MOST_NUMBERS = 2**32
"""Parameters and buffers of a method, together."""
_OF_DATA = {
    "num_categories": Bounds(0, 10**7),
    "mean": Bounds(0, 1),
    "std": Bounds(1e-6, 1),
    "image_size_px": Bounds(1, 2**13),
    "center_crop": Bounds(1e-6, 1),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One training run on disk."""

    folder: Path
    config: TrainConfig
    data: DataInfo
    categories: tuple[str, ...]
    fingerprint: str
    """Of the data set."""

    @property
    def settings(self) -> Path:
        """What decides the run; it exists once the run has begun."""
        return self.folder / "config.json"

    @property
    def checkpoints(self) -> Checkpoints:
        """From which the run continues."""
        return Checkpoints(self.folder, method_label(self.config.method), self.fingerprint)

    @property
    def weights(self) -> Path:
        """The trained method; it exists once the run is finished."""
        return self.folder / "weights.pt"

    @property
    def records(self) -> Path:
        """The losses, one JSON object a line."""
        return self.folder / RECORDS_NAME

    @property
    def tensorboard(self) -> Path:
        """The same for tensorboard."""
        return self.folder / "tb"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for config.json."""
        return {
            "config": self.config.to_dict(),
            "data": asdict(self.data),
            "categories": list(self.categories),
            "fingerprint": self.fingerprint,
        }


def open_run(folder: Path | str, method: str | None = None) -> Run:
    """Read the settings of a run, finished or not.

    Args:
        folder: The run's.
        method: A reference to the method of one's own that the run is of, whose code is run now; needed where
            it is neither turntable's, nor registered, nor that of an installed package.

    Raises:
        InvalidInputError: The folder holds no run, or one of a method whose code is not at hand.
        IntegrityError: Its config.json is not what was written.
    """
    values = _read_settings(folder)
    _find_method(Path(folder), values["config"]["method"], method)
    with refused_settings(folder):
        return _run_of(Path(folder), values)


def open_runs(folders: Sequence[Path | str], methods: Sequence[str] = ()) -> list[Run]:
    """Read the settings of several runs.

    Args:
        folders: The runs'.
        methods: References to methods of one's own, whose code is run now: each for the runs of a method
            that ends in the same name.

    Raises:
        InvalidInputError: A folder holds no run, or one of a method whose code is not at hand.
        IntegrityError: A config.json is not what was written.
    """
    by_label = {method_label(reference): reference for reference in methods}
    recorded = [_read_settings(folder)["config"]["method"] for folder in folders]
    return [
        open_run(folder, by_label.get(method_label(name)) if is_reference(name) else None)
        for folder, name in zip(folders, recorded, strict=True)
    ]


def read_settings(folder: Path | str) -> dict[str, Any]:
    """Read the settings of a run as plain values, whatever its method: its code need not be at hand.

    Returns:
        "config" (by name, "method" a text among them), "data", "categories" and "fingerprint". Where the
        method is at hand, all of them are checked as ``open_run`` does.

    Raises:
        InvalidInputError: The folder holds no run.
        IntegrityError: Its config.json is not what was written.
    """
    values = _read_settings(folder)
    if is_at_hand(values["config"]["method"]):
        with refused_settings(folder):
            _run_of(Path(folder), values)
    return values


def _read_settings(folder: Path | str) -> dict[str, Any]:
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise InvalidInputError(
            f"{folder} holds no run (it has no config.json); train one with: turntable train"
        )
    with refused_settings(folder):
        with path.open("rb") as file:
            text = file.read(MOST_SETTINGS_BYTES + 1)
        if len(text) > MOST_SETTINGS_BYTES:
            raise ValueError(f"it has more than {MOST_SETTINGS_BYTES:,} bytes")
        values = json.loads(text)
        method = values["config"]["method"]
        if not isinstance(method, str) or len(method) > MOST_CHARACTERS:
            raise TypeError("its method is no name")
        if not isinstance(values["fingerprint"], str):
            raise TypeError("its fingerprint is no text")
    return values


@contextmanager
def refused_settings(folder: Path | str) -> Generator[None]:
    """Say of config.json what is wrong with it, while its settings are read.

    Raises:
        IntegrityError: In place of what reading raises.
    """
    try:
        yield
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"{Path(folder) / 'config.json'} is not what was written ({_words(error)}); train again into"
            " another folder"
        ) from error


def _find_method(folder: Path, recorded: str, given: str | None) -> None:
    """Make sure that the method of a run is at hand, by the reference that the user gives if there is one."""
    if given is None or recorded in METHODS:
        if given is not None and given != recorded:
            raise InvalidInputError(f"{folder} holds a run of {recorded}; leave --method {shown(given)} out")
        try:
            method_entry(recorded)
        except InvalidInputError as error:
            raise InvalidInputError(f"{folder}: {error}") from error
        return
    register_method(recorded, method_entry(choose_method(given)))


def _run_of(folder: Path, values: dict[str, Any]) -> Run:
    data = values["data"]
    info = DataInfo(
        data["num_categories"],
        tuple(data["mean"]),
        tuple(data["std"]),
        data["image_size_px"],
        data["center_crop"],
    )
    categories, fingerprint = tuple(values["categories"]), values["fingerprint"]
    faults = value_faults(info, _OF_DATA)
    if not all(isinstance(name, str) for name in (*categories, fingerprint)):
        faults.append("categories or fingerprint are no texts")
    if faults:
        raise ValueError("; ".join(faults))
    return Run(folder, TrainConfig.from_dict(values["config"]), info, categories, fingerprint)


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, InvalidInputError) else shown(str(error), 400)


def plan_run(folder: Path, config: TrainConfig, data: TrainingData) -> Run:
    """The run that a folder is to hold, or goes on with; nothing is written yet.

    Raises:
        InvalidInputError: The folder holds a run with other settings or of other data.
    """
    info = data.info(config.image_size, config.center_crop)
    run = Run(folder, config, info, data.categories, data.fingerprint)
    if run.settings.exists():
        _check_same(open_run(folder, _own(config.method)), run)
    return run


def _own(method: str) -> str | None:
    """The reference of a method, whose file may have moved since a run began; None for any other."""
    return method if is_reference(method) else None


def begin_run(run: Run) -> None:
    """Make the folder of a run, unless it is there."""
    if not run.settings.exists():
        write_text(run.settings, json.dumps(run.to_dict(), indent=1) + "\n")


def new_method(run: Run) -> Method:
    """The run's method with fresh weights, drawn from torch's global generator.

    Raises:
        InvalidInputError: It is too large, or its settings do not fit one another.
    """
    planned_method(run)
    try:
        return _built(run)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise InvalidInputError(
            f"there is no memory for {run.config.method} with {sizes_of(run)}; make them smaller"
        ) from error


def planned_method(run: Run) -> Method:
    """The run's method as it will be, without memory for its weights (on torch's device "meta").

    Raises:
        InvalidInputError: It would be too large, or its settings do not fit one another.
    """
    try:
        with torch.device("meta"):
            method = _built(run)
    except InvalidInputError:
        raise
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"{run.config.method} cannot be built with {sizes_of(run)} ({shown(str(error))})"
        ) from error
    numbers = sum(tensor.numel() for tensor in method.state_dict().values())
    if numbers > MOST_NUMBERS:
        raise InvalidInputError(
            f"{run.config.method} with {sizes_of(run)} would have {numbers:,} numbers, and at most"
            f" {MOST_NUMBERS:,} are trained; make them smaller"
        )
    return method


def _built(run: Run) -> Method:
    name, size = run.config.backbone, run.data.input_size_px
    backbone = None if name is None else build_backbone(name, size)
    return build_method(run.config.method, run.config.method_config, backbone, run.data)


def sizes_of(run: Run) -> str:
    """Say what decides how large a method is, as settings are written."""
    values = asdict(run.config.method_config)
    sizes = {name: value for name, value in values.items() if not isinstance(value, (bool, float, str))}
    sizes |= {"backbone": run.config.backbone, "image_size": run.data.image_size_px}
    return ", ".join(f"{name}={said(value)}" for name, value in sizes.items() if value is not None)


def is_out_of_memory(error: Exception) -> bool:
    """Return whether a device or the machine had no memory; for the CPU, torch has no error of its own."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "DefaultCPUAllocator" in str(error)


def load_method(run: Run) -> Method:
    """The trained method of a finished run, in ``eval()`` mode on the CPU.

    Raises:
        InvalidInputError: The run is not finished.
        IntegrityError: Its weights are damaged or do not fit.
    """
    if not run.weights.is_file():
        raise InvalidInputError(
            f"{run.folder} has no weights.pt: the run is not finished; continue it with the same"
            " turntable train command"
        )
    weights = read_weights(run.weights)
    check_fit(planned_method(run), weights, run.weights)  # before there is memory for what they should fit
    method = new_method(run)
    load_weights(method, weights, run.weights)
    return method.eval()


def _check_same(found: Run, wanted: Run) -> None:
    if method_label(found.config.method) != method_label(wanted.config.method):
        raise InvalidInputError(
            f"{found.folder} holds a run of {found.config.method}, not of {wanted.config.method};"
            " train into another folder"
        )
    before, after = found.config.to_dict(), wanted.config.to_dict()
    changed = [
        f"{name} was {before[name]!r}, now {after[name]!r}"
        for name in before
        if name not in _FREE_TO_CHANGE and before[name] != after[name]
    ]
    if found.fingerprint != wanted.fingerprint:
        changed.append(f"the data set's fingerprint was {found.fingerprint}, now {wanted.fingerprint}")
    if changed:
        raise InvalidInputError(
            f"{found.folder} holds a run with other settings: {'; '.join(changed)}."
            " Continue it with the same ones, or train into another folder"
        )
