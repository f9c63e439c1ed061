"""The two presets of the settings of a run: those of the method's paper, and a demo for two CPU cores."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from turntable.choices import Preset
from turntable.models import (
    MethodConfig,
    MethodEntry,
    check_setting_names,
    get_method_entry,
    resolve_method,
)
from turntable.training.runs.config import TrainConfig

_DEMO_SETTINGS: Mapping[str, Any] = {
    "backbone": "small",
    "epochs": 12,
    "pairs_per_object": 10,
    "batch_size": 128,
    "learning_rate": 1e-3,
    "schedule": "cosine",
    "warmup_epochs": 1.0,
    "center_crop": 2 / 3,
}


def make_paper_config(method: str, dataset: Path | str | None = None, **changes: Any) -> TrainConfig:
    """Make the settings of the method's paper, which need GPUs and days.

    SIE's are ResNet-18, batches of 1024 and 2000 epochs.

    Args:
        method: Name from ``models.list_methods()``, or a reference to a user's method (``file.py:NAME``).
        dataset: Path or URL of the data set; None with ``online=RECIPE`` among the changes.
        **changes: Other fields of ``TrainConfig``; ``method_config`` may be a mapping with only the fields of
            the method's configuration to change.

    Raises:
        InvalidInputError: The method or a field is unknown, or a value is wrong.
    """
    name = resolve_method(method)
    entry = get_method_entry(name)
    settings = {"preset": "paper", **_get_backbone_settings(entry), **entry.config.paper_training, **changes}
    return _make_config(name, dataset, entry.make_config(), settings)


def make_demo_config(method: str, dataset: Path | str | None = None, **changes: Any) -> TrainConfig:
    """Make settings for two CPU cores, a few minutes and a few hundred objects at 96 pixels.

    Args:
        method: Name or reference, like that of ``make_paper_config``.
        dataset: Path or URL of the data set; None with ``online=RECIPE`` among the changes.
        **changes: Other fields of ``TrainConfig``, like those of ``make_paper_config``.

    Raises:
        InvalidInputError: The method or a field is unknown, or a value is wrong.
    """
    name = resolve_method(method)
    entry = get_method_entry(name)
    settings: dict[str, Any] = {"preset": "demo", **_DEMO_SETTINGS, **_get_backbone_settings(entry)}
    settings |= {**entry.config.demo_training, **changes}
    return _make_config(name, dataset, entry.make_config().demo(), settings)


def select_preset(device: str | None = None) -> tuple[Preset, str]:
    """Select the preset for this machine: "paper" if the training can use a GPU, otherwise "demo".

    Args:
        device: Name of the device to train on; None or "auto" for the best one.

    Returns:
        The preset, and a line for the user that gives the reason.
    """
    wants_gpu = device in (None, "auto") or str(device).startswith("cuda")
    if wants_gpu and torch.cuda.is_available():
        return "paper", "--preset paper, as there is a GPU: the settings of the paper, which may take days"
    return "demo", (
        "--preset demo, as there is no GPU to train on: smaller networks than the paper's, and minutes; for"
        " the paper's settings, give --preset paper"
    )


def _get_backbone_settings(entry: MethodEntry) -> Mapping[str, Any]:
    """Return the backbone setting of a method without a backbone; for any other method, nothing."""
    return {} if entry.has_backbone else {"backbone": None}


def _make_config(
    method: str, dataset: Path | str | None, default: MethodConfig, settings: Mapping[str, Any]
) -> TrainConfig:
    given = settings.get("method_config", {})
    chosen = _with_changes(method, default, given) if isinstance(given, Mapping) else given
    values: dict[str, Any] = {**settings, "method_config": chosen}
    return TrainConfig(method=method, dataset=None if dataset is None else str(dataset), **values)


def _with_changes(method: str, config: MethodConfig, changes: Mapping[str, Any]) -> MethodConfig:
    check_setting_names(method, changes)
    return replace(config, **changes)
