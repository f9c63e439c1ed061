"""Summaries of data sets and of trainings for a report, read from their folders."""

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
from turntable.models import shorten_method_name
from turntable.training import RECORDS_NAME, Lineage, read_records, read_settings, wrap_settings_errors

_MAX_SHEET_BYTES = 64 << 20
_NON_TERM_KEYS = ("kind", "epoch", "step", "loss", "learning_rate")
"""Keys of a record of an epoch that are not terms of the loss."""


@dataclass(frozen=True, slots=True, eq=False)
class DatasetSummary:
    """The part of a report about a data set."""

    name: str
    """Name of the data set."""
    facts: Mapping[str, str]
    """Facts by their headings, in the order to show."""
    factors: Mapping[str, NDArray[np.floating]]
    """Labels of all views, by name of the factor with its unit."""
    contact_sheet: bytes | None = None
    """Picture of some views, as PNG or JPEG."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The part of a report about a training."""

    name: str
    """Name of the method."""
    losses: tuple[float, ...]
    """Mean loss of each epoch."""
    settings: str
    """Settings of the training, in one line."""
    terms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Mean of each term of the loss in each epoch, by name."""


def summarize_dataset(dataset: Dataset, contact_sheet: bytes | None = None) -> DatasetSummary:
    """Read the labels and the manifest of a data set.

    Args:
        dataset: Open data set.
        contact_sheet: Picture of some of its views, as PNG or JPEG.

    Raises:
        IntegrityError: A shard's index is damaged.
    """
    manifest = dataset.manifest
    labels: list[NDArray[np.float32]] = []
    counts: list[str] = []
    for name in dataset.splits:
        with dataset.open_split(name) as split:
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
    units = {"1": "", "rad": ", rad", "turn": ", turns", "W": ", W", "px": ", px"}
    factors = {
        f.name.removesuffix("_rad").removesuffix("_px") + units[f.unit]: v
        for f, v in zip(manifest.factors, columns, strict=True)
    }
    return DatasetSummary(manifest.name, facts, factors, contact_sheet)


def read_contact_sheet(dataset: Dataset) -> bytes | None:
    """Read the contact sheet of a data set; None if the data set is remote or has no readable sheet.

    Symbolic links out of the data set are not followed: a file that they lead to would be published with the
    page.
    """
    if not dataset.is_local:
        return None
    try:
        sheet = replace(dataset.files, links_under=()).read(SHEET_NAME, _MAX_SHEET_BYTES)
        if sheet is not None:
            decode_jpeg(sheet)
    except TurntableError:
        return None
    return sheet


def _format_settings(config: Mapping[str, Any], run_dir: Path | str) -> str:
    backbone = "" if config.get("backbone") is None else f"{config['backbone']}, "
    with wrap_settings_errors(run_dir):
        return (
            f"{backbone}{config['epochs']} epochs of {config['pairs_per_object']} samples an object, "
            f"batch {config['batch_size']}, learning rate {config['learning_rate']:g}, seed {config['seed']}"
        )


def _format_lineage(settings: Mapping[str, Any], run_dir: Path | str) -> str:
    """Return where the weights of a run come from, as the end of a sentence; "" for fresh weights."""
    with wrap_settings_errors(run_dir):
        lineage = Lineage.from_dict(settings["lineage"]) if "lineage" in settings else Lineage()
        return "".join(f"; {sentence}" for sentence in lineage.describe(settings["config"]["epochs"]))


def summarize_run(run_dir: Path | str) -> RunSummary:
    """Read the settings and the losses of a training, finished or not.

    Raises:
        InvalidInputError: The folder holds no run.
        IntegrityError: Its files are damaged.
    """
    settings = read_settings(run_dir)
    config = settings["config"]
    epochs = [record for record in read_records(Path(run_dir) / RECORDS_NAME) if record["kind"] == "epoch"]
    names = dict.fromkeys(name for record in epochs for name in record if name not in _NON_TERM_KEYS)
    return RunSummary(
        shorten_method_name(config["method"]),
        tuple(record["loss"] for record in epochs),
        _format_settings(config, run_dir) + _format_lineage(settings, run_dir),
        {name: tuple(record.get(name, np.nan) for record in epochs) for name in names},
    )
