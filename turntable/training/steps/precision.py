"""Mixed precision: autocast, scaling of the loss, and clipping of unscaled gradients."""

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from turntable.choices import Amp
from turntable.errors import TurntableError

_DTYPES: dict[Amp, torch.dtype] = {"off": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_MIN_SCALE = 1e-6
"""Scale below which the gradients are taken to be infinite or NaN at every scale."""


class MixedPrecision:
    """The precision in which a run computes, with scaling and clipping of gradients.

    float16 cannot represent small gradients, so the loss is multiplied by a scale. When gradients overflow,
    the step is skipped and the scale is reduced; after some steps without overflow it grows again.

    Args:
        amp: Name of the precision.
        device: Device of the training.
        clip_norm: Largest norm of the gradients; None for no clipping.
    """

    def __init__(self, amp: Amp, device: torch.device, clip_norm: float | None) -> None:
        self._amp: Amp = amp
        self._device, self._clip_norm = device, clip_norm
        self._scaler = torch.amp.GradScaler(device.type, enabled=amp == "fp16")

    def autocast(self) -> torch.autocast:
        """Return the autocast context in which the loss is computed."""
        return torch.autocast(self._device.type, _DTYPES[self._amp], enabled=self._amp != "off")

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss, scaled, to those of the parameters."""
        self._scaler.scale(loss).backward()

    def step(self, optimizer: Optimizer) -> None:
        """Take a step of the optimizer with unscaled, clipped gradients.

        Raises:
            TurntableError: The gradients are not finite at any scale.
        """
        if self._clip_norm is not None:
            self._scaler.unscale_(optimizer)
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, self._clip_norm)
        self._scaler.step(optimizer)
        self._scaler.update()
        if self._scaler.is_enabled() and self._scaler.get_scale() < _MIN_SCALE:
            raise TurntableError(
                "gradients overflow float16 at any scale; train with --amp bf16 (amp='bf16'), or a"
                " lower --learning-rate (learning_rate)"
            )

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and the number of steps since it changed."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load the scale from the state of another run with the same precision."""
        if self._scaler.is_enabled():
            self._scaler.load_state_dict(state)
