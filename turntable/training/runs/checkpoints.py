"""Checkpoints: everything that a killed run needs to go on as if it had not been killed.

They are written whole or not at all, and read with ``weights_only``: loading one runs nobody's code. The one
before the last is kept, for the day when a disk damages the last.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from turntable.datasets.files import atomic_file, flush_to_disk
from turntable.errors import IntegrityError, shown
from turntable.models.weights import read_weight_file

_FORMAT = 2


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The last checkpoint of a run, and the one before it."""

    folder: Path
    method: str
    """What is trained, by its name."""
    fingerprint: str
    """Of the data set."""

    @property
    def last(self) -> Path:
        """From which the run continues."""
        return self.folder / "checkpoint.pt"

    @property
    def previous(self) -> Path:
        """From which it continues if the last one is damaged."""
        return self.folder / "checkpoint-previous.pt"

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a checkpoint; the one before it is kept.

        Args:
            state: Tensors and plain values by name.
        """
        own = {"format": _FORMAT, "method": self.method, "fingerprint": self.fingerprint}
        with atomic_file(self.last) as file:
            torch.save({**state, **own}, file)
            flush_to_disk(file)
            if self.last.exists():
                self.last.replace(self.previous)

    def load(self, warn: Callable[[str], None]) -> dict[str, Any] | None:
        """What was saved last and can be read; None where nothing was saved.

        Args:
            warn: Told where the last one is damaged and the previous one is taken.

        Raises:
            IntegrityError: All there are are damaged, or one is of another method or of other data.
        """
        damage: list[str] = []
        for path in (self.last, self.previous):
            if not path.exists():
                continue
            try:
                state = self._read(path)
            except _DamagedError as error:
                damage.append(str(error))
                continue
            self._check(state, path)
            if damage:
                warn(f"{'; '.join(damage)}; going on from {path.name}, step {state.get('step')}")
            return state
        if damage:
            raise IntegrityError(
                f"{'; '.join(damage)}; there is no other checkpoint: remove {self.folder} and train again"
            )
        return None

    def drop_previous(self) -> None:
        """Once a run is finished, the last one is enough."""
        self.previous.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any]:
        state = _read(path)
        if "format" not in state:
            raise _DamagedError(f"{path} is no checkpoint")
        return state

    def _check(self, state: Mapping[str, Any], path: Path) -> None:
        if state["format"] != _FORMAT:
            raise IntegrityError(
                f"{path} has format {shown(str(state['format']), 20)}; this version reads {_FORMAT}: train"
                " again"
            )
        if state.get("method") != self.method:
            raise IntegrityError(
                f"{path} is a checkpoint of {shown(str(state.get('method')), 40)}, this run trains"
                f" {self.method}; give the run's own folder, or train into another"
            )
        if state.get("fingerprint") != self.fingerprint:
            raise IntegrityError(f"{path} was trained on other data; give the same data set, or train again")


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write parameters and buffers by their names, atomically, on the CPU."""
    with atomic_file(path) as file:
        torch.save({name: tensor.cpu() for name, tensor in weights.items()}, file)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read what ``save_weights`` wrote.

    Raises:
        IntegrityError: The file is damaged.
    """
    try:
        return _read(path)
    except _DamagedError as error:
        raise IntegrityError(f"{error}; remove it and train again") from error


def load_weights(method: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Fill a method with weights, all of them or none.

    Args:
        method: Changed in place.
        weights: By the names of the method's ``state_dict``.
        path: Where they come from, for the message.

    Raises:
        IntegrityError: A weight is missing, superfluous, of another shape or kind, or not finite.
    """
    check_fit(method, weights, path)
    method.load_state_dict(weights)


def check_fit(method: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Make sure that weights are those of a method, which needs no memory: it may be on the device "meta".

    Raises:
        IntegrityError: A weight is missing, superfluous, of another shape or kind, or not finite.
    """
    own = method.state_dict()
    faults = [f"{name} is missing" for name in own if name not in weights]
    faults += [f"{shown(str(name))} belongs to no part" for name in weights if name not in own]
    faults += [
        fault
        for name in own
        if name in weights and (fault := _misfit(name, own[name], weights[name])) is not None
    ]
    if faults:
        raise IntegrityError(
            f"{path} does not fit {type(method).__name__}: {'; '.join(faults[:5])}"
            f"{f' and {len(faults) - 5} more' if len(faults) > 5 else ''}. Use the run's own config.json"
        )


def _misfit(name: str, own: Tensor, given: object) -> str | None:
    """Say what is wrong with a weight."""
    if not isinstance(given, Tensor):
        return f"{name} is no tensor"
    if given.shape != own.shape:
        return f"{name} is {list(given.shape)}, not {list(own.shape)}"
    if given.is_floating_point() != own.is_floating_point() or given.is_complex():
        return f"{name} is of {given.dtype}, not {own.dtype}"
    if not bool(torch.isfinite(given).all()):
        return f"{name} is not finite"
    return None


class _DamagedError(IntegrityError):
    """A file cannot be read as what it should be."""


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_weight_file(path)
    except IntegrityError as error:
        raise _DamagedError(str(error)) from error
