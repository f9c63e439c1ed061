"""Checkpoints, from which an interrupted run continues as if it had not been interrupted, and final weights.

Files are written atomically, and reading them never executes code. The previous checkpoint is kept as well,
in case the last one is damaged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor, nn

from turntable.datasets.files import flush_to_disk, open_atomic_file
from turntable.datasets.stores import convert_os_errors
from turntable.errors import IntegrityError, format_text
from turntable.models import rename_method
from turntable.models.weights import read_weight_file

_FORMAT = 2
_NUM_SHOWN_MISFITS = 5


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The last and the previous checkpoint of a run."""

    folder: Path
    method: str
    """Short name of the method."""
    fingerprint: str
    """Fingerprint of the data set."""

    @property
    def last_path(self) -> Path:
        """Path of the last checkpoint, from which the run continues."""
        return self.folder / "checkpoint.pt"

    @property
    def previous_path(self) -> Path:
        """Path of the previous checkpoint, from which the run continues if the last one is damaged."""
        return self.folder / "checkpoint-previous.pt"

    @property
    def exist(self) -> bool:
        """True if there is a checkpoint."""
        return self.last_path.exists() or self.previous_path.exists()

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a checkpoint; the last one becomes the previous one.

        Args:
            state: Tensors and plain values, by name.

        Raises:
            StoreError: The disk is full, or the file cannot be written; the existing checkpoints stay.
        """
        own = {"format": _FORMAT, "method": self.method, "fingerprint": self.fingerprint}
        with convert_os_errors(self.last_path), open_atomic_file(self.last_path) as file:
            _save_tensors({**state, **own}, file)
            flush_to_disk(file)
            if self.last_path.exists():
                self.last_path.replace(self.previous_path)

    def load(self, warn: Callable[[str], None]) -> dict[str, Any] | None:
        """Load the last checkpoint, or the previous one if the last is damaged.

        Args:
            warn: Function that is called with a message if the last one is damaged and the previous one is
                used.

        Returns:
            The saved state; None if nothing has been saved.

        Raises:
            IntegrityError: All checkpoints are damaged, or one is of another method or other data.
        """
        damage: list[str] = []
        for path in (self.last_path, self.previous_path):
            if not path.exists():
                continue
            try:
                state = self._read(path)
            except _DamagedError as error:
                damage.append(str(error))
                continue
            self._check_state(state, path)
            if damage:
                warn(f"{'; '.join(damage)}; continuing from {path.name}, step {state.get('step')}")
            return state
        if damage:
            raise IntegrityError(
                f"{'; '.join(damage)}; there is no other checkpoint: remove {self.folder} and train again"
            )
        return None

    def drop_previous(self) -> None:
        """Delete the previous checkpoint, which a finished run does not need."""
        self.previous_path.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any]:
        state = _read_file(path)
        if "format" not in state:
            raise _DamagedError(f"{path} is no checkpoint")
        return state

    def _check_state(self, state: Mapping[str, Any], path: Path) -> None:
        if state["format"] != _FORMAT:
            raise IntegrityError(
                f"{path} has format {format_text(str(state['format']), 20)}; this version reads {_FORMAT}:"
                " train again"
            )
        method = rename_method(str(state.get("method")))
        if method != self.method:
            raise IntegrityError(
                f"{path} is a checkpoint of {format_text(method, 40)}, but this run trains {self.method};"
                " give the folder of the run, or train into another"
            )
        if state.get("fingerprint") != self.fingerprint:
            raise IntegrityError(f"{path} was trained on other data; give the same data set, or train again")


def save_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write parameters and buffers by name, atomically, as tensors on the CPU.

    Raises:
        StoreError: The disk is full, or the file cannot be written.
    """
    with convert_os_errors(path), open_atomic_file(path) as file:
        _save_tensors({name: tensor.cpu() for name, tensor in weights.items()}, file)


class _RecordingFile:
    """A file for ``torch.save`` that remembers the error of a write.

    torch reports every failed write as a RuntimeError of its own, without the cause.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write bytes, and keep the error if that fails."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Do nothing: the owner of the file flushes it."""


def _save_tensors(values: Mapping[str, Any], file: BinaryIO) -> None:
    """Write tensors and plain values; raise the file's OSError if a write fails."""
    recording = _RecordingFile(file)
    try:
        torch.save(dict(values), cast("BinaryIO", recording))
    except Exception:
        if recording.error is not None:
            raise recording.error from None
        raise


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the file that ``save_weights`` wrote.

    Raises:
        IntegrityError: The file is damaged.
    """
    try:
        return _read_file(path)
    except _DamagedError as error:
        raise IntegrityError(f"{error}; remove it and train again") from error


def load_weights(method: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Load weights into a method; if one does not fit, the method stays as it was.

    Args:
        method: Method to change in place.
        weights: Weights by the names of the method's ``state_dict``.
        path: Path of the weights, for the error message.

    Raises:
        IntegrityError: A weight is missing, superfluous, of another shape or type, or not finite.
    """
    check_weights_fit(method, weights, path)
    method.load_state_dict(weights)


def check_weights_fit(
    method: nn.Module,
    weights: Mapping[str, Tensor],
    path: Path,
    advice: str = "use the config.json of this run",
) -> None:
    """Check that weights fit a method, which may be on the device "meta" and then needs no memory.

    Args:
        method: Method with the expected names, shapes and types.
        weights: Weights by name.
        path: Path of the weights, for the error message.
        advice: Advice for the error message if they do not fit.

    Raises:
        IntegrityError: A weight is missing, superfluous, of another shape or type, or not finite.
    """
    if misfits := find_misfits(method, weights):
        raise IntegrityError(
            f"{path} does not fit {type(method).__name__}: {format_misfits(misfits)}; {advice}"
        )


def find_misfits(method: nn.Module, weights: Mapping[str, Tensor]) -> list[str]:
    """Return a message for each weight that does not fit a method, which may be on the device "meta"."""
    own = method.state_dict()
    faults = [f"{name} is missing" for name in own if name not in weights]
    faults += [f"{format_text(str(name))} is superfluous" for name in weights if name not in own]
    return faults + [
        fault
        for name in own
        if name in weights and (fault := _find_misfit(name, own[name], weights[name])) is not None
    ]


def format_misfits(misfits: Sequence[str]) -> str:
    """Return the first messages of ``find_misfits`` in one line, and the number of the others."""
    others = f" and {len(misfits) - _NUM_SHOWN_MISFITS} more" if len(misfits) > _NUM_SHOWN_MISFITS else ""
    return f"{'; '.join(misfits[:_NUM_SHOWN_MISFITS])}{others}"


def _find_misfit(name: str, own: Tensor, given: object) -> str | None:
    """Return a message if a weight does not fit; None if it does."""
    if not isinstance(given, Tensor):
        return f"{name} is not a tensor"
    if given.shape != own.shape:
        return f"{name} is {list(given.shape)}, not {list(own.shape)}"
    if given.is_floating_point() != own.is_floating_point() or given.is_complex():
        return f"{name} has type {given.dtype}, not {own.dtype}"
    if not bool(torch.isfinite(given).all()):
        return f"{name} is not finite"
    return None


class _DamagedError(IntegrityError):
    """A file is damaged."""


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return read_weight_file(path)
    except IntegrityError as error:
        raise _DamagedError(str(error)) from error
