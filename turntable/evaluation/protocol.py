"""A protocol: the tasks that a method is asked, and what they share."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

import numpy as np

from turntable.errors import InvalidInputError
from turntable.evaluation.numbers import ProbeConfig, Resampling
from turntable.evaluation.tasks import TASKS, HeadTask, PairLists, Task


@dataclass(frozen=True, slots=True)
class Protocol:
    """A tuple of tasks, and the few settings that are not a task's."""

    name: str
    tasks: tuple[Task, ...]
    """In the order in which scores are written."""
    pairs: PairLists = field(default_factory=PairLists)
    """Which pairs of views tasks are fitted and scored on."""
    batch_norm: Literal["eval", "train"] = "eval"
    """The backbone's mode while heads are trained; see ``drifting`` for "train"."""
    resampling: Resampling = field(default_factory=Resampling)
    """How intervals are drawn."""

    def __post_init__(self) -> None:
        twice = [name for name, count in Counter(task.name for task in self.tasks).items() if count > 1]
        if twice:
            raise InvalidInputError(
                f"protocol {self.name} has more than one task of the name {twice[0]!r}; each needs its own"
            )
        if self.batch_norm == "train":
            self._check_drifting()

    def _check_drifting(self) -> None:
        over_features = [task for task in self.tasks if not task.asks]
        heads = [task for task in over_features if isinstance(task, HeadTask)]
        if any(task.probe.standardize for task in heads):
            raise InvalidInputError(
                'batch_norm "train": features that drift have no scale to standardize by; use probes without'
                " standardize"
            )
        others = [task.name for task in over_features if task not in heads]
        if others:
            raise InvalidInputError(
                f'batch_norm "train": {", ".join(others)} cannot learn batch by batch from features that'
                " drift; leave it out, or give it what HeadTask asks for"
            )

    def with_heads(self, **changes: Any) -> "Protocol":
        """The same with some settings of all heads changed, such as ``epochs=3``.

        Args:
            changes: Fields of ``ProbeConfig``.
        """
        return replace(self, tasks=tuple(_with_probe(task, changes) for task in self.tasks))

    def to_plain(self) -> dict[str, Any]:
        """The protocol as plain values, for JSON.

        The tables of tasks that are not among ``TASKS`` are told too, so that whoever reads the scores can
        show them.
        """
        return {
            "name": self.name,
            "tasks": [_plain_task(task) for task in self.tasks],
            "pairs": asdict(self.pairs),
            "batch_norm": self.batch_norm,
            "resampling": asdict(self.resampling),
        }


def _with_probe(task: Task, changes: Mapping[str, Any]) -> Task:
    probe = getattr(task, "probe", None)
    if not is_dataclass(task) or not isinstance(probe, ProbeConfig):
        return task
    return replace(task, probe=replace(probe, **changes))  # pyright: ignore[reportArgumentType, reportUnknownVariableType, reportCallIssue]


def _plain_task(task: Task) -> dict[str, Any]:
    plain = {"name": task.name, "kind": type(task).__name__, **_plain_fields(task)}
    if type(task) in {type(known) for known in TASKS}:
        return plain
    return {**plain, "tables": [_plain(asdict(table)) for table in task.tables], "main": list(task.main)}


def _plain_fields(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name; other objects have none."""
    if not is_dataclass(value):
        return {}
    return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}


def _plain(value: Any) -> Any:
    """A value in JSON's types: a function by its name, an array by a digest, None for what has none."""
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return _plain_fields(value)
    return getattr(value, "__qualname__", None)
