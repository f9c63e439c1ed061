"""Where numbers go beside the JSON lines: tensorboard, and Weights & Biases for those who ask."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from turntable.errors import MissingExtraError


class Sink(Protocol):
    """Takes numbers by name."""

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Take the values of a step."""
        ...

    def close(self) -> None:
        """No more will come."""
        ...


class Tensorboard:
    """Event files.

    Args:
        folder: Gets them.
        done_steps: Those of an earlier process that come after are forgotten.

    Raises:
        MissingExtraError: tensorboard is not installed.
    """

    def __init__(self, folder: Path, done_steps: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("tensorboard", "train") from error
        self._writer: Any = SummaryWriter(str(folder), purge_step=done_steps + 1)

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Write the values of a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write out what is left."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases: on this disk, to be sent with ``wandb sync``, unless WANDB_MODE is "online".

    Args:
        folder: Of the run; the files go to wandb/ in it. A continued run has the same id.
        settings: Of the run.

    Raises:
        MissingExtraError: wandb is not installed.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        try:
            import wandb  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise MissingExtraError("wandb", "wandb") from error
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
