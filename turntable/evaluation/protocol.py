"""The evaluation protocol: the tasks that score a method, and the settings that they share."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

import numpy as np

from turntable.errors import InvalidInputError
from turntable.evaluation.measurement import BootstrapConfig, ProbeConfig
from turntable.evaluation.tasks import TASKS, HeadTask, PairConfig, Task


@dataclass(frozen=True, slots=True)
class Protocol:
    """An evaluation protocol: its tasks, and the settings that are common to all of them."""

    name: str
    tasks: tuple[Task, ...]
    """Tasks, in the order in which their scores are written."""
    pairs: PairConfig = field(default_factory=PairConfig)
    """Settings of the pairs of views that tasks are fitted and scored on."""
    batch_norm: Literal["eval", "train"] = "eval"
    """Mode of the backbone while heads are trained; ``train_mode_heads`` explains "train"."""
    resampling: BootstrapConfig = field(default_factory=BootstrapConfig)
    """Settings of the bootstrap intervals."""

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(task.name for task in self.tasks).items() if count > 1]
        if twice:
            raise InvalidInputError(
                f"protocol {self.name} has more than one task named {twice[0]!r}; give each task its own name"
            )
        if self.batch_norm == "train":
            self._check_train_mode()

    def _check_train_mode(self) -> None:
        over_features = [task for task in self.tasks if not task.required_abilities]
        heads = [task for task in over_features if isinstance(task, HeadTask)]
        if any(task.probe.standardize for task in heads):
            raise InvalidInputError(
                'batch_norm "train": the features change during training, so there is no fixed scale to'
                " standardize them by; use probes with standardize=False"
            )
        others = [task.name for task in over_features if task not in heads]
        if others:
            raise InvalidInputError(
                f'batch_norm "train": {", ".join(others)} cannot be trained batch by batch on features that'
                " change; leave it out, or let it implement HeadTask"
            )

    def with_probe_settings(self, **changes: Any) -> "Protocol":
        """Return a copy with some settings of all heads changed, such as ``epochs=3``.

        Args:
            changes: Fields of ``ProbeConfig`` and their new values.
        """
        return replace(self, tasks=tuple(_replace_probe_settings(task, changes) for task in self.tasks))

    def to_plain(self) -> dict[str, Any]:
        """Return the protocol as plain values for JSON.

        The tables of tasks outside ``TASKS`` are included, so that a reader that does not have such a task
        can still show its scores.
        """
        return {
            "name": self.name,
            "tasks": [_task_to_plain(task) for task in self.tasks],
            "pairs": asdict(self.pairs),
            "batch_norm": self.batch_norm,
            "resampling": asdict(self.resampling),
        }


def _replace_probe_settings(task: Task, changes: Mapping[str, Any]) -> Task:
    probe = getattr(task, "probe", None)
    if not is_dataclass(task) or not isinstance(probe, ProbeConfig):
        return task
    return replace(task, probe=replace(probe, **changes))  # pyright: ignore[reportArgumentType, reportUnknownVariableType, reportCallIssue]


def _task_to_plain(task: Task) -> dict[str, Any]:
    plain = {"name": task.name, "kind": type(task).__name__, **_fields_to_plain(task)}
    if type(task) in {type(known) for known in TASKS}:
        return plain
    return {
        **plain,
        "tables": [_value_to_plain(asdict(table)) for table in task.tables],
        "main": list(task.main_metrics),
    }


def _fields_to_plain(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name, and nothing of any other object."""
    if not is_dataclass(value):
        return {}
    return {item.name: _value_to_plain(getattr(value, item.name)) for item in fields(value)}


def _value_to_plain(value: Any) -> Any:
    """Return a value in JSON's types: functions by name, arrays by digest, None for anything else."""
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
    if isinstance(value, Mapping):
        return {str(name): _value_to_plain(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [_value_to_plain(item) for item in value]
    if is_dataclass(value):
        return _fields_to_plain(value)
    return getattr(value, "__qualname__", None)
