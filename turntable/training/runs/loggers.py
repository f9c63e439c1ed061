"""Loggers that receive the numbers of a run: tensorboard, and Weights & Biases on request."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from turntable.extras import explain_import_errors


class RunLogger(Protocol):
    """A destination of a run's numbers."""

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Log the values of a step, by name."""
        ...

    def close(self) -> None:
        """Write everything out, and close the logger."""
        ...


class TensorboardLogger:
    """A logger that writes event files of tensorboard.

    Args:
        folder: Path of the folder of the event files.
        num_done_steps: Number of steps done so far; tensorboard discards earlier events of later steps.

    Raises:
        MissingExtraError: tensorboard is not installed.
    """

    def __init__(self, folder: Path, num_done_steps: int) -> None:
        with explain_import_errors("tensorboard"):
            from torch.utils.tensorboard import SummaryWriter
        self._writer: Any = SummaryWriter(str(folder), purge_step=num_done_steps + 1)

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Write the values of a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write the remaining values, and close the file."""
        self._writer.close()


class WandbLogger:
    """A logger to Weights & Biases.

    It writes to the local disk, from which ``wandb sync`` uploads, unless WANDB_MODE is "online".

    Args:
        folder: Path of the run's folder; the files are written to wandb/ in it. The id of the run at Weights
            & Biases is derived from this path, so that a continued run keeps it.
        settings: Settings of the run, by name.

    Raises:
        MissingExtraError: wandb is not installed.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        with explain_import_errors("wandb"):
            import wandb  # pyright: ignore[reportMissingImports]
        self._run: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "turntable"),
            name=folder.name,
            id=hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16],
            dir=str(folder),
            config=dict(settings),
            mode=os.environ.get("WANDB_MODE", "offline"),
            resume="allow",
        )

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Log the values of a step."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()
