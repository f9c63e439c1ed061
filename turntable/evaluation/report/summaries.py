"""What a report says of a data set and of trainings, read from their folders."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turntable.datasets import Dataset
from turntable.datasets.describing import SHEET_NAME
from turntable.datasets.files import decode_jpeg
from turntable.errors import TurntableError
from turntable.models import method_label
from turntable.training import RECORDS_NAME, read_records, read_settings, refused_settings

_MOST_SHEET_BYTES = 64 << 20
_NO_TERM = ("kind", "epoch", "step", "loss", "learning_rate")


@dataclass(frozen=True, slots=True, eq=False)
class DatasetSummary:
    """What the page says of a data set."""

    name: str
    facts: Mapping[str, str]
    """Shown as they are, in order."""
    factors: Mapping[str, NDArray[np.floating]]
    """The labels of all views, by the factor's name with its unit."""
    contact_sheet: bytes | None = None
    """A PNG or JPEG."""


@dataclass(frozen=True, slots=True)
class RunCurve:
    """How a training went."""

    name: str
    losses: tuple[float, ...]
    """The mean loss of each epoch."""
    settings: str
    """In one line."""
    terms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The mean of each term of the loss in each epoch, by name."""


def summarize_dataset(dataset: Dataset, contact_sheet: bytes | None = None) -> DatasetSummary:
    """Read what the page says of a data set.

    Args:
        dataset: Open.
        contact_sheet: A picture of some of its views, PNG or JPEG.

    Raises:
        IntegrityError: A shard's index is damaged.
    """
    manifest = dataset.manifest
    labels: list[NDArray[np.float32]] = []
    counts: list[str] = []
    for name in dataset.splits:
        with dataset.split(name) as split:
            labels.append(split.labels.reshape(-1, len(manifest.factors)))
            counts.append(f"{split.num_objects} {name}")
    columns = np.concatenate(labels).T
    facts = {
        "objects": f"{manifest.totals.objects} ({', '.join(counts)})",
        "categories": str(len(manifest.categories)),
        "views": f"{manifest.views} of each object",
        "pixels": f"{manifest.image_size_px} × {manifest.image_size_px}",
        "images": f"{manifest.totals.images:,}",
        "fingerprint": manifest.fingerprint[:16],
    }
    units = {"1": "", "rad": ", rad", "turn": ", turns", "W": ", W"}
    factors = {
        f.name.removesuffix("_rad") + units[f.unit]: v for f, v in zip(manifest.factors, columns, strict=True)
    }
    return DatasetSummary(manifest.name, facts, factors, contact_sheet)


def contact_sheet_of(dataset: Dataset) -> bytes | None:
    """The sheet that lies beside the shards; None where it cannot be had without a network, or is no picture.

    No link leads out of the data set: what is there would go into a page that others read.
    """
    if not dataset.is_local:
        return None
    try:
        sheet = replace(dataset.files, links_under=()).read(SHEET_NAME, _MOST_SHEET_BYTES)
        if sheet is not None:
            decode_jpeg(sheet)
    except TurntableError:
        return None
    return sheet


def _told_settings(config: Mapping[str, Any], run_dir: Path | str) -> str:
    backbone = "" if config.get("backbone") is None else f"{config['backbone']}, "
    with refused_settings(run_dir):
        return (
            f"{backbone}{config['epochs']} epochs of {config['pairs_per_object']} samples an object, "
            f"batch {config['batch_size']}, learning rate {config['learning_rate']:g}, seed {config['seed']}"
        )


def summarize_run(run_dir: Path | str) -> RunCurve:
    """Read how a training went, finished or not.

    Raises:
        InvalidInputError: The folder holds no run.
        IntegrityError: Its files are not what was written.
    """
    config = read_settings(run_dir)["config"]
    epochs = [record for record in read_records(Path(run_dir) / RECORDS_NAME) if record["kind"] == "epoch"]
    names = dict.fromkeys(name for record in epochs for name in record if name not in _NO_TERM)
    return RunCurve(
        method_label(config["method"]),
        tuple(record["loss"] for record in epochs),
        _told_settings(config, run_dir),
        {name: tuple(record.get(name, np.nan) for record in epochs) for name in names},
    )
