"""The two recipes that a run begins from: the papers', and one for two CPU cores."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from turntable.errors import InvalidInputError
from turntable.models import MethodConfig, method_entry
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


def paper_config(method: str, dataset: Path | str, **changes: Any) -> TrainConfig:
    """The recipe of the method's paper; SIE's is ResNet-18, batches of 1024, 2000 epochs: GPUs and days.

    Args:
        method: A name from ``models.METHODS``.
        dataset: The data set's folder or URL.
        **changes: Other fields of ``TrainConfig``; ``method_config`` may be a mapping of those fields of the
            method's configuration that change.

    Raises:
        InvalidInputError: The method is unknown, or a value cannot be right.
    """
    entry = method_entry(method)
    return _config(method, dataset, entry.make_config(), {**entry.config.paper_training, **changes})


def demo_config(method: str, dataset: Path | str, **changes: Any) -> TrainConfig:
    """A recipe for two CPU cores and some hundred objects at 96 pixels: the small backbone, minutes.

    Args:
        method: A name from ``models.METHODS``.
        dataset: The data set's folder or URL.
        **changes: As of ``paper_config``.

    Raises:
        InvalidInputError: The method is unknown, or a value cannot be right.
    """
    entry = method_entry(method)
    settings = {**_DEMO, **entry.config.demo_training, **changes}
    return _config(method, dataset, entry.make_config().demo(), settings)


def _config(
    method: str, dataset: Path | str, default: MethodConfig, settings: Mapping[str, Any]
) -> TrainConfig:
    given = settings.get("method_config", {})
    chosen = _changed(method, default, given) if isinstance(given, Mapping) else given
    values: dict[str, Any] = {**settings, "method_config": chosen}
    return TrainConfig(method=method, dataset=str(dataset), **values)


def _changed(method: str, config: MethodConfig, changes: Mapping[str, Any]) -> MethodConfig:
    known = [item.name for item in fields(config)]
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise InvalidInputError(f"{method} has no {', '.join(unknown)}; it has {', '.join(known)}")
    return replace(config, **changes)
