"""AugSelf: SimCLR whose representations must also tell what was done between the two views.

Lee, Lee, Lee, Lee and Shin, "Improving Transferability of Representations via Augmentation-Aware
Self-Supervision" (NeurIPS 2021, arXiv:2111.09613), as SIE's comparison (arXiv:2302.10283) has it.

    loss = NTXent(x, y; 0.1) + 1 MSE(regressor([h1|h2]), z),    x = projector(h1), y = projector(h2)
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.actions import ROTATION, action_dim, action_of
from turntable.models.backbones import Backbone
from turntable.models.layers import gathered, mlp
from turntable.models.method import Batch, DataInfo, check_rows
from turntable.models.views.simclr import SimCLR, SimCLRConfig


@dataclass(frozen=True, slots=True)
class AugSelfConfig(SimCLRConfig):
    """SimCLR's, and the regressor of the action."""

    action: tuple[str, ...] = ROTATION
    """The labels of a step that the regressor is to tell."""
    regression_weight: float = 1.0
    regressor_width: int = 1024

    def demo(self) -> Self:
        """Narrower heads, and a regression that the contrast does not drown."""
        return replace(self, projector_widths=(512, 512, 512), regressor_width=512, regression_weight=10.0)


class AugSelf(SimCLR):
    """A projector for the contrast, and a regressor that reads both representations."""

    def __init__(self, config: AugSelfConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config, backbone, data)
        self.action, self.reads = config.action, ("view_1", "view_2", *config.action)
        self.regression_weight = config.regression_weight
        numbers, width = action_dim(config.action), config.regressor_width
        if numbers == 0:
            raise InvalidInputError(
                f"the regressor has no action to tell; give labels, such as {', '.join(ROTATION)}"
            )
        self.regressor = mlp(2 * backbone.dim, width, width, numbers)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and the labels of ``config.action``.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        h1, h2 = self.represent_pair(batch)
        contrast = self.contrast(h1, h2)
        told = gathered(self.regressor(torch.cat([h1, h2], dim=1)))
        regression = losses.invariance(told, gathered(action_of(batch, self.action)))
        return {
            "loss": contrast + self.regression_weight * regression,
            "contrast": contrast,
            "regression": regression,
        }
