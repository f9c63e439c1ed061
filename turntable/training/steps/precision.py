"""Mixed precision, and the step of the optimiser that it asks for: gradients unscaled, then clipped."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from turntable.choices import Amp
from turntable.errors import TurntableError

_TYPES: dict[Amp, torch.dtype] = {"off": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_LEAST_SCALE = 1e-6
"""A scaler that has fallen so far meets gradients that are not finite at any scale."""


class Precision:
    """How a run computes: in which type, with which scale of its gradients, clipped or not.

    float16 cannot hold small gradients: they are computed larger by a scale, which falls whenever they
    overflow (that step is left out) and grows again slowly.
    """

    def __init__(self, amp: Amp, device: torch.device, clip_norm: float | None) -> None:
        self._amp: Amp = amp
        self._device, self._clip_norm = device, clip_norm
        self._scaler = torch.amp.GradScaler(device.type, enabled=amp == "fp16")

    def autocast(self) -> torch.autocast:
        """For the time of a loss."""
        return torch.autocast(self._device.type, _TYPES[self._amp], enabled=self._amp != "off")

    def backward(self, loss: Tensor) -> None:
        """Add a loss's gradients."""
        self._scaler.scale(loss).backward()

    def step(self, optimizer: Optimizer) -> None:
        """Take a step along the gradients.

        Raises:
            TurntableError: They are not finite at any scale.
        """
        if self._clip_norm is not None:
            self._scaler.unscale_(optimizer)
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, self._clip_norm)
        self._scaler.step(optimizer)
        self._scaler.update()
        if self._scaler.is_enabled() and self._scaler.get_scale() < _LEAST_SCALE:
            raise TurntableError(
                "gradients overflow float16 at any scale; train with --amp bf16, or a lower learning rate"
            )

    def state_dict(self) -> dict[str, Any]:
        """The scale, and how long it has held."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be as another was."""
        if self._scaler.is_enabled():
            self._scaler.load_state_dict(state)
