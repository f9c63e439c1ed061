"""Checkpoints: everything that a killed run needs to go on as if it had not been killed.

They are written whole or not at all, and read with ``weights_only``: loading one runs nobody's code. The one
before the last is kept, for the day when a disk damages the last.
"""

import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from turntable.datasets.storage import atomic_file, flush_to_disk
from turntable.errors import IntegrityError

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
                warn(f"{'; '.join(damage)}; going on from {path.name}, step {state['step']}")
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
                f"{path} has format {state['format']}; this version reads {_FORMAT}: train again"
            )
        if state["method"] != self.method:
            raise IntegrityError(
                f"{path} is a checkpoint of {state['method']}, this run trains {self.method}; give the run's"
                " own folder, or train into another"
            )
        if state["fingerprint"] != self.fingerprint:
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
        IntegrityError: A weight is missing, superfluous or of another shape.
    """
    own = method.state_dict()
    faults = [f"{name} is missing" for name in own if name not in weights]
    faults += [f"{name} belongs to no part" for name in weights if name not in own]
    faults += [
        f"{name} is {list(weights[name].shape)}, not {list(own[name].shape)}"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    if faults:
        raise IntegrityError(
            f"{path} does not fit {type(method).__name__}: {'; '.join(faults[:5])}"
            f"{f' and {len(faults) - 5} more' if len(faults) > 5 else ''}. Use the run's own config.json"
        )
    method.load_state_dict(weights)


class _DamagedError(IntegrityError):
    """A file cannot be read as what it should be."""


def _read(path: Path) -> dict[str, Any]:
    data = io.BytesIO(path.read_bytes())  # so that an OSError below is about the content
    try:
        # torch does not compare the checksums of what it reads.
        if (member := zipfile.ZipFile(data).testzip()) is not None:
            raise _DamagedError(f"{path} is damaged at {member}")
        data.seek(0)
        state = torch.load(data, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, pickle.UnpicklingError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise _DamagedError(f"{path} is damaged and cannot be read") from error
    if not isinstance(state, dict):
        raise _DamagedError(f"{path} holds nothing by name")
    return state
