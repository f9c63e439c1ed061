"""The two recipes that a run begins from: the papers', and one for two CPU cores."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch

from turntable.choices import Preset, check_names
from turntable.models import MethodConfig, MethodEntry, choose_method, method_entry
from turntable.training.runs.config import TrainConfig

_DEMO: Mapping[str, Any] = {
    "backbone": "small",
    "epochs": 12,
    "pairs_per_object": 10,
    "batch_size": 128,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup_epochs": 1.0,
    "center_crop": 2 / 3,
}


def paper_config(method: str, dataset: Path | str | None = None, **changes: Any) -> TrainConfig:
    """The recipe of the method's paper; SIE's is ResNet-18, batches of 1024, 2000 epochs: GPUs and days.

    Args:
        method: A name from ``models.method_names()``, or a reference to one's own (``file.py:NAME``).
        dataset: The data set's folder or URL; None with ``online=RECIPE`` among the changes.
        **changes: Other fields of ``TrainConfig``; ``method_config`` may be a mapping of those fields of the
            method's configuration that change.

    Raises:
        InvalidInputError: The method is unknown, or a value cannot be right.
    """
    name = choose_method(method)
    entry = method_entry(name)
    settings = {**_backbone_of(entry), **entry.config.paper_training, **changes}
    return _config(name, dataset, entry.make_config(), settings)


def demo_config(method: str, dataset: Path | str | None = None, **changes: Any) -> TrainConfig:
    """A recipe for two CPU cores and some hundred objects at 96 pixels: the small backbone, minutes.

    Args:
        method: As of ``paper_config``.
        dataset: The data set's folder or URL; None with ``online=RECIPE`` among the changes.
        **changes: As of ``paper_config``.

    Raises:
        InvalidInputError: The method is unknown, or a value cannot be right.
    """
    name = choose_method(method)
    entry = method_entry(name)
    settings = {**_DEMO, **_backbone_of(entry), **entry.config.demo_training, **changes}
    return _config(name, dataset, entry.make_config().demo(), settings)


def preset_of_machine(device: str | None = None) -> tuple[Preset, str]:
    """Choose the preset that a machine can carry: the papers' where there is a GPU to train on.

    Args:
        device: That is asked for; None or "auto": the best there is.

    Returns:
        The preset, and a line that says why.
    """
    wants_gpu = device in (None, "auto") or str(device).startswith("cuda")
    if wants_gpu and torch.cuda.is_available():
        return "paper", "--preset paper, as there is a GPU: the paper's own settings, which may take days"
    return "demo", (
        "--preset demo, as there is no GPU to train on: minutes, and narrower than the paper's; the paper's"
        " settings are --preset paper"
    )


def _backbone_of(entry: MethodEntry) -> Mapping[str, Any]:
    """Return the setting of a method that has no backbone, where a preset has one."""
    return {} if entry.has_backbone else {"backbone": None}


def _config(
    method: str, dataset: Path | str | None, default: MethodConfig, settings: Mapping[str, Any]
) -> TrainConfig:
    given = settings.get("method_config", {})
    chosen = _changed(method, default, given) if isinstance(given, Mapping) else given
    values: dict[str, Any] = {**settings, "method_config": chosen}
    return TrainConfig(method=method, dataset=None if dataset is None else str(dataset), **values)


def _changed(method: str, config: MethodConfig, changes: Mapping[str, Any]) -> MethodConfig:
    check_names(method, changes, (item.name for item in fields(config)))
    return replace(config, **changes)
