"""Checkpoints: everything that a killed run needs to go on as if it had not been killed.

They are written whole or not at all, and read with ``weights_only``: loading one runs nobody's code.
"""

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from turntable.datasets.storage import atomic_file
from turntable.errors import IntegrityError

_FORMAT = 1


@dataclass(slots=True)
class Position:
    """How far a run has come."""

    epoch: int = 0
    batch: int = 0
    """How many batches of the epoch are done."""
    step: int = 0
    """How many batches of all epochs are done."""


def save_checkpoint(
    path: Path,
    method: nn.Module,
    optimizer: torch.optim.Optimizer,
    position: Position,
    sums: dict[str, Tensor],
    fingerprint: str,
) -> None:
    """Write a checkpoint atomically.

    Args:
        path: Replaced in one step if it exists.
        method: Its parameters and buffers are saved.
        optimizer: Its state is saved.
        position: Where the run continues.
        sums: The sums of the loss's terms over the epoch so far.
        fingerprint: Of the data set.
    """
    state = {
        "format": _FORMAT,
        "model": method.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": position.epoch,
        "batch": position.batch,
        "step": position.step,
        "sums": sums,
        "rng_cpu": torch.get_rng_state(),
        "rng_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "fingerprint": fingerprint,
    }
    with atomic_file(path) as file:
        torch.save(state, file)


def load_checkpoint(
    path: Path, method: nn.Module, optimizer: torch.optim.Optimizer, fingerprint: str
) -> tuple[Position, dict[str, Tensor]]:
    """Put a method, its optimiser and torch's generators back to where a checkpoint was written.

    Returns:
        Where the run continues, and the sums of the loss's terms over the epoch so far.

    Raises:
        IntegrityError: The file is damaged, of other data, or does not fit the method.
    """
    state = _read(path)
    try:
        if state["format"] != _FORMAT:
            raise IntegrityError(
                f"{path} has format {state['format']}; this version reads {_FORMAT}: train again"
            )
        if state["fingerprint"] != fingerprint:
            raise IntegrityError(f"{path} was trained on other data; give the same data set, or train again")
        load_weights(method, state["model"], path)
        optimizer.load_state_dict(state["optimizer"])
        _restore_generators(state)
        return Position(state["epoch"], state["batch"], state["step"]), state["sums"]
    except KeyError as error:
        raise IntegrityError(
            f"{path} has no {error}: it is no checkpoint; remove it to start again"
        ) from error


def save_weights(path: Path, method: nn.Module) -> None:
    """Write a method's parameters and buffers atomically, on the CPU."""
    with atomic_file(path) as file:
        torch.save({name: tensor.cpu() for name, tensor in method.state_dict().items()}, file)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read what ``save_weights`` wrote.

    Raises:
        IntegrityError: The file is damaged.
    """
    return _read(path)


def load_weights(method: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
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


def _read(path: Path) -> dict[str, Any]:
    data = io.BytesIO(path.read_bytes())  # so that an OSError below is about the content
    try:
        state = torch.load(data, map_location="cpu", weights_only=True)
    except (RuntimeError, OSError, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise IntegrityError(f"{path} is damaged and cannot be read; remove it and train again") from error
    if not isinstance(state, dict):
        raise IntegrityError(f"{path} holds no named weights; remove it and train again")
    return state


def _restore_generators(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["rng_cpu"])
    if torch.cuda.is_available() and len(state["rng_cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["rng_cuda"])
