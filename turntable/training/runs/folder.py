"""The folder of a run: the names of its files, its settings, and its trained method."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from turntable.datasets.files import compute_file_sha256
from turntable.errors import InvalidInputError, format_text, format_value
from turntable.home import expand_home
from turntable.models import (
    METHODS,
    Bounds,
    DataInfo,
    Method,
    build_backbone,
    build_method,
    find_value_faults,
    get_field_types,
    get_method_entry,
    is_method_available,
    register_method,
    resolve_method,
    shorten_method_name,
)
from turntable.training.runs.checkpoints import Checkpoints, check_weights_fit, load_weights, read_weights
from turntable.training.runs.config import TrainConfig
from turntable.training.runs.lineage import NO_LINEAGE, Lineage
from turntable.training.runs.recorded_settings import (
    explain_changed_method,
    is_user_method,
    read_recorded_settings,
    rename_method_settings,
    wrap_settings_errors,
)
from turntable.training.runs.setting_names import format_setting
from turntable.training.runs.torch_defaults import use_torch_defaults
from turntable.user_code import is_reference

RECORDS_NAME = "records.jsonl"
MAX_METHOD_NUMBERS = 2**32
"""Largest number of values of all parameters and buffers of a method together."""
_OUT_OF_MEMORY_TEXTS = ("DefaultCPUAllocator", "CUDA error: out of memory", "STATUS_ALLOC_FAILED")
_DATA_BOUNDS = {
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
    """Fingerprint of the data set."""
    lineage: Lineage = NO_LINEAGE
    """The weights that the run started with, and the shorter runs that it continued."""

    @property
    def config_path(self) -> Path:
        """Path of the settings; the file exists once the run has started."""
        return self.folder / "config.json"

    @property
    def checkpoints(self) -> Checkpoints:
        """Checkpoints from which the run continues."""
        return Checkpoints(self.folder, shorten_method_name(self.config.method), self.fingerprint)

    @property
    def weights_path(self) -> Path:
        """Path of the trained weights; the file exists once the run is finished."""
        return self.folder / "weights.pt"

    @property
    def records_path(self) -> Path:
        """Path of the records, one JSON object per line."""
        return self.folder / RECORDS_NAME

    @property
    def tensorboard_dir(self) -> Path:
        """Path of the folder of tensorboard's files."""
        return self.folder / "tb"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for config.json."""
        return {
            "config": self.config.to_dict(),
            "data": asdict(self.data),
            "categories": list(self.categories),
            "fingerprint": self.fingerprint,
            **({} if self.lineage == NO_LINEAGE else {"lineage": self.lineage.to_dict()}),
        }


def open_run(folder: Path | str, method: str | None = None) -> Run:
    """Read the settings of a run, finished or not.

    Names of methods and settings from earlier versions are read as their present ones.

    Args:
        folder: Path of the run's folder.
        method: Reference to the user's method of the run, whose code is run now. It is needed if the method
            is neither turntable's, nor registered, nor offered by an installed package.

    Raises:
        InvalidInputError: The folder holds no run, or the method of the run is not available.
        IntegrityError: Its config.json does not hold the settings of a run.
    """
    values = read_recorded_settings(folder)
    folder = expand_home(folder)
    _resolve_run_method(folder, values["config"]["method"], method)
    with wrap_settings_errors(folder, values["config"]["method"]):
        return _run_from_settings(folder, values)


def open_runs(folders: Sequence[Path | str], methods: Sequence[str] = ()) -> list[Run]:
    """Read the settings of several runs.

    Args:
        folders: Paths of the runs' folders.
        methods: References to users' methods, whose code is run now. Each is used for the runs whose method
            has the same short name.

    Raises:
        InvalidInputError: A folder holds no run, or the method of a run is not available.
        IntegrityError: A config.json does not hold the settings of a run.
    """
    by_label = {shorten_method_name(reference): reference for reference in methods}
    recorded = [read_recorded_settings(folder)["config"]["method"] for folder in folders]
    return [
        open_run(folder, by_label.get(shorten_method_name(name)) if is_reference(name) else None)
        for folder, name in zip(folders, recorded, strict=True)
    ]


def read_settings(folder: Path | str) -> dict[str, Any]:
    """Read the settings of a run as plain values, also if the code of its method is not available.

    Returns:
        "config" (the settings by name), "data", "categories", "fingerprint" and, if the run has one,
        "lineage". Names of methods and settings
        from earlier versions are replaced by the present ones. All values are checked as by ``open_run``, if
        the method is available; if not, only the name of the method and the fingerprint.

    Raises:
        InvalidInputError: The folder holds no run.
        IntegrityError: Its config.json does not hold the settings of a run.
    """
    values = read_recorded_settings(folder)
    if is_method_available(values["config"]["method"]):
        with wrap_settings_errors(folder, values["config"]["method"]):
            _run_from_settings(Path(folder), values)
    return values


def _resolve_run_method(folder: Path, recorded: str, given: str | None) -> None:
    """Check that the method of a run is available; register it if the user gave a reference.

    Args:
        folder: Path of the run's folder, for messages.
        recorded: Name of the method in config.json.
        given: Reference that the user gave.
    """
    if given is None or recorded in METHODS:
        if given is not None and given != recorded:
            raise InvalidInputError(
                f"{folder} holds a run of {recorded}; leave --method {format_text(given)} out"
            )
        try:
            get_method_entry(recorded)
        except InvalidInputError as error:
            raise InvalidInputError(f"{folder}: {error}") from error
        return
    register_method(recorded, get_method_entry(resolve_method(given)))


def _run_from_settings(folder: Path, values: dict[str, Any]) -> Run:
    data = values["data"]
    info = DataInfo(
        data["num_categories"],
        tuple(data["mean"]),
        tuple(data["std"]),
        data["image_size_px"],
        data["center_crop"],
    )
    categories, fingerprint = tuple(values["categories"]), values["fingerprint"]
    faults = find_value_faults(info, _DATA_BOUNDS)
    if not all(isinstance(name, str) for name in (*categories, fingerprint)):
        faults.append("categories or fingerprint are not texts")
    if faults:
        raise ValueError("; ".join(faults))
    # A user's configuration may inherit settings that had other names; its fields are known only now.
    fields = get_field_types(get_method_entry(values["config"]["method"]).config)
    config = TrainConfig.from_dict(rename_method_settings(values["config"], fields))
    lineage = Lineage.from_dict(values["lineage"]) if "lineage" in values else NO_LINEAGE
    return Run(folder, config, info, categories, fingerprint, lineage)


def build_run_method(run: Run) -> Method:
    """Build the method of a run with fresh weights, drawn from torch's global generator.

    Raises:
        InvalidInputError: It is too large, or its settings do not fit together.
    """
    build_meta_method(run)
    try:
        with use_torch_defaults():
            return _build_method(run)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise InvalidInputError(
            f"there is not enough memory for {run.config.method} with {format_sizes(run)}; make these smaller"
            f" ({format_setting('backbone')}, --set NAME=VALUE)"
        ) from error


def build_meta_method(run: Run) -> Method:
    """Build the method of a run on torch's device "meta", without memory for its weights.

    Raises:
        InvalidInputError: It would be too large, or its settings do not fit together.
    """
    try:
        with use_torch_defaults(), torch.device("meta"):
            method = _build_method(run)
    except InvalidInputError:
        raise
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"{run.config.method} cannot be built with {format_sizes(run)} ({format_text(str(error))})"
        ) from error
    numbers = sum(tensor.numel() for tensor in method.state_dict().values())
    if numbers > MAX_METHOD_NUMBERS:
        raise InvalidInputError(
            f"{run.config.method} with {format_sizes(run)} would have {numbers:,} numbers, and at most"
            f" {MAX_METHOD_NUMBERS:,} are allowed; make these smaller"
        )
    return method


def _build_method(run: Run) -> Method:
    name, size = run.config.backbone, run.data.input_size_px
    backbone = None if name is None else build_backbone(name, size)
    return build_method(run.config.method, run.config.method_config, backbone, run.data)


def format_sizes(run: Run) -> str:
    """Return the settings that determine the size of a run's method, as NAME=VALUE, for messages."""
    values = asdict(run.config.method_config)
    sizes = {name: value for name, value in values.items() if not isinstance(value, (bool, float, str))}
    sizes |= {"backbone": run.config.backbone, "image_size": run.data.image_size_px}
    return ", ".join(f"{name}={format_value(value)}" for name, value in sizes.items() if value is not None)


