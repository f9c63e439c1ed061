"""The folder of a run: what its files are called, who may continue it, and the method it has trained."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from turntable.datasets.dataset import Dataset
from turntable.datasets.storage import write_text
from turntable.errors import IntegrityError, InvalidInputError
from turntable.models import DataInfo, Method, build_backbone, build_method
from turntable.training.checkpoints import Checkpoints, load_weights, read_weights
from turntable.training.config import TrainConfig

_FREE_TO_CHANGE = frozenset({"dataset", "device", "num_workers", "checkpoint_every", "wandb"})
"""Settings that a continued run may change: the results do not depend on them, the data are compared by
their fingerprint."""


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
        return Checkpoints(self.folder, self.config.method, self.fingerprint)

    @property
    def weights(self) -> Path:
        """The trained method; it exists once the run is finished."""
        return self.folder / "weights.pt"

    @property
    def records(self) -> Path:
        """The losses, one JSON object a line."""
        return self.folder / "records.jsonl"

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


def open_run(folder: Path | str) -> Run:
    """Read the settings of a run, finished or not.

    Raises:
        InvalidInputError: The folder holds no run.
        IntegrityError: Its config.json is not what was written.
    """
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise InvalidInputError(
            f"{folder} holds no run (it has no config.json); train one with: turntable train"
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        data = values["data"]
        return Run(
            folder=Path(folder),
            config=TrainConfig.from_dict(values["config"]),
            data=DataInfo(
                data["num_categories"],
                tuple(data["mean"]),
                tuple(data["std"]),
                data["image_size_px"],
                data["center_crop"],
            ),
            categories=tuple(values["categories"]),
            fingerprint=values["fingerprint"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(
            f"{path} is not what was written ({error}); train again into another folder"
        ) from error


def plan_run(folder: Path, config: TrainConfig, dataset: Dataset) -> Run:
    """The run that a folder is to hold, or goes on with; nothing is written yet.

    Raises:
        InvalidInputError: The folder holds a run with other settings or of other data.
    """
    categories = tuple(dataset.manifest.categories)
    data = data_info(dataset, config.image_size, config.center_crop)
    run = Run(folder, config, data, categories, dataset.manifest.fingerprint)
    if run.settings.exists():
        _check_same(open_run(folder), run)
    return run


def begin_run(run: Run) -> None:
    """Make the folder of a run, unless it is there."""
    if not run.settings.exists():
        write_text(run.settings, json.dumps(run.to_dict(), indent=1) + "\n")


def data_info(dataset: Dataset, image_size: int | None = None, center_crop: float = 1.0) -> DataInfo:
    """What a method must know of a data set; one without statistics of its pixels is scaled to [-2, 2]."""
    manifest = dataset.manifest
    mean, std = manifest.pixel_mean, manifest.pixel_std
    if mean is None or std is None:
        mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
    return DataInfo(len(manifest.categories), mean, std, image_size or manifest.image_size_px, center_crop)


def new_method(run: Run) -> Method:
    """The run's method with fresh weights, drawn from torch's global generator."""
    return build_method(
        run.config.method,
        run.config.method_config,
        build_backbone(run.config.backbone, run.data.input_size_px),
        run.data,
    )


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
    method = new_method(run)
    load_weights(method, read_weights(run.weights), run.weights)
    return method.eval()


def _check_same(found: Run, wanted: Run) -> None:
    if found.config.method != wanted.config.method:
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
