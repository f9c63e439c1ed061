"""Moving averages: a target network that follows an online one slowly, and that no gradient reaches."""

import copy
import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from turntable.choices import check_choice
from turntable.models.method import Moment

Buffers = Literal["average", "copy", "keep"]
Every = Literal["step", "epoch"]


class MovingAverage(nn.Module):
    """A copy of a module whose parameters are an exponential moving average of the module's.

    Buffers that are numbers (batch norm's running statistics) are averaged as well, since they describe the
    outputs of the averaged parameters' neighbours; what is counted in whole numbers is copied.
    """

    def __init__(self, online: nn.Module, buffers: Buffers = "average") -> None:
        """Copy a module.

        Args:
            online: What is followed.
            buffers: "average" with the parameters' decay; "copy" takes the online ones; "keep" leaves them to
                the target's own forward passes, as the code of seq-JEPA does.

        Raises:
            InvalidInputError: There is no such way with buffers.
        """
        super().__init__()
        check_choice("target_buffers", buffers, get_args(Buffers))
        self.module = copy.deepcopy(online).requires_grad_(requires_grad=False)
        self._buffers_by: Buffers = buffers

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """What the average makes of x; no gradient passes."""
        return self.module(x)

    @torch.no_grad()
    def follow(self, online: nn.Module, decay: float) -> None:
        """Move towards the online module.

        Args:
            online: The one that was copied.
            decay: The share of itself that the average keeps, from 0 to 1.
        """
        for mine, theirs in zip(self.module.parameters(), online.parameters(), strict=True):
            mine.lerp_(theirs, 1 - decay)
        if self._buffers_by == "keep":
            return
        share = 1.0 if self._buffers_by == "copy" else 1 - decay
        for mine, theirs in zip(self.module.buffers(), online.buffers(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, share)
            else:
                mine.copy_(theirs)


def cosine_decay(first: float, moment: Moment, every: Every = "step") -> float:
    """The decay of a moment: from ``first`` to 1 by half a cosine (Grill et al. 2020, section 3.2).

    Args:
        first: At the first step.
        moment: Of the training.
        every: "step" changes it at each; "epoch" holds it over an epoch, as the code of seq-JEPA does.
    """
    progress = moment.step / moment.steps if every == "step" else moment.epoch / moment.epochs
    return 1 - (1 - first) * (1 + math.cos(math.pi * progress)) / 2
