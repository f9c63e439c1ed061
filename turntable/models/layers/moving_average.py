"""Target networks whose weights are a moving average of an online network's and receive no gradient."""

import copy
import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from turntable.choices import check_choice
from turntable.models.method import TrainState

BufferUpdate = Literal["average", "copy", "keep"]
"""Updates of the buffers of a target network; see ``MovingAverage``."""
UpdateInterval = Literal["step", "epoch"]
"""Intervals at which a decay changes; see ``compute_cosine_decay``."""


class MovingAverage(nn.Module):
    """A copy of a module whose parameters are an exponential moving average of the module's.

    By default, floating-point buffers (running statistics of batch norm) are averaged as well, since they
    describe the outputs of the averaged parameters. Integer buffers, which count batches, are copied.
    """

    def __init__(self, online: nn.Module, buffers: BufferUpdate = "average") -> None:
        """Copy a module.

        Args:
            online: The module to average.
            buffers: "average" updates buffers with the decay of the parameters; "copy" copies the online
                ones; "keep" leaves them to the target's own forward passes, as the code of seq-JEPA does.

        Raises:
            InvalidInputError: ``buffers`` is none of these.
        """
        super().__init__()
        check_choice("target_buffers", buffers, get_args(BufferUpdate))
        self.module = copy.deepcopy(online).requires_grad_(requires_grad=False)
        self._buffer_update: BufferUpdate = buffers

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Compute the output of the averaged module for x, without gradients."""
        return self.module(x)

    @torch.no_grad()
    def update(self, online: nn.Module, decay: float) -> None:
        """Set the average to ``decay`` times itself plus ``1 - decay`` times the online module.

        Args:
            online: The module that was copied.
            decay: Weight of the average itself, from 0 to 1.
        """
        for average, current in zip(self.module.parameters(), online.parameters(), strict=True):
            average.lerp_(current, 1 - decay)
        if self._buffer_update == "keep":
            return
        weight = 1.0 if self._buffer_update == "copy" else 1 - decay
        for average, current in zip(self.module.buffers(), online.buffers(), strict=True):
            if average.is_floating_point():
                average.lerp_(current, weight)
            else:
                average.copy_(current)


def compute_cosine_decay(first: float, state: TrainState, interval: UpdateInterval = "step") -> float:
    """Compute a decay that rises from ``first`` to 1 along half a cosine (Grill et al. 2020, section 3.2).

    Args:
        first: Decay at the first step.
        state: State of the training.
        interval: "step" changes the decay at every step; "epoch" keeps it for an epoch, as the code of
            seq-JEPA does.
    """
    progress = state.step / state.num_steps if interval == "step" else state.epoch / state.num_epochs
    return 1 - (1 - first) * (1 + math.cos(math.pi * progress)) / 2