def is_out_of_memory(error: Exception) -> bool:
    """Return True if an error means that a device or the machine ran out of memory."""
    # Torch has an error class only for devices; on the CPU, and from CUDA's libraries, it raises a
    # RuntimeError with one of these texts.
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(
        text in str(error) for text in _OUT_OF_MEMORY_TEXTS
    )


def compute_weights_sha256(run: Run) -> str:
    """Compute the hex sha256 of the weights of a finished run, by which lineages and results name them.

    Raises:
        InvalidInputError: The run is not finished.
    """
    _check_finished(run)
    return compute_file_sha256(run.weights_path)


def load_run_weights(run: Run) -> dict[str, Tensor]:
    """Load the weights of a finished run by name, on the CPU; they are not compared with a method.

    Raises:
        InvalidInputError: The run is not finished.
        IntegrityError: The file is damaged.
    """
    _check_finished(run)
    return read_weights(run.weights_path)


def load_method(run: Run) -> Method:
    """Load the trained method of a finished run, in ``eval()`` mode on the CPU.

    Raises:
        InvalidInputError: The run is not finished.
        IntegrityError: Its weights are damaged or do not fit.
    """
    weights = load_run_weights(run)
    # First without memory for the method: config.json may ask for a network of any size.
    check_weights_fit(build_meta_method(run), weights, run.weights_path, _explain_misfit(run))
    method = build_run_method(run)
    load_weights(method, weights, run.weights_path)
    return method.eval()


def _explain_misfit(run: Run) -> str:
    """Return the advice for a run whose weights do not fit its method."""
    name = run.config.method
    return explain_changed_method(name) if is_user_method(name) else "use the config.json of this run"


def _check_finished(run: Run) -> None:
    if not run.weights_path.is_file():
        raise InvalidInputError(
            f"{run.folder} has no weights.pt: the run is not finished; continue it with the same"
            " turntable train command"
        )
