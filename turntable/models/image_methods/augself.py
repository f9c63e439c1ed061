"""AugSelf: SimCLR, and regression of the action between two views from their representations.

Lee, Lee, Lee, Lee and Shin, "Improving Transferability of Representations via Augmentation-Aware
Self-Supervision" (NeurIPS 2021, arXiv:2111.09613), as in SIE's comparison (arXiv:2302.10283).

    loss = NTXent(x, y; 0.1) + 1 MSE(regressor([h1|h2]), z),    x = projector(h1), y = projector(h2)
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.actions import ROTATION, action_from_batch, get_action_dim
from turntable.models.backbones import Backbone
from turntable.models.image_methods.simclr import SimCLR, SimCLRConfig
from turntable.models.layers import build_mlp, gather_all_ranks
from turntable.models.method import Batch, DataInfo, check_num_rows


@dataclass(frozen=True, slots=True)
class AugSelfConfig(SimCLRConfig):
    """Settings of SimCLR and of the regressor of the action."""

    action: tuple[str, ...] = ROTATION
    """Relative labels that the regressor predicts."""
    regression_weight: float = 1.0
    regressor_width: int = 1024

    def demo(self) -> Self:
        """Return settings with narrower heads and a larger weight of the regression."""
        return replace(self, projector_widths=(512, 512, 512), regressor_width=512, regression_weight=10.0)


class AugSelf(SimCLR):
    """SimCLR with a regressor of the action that takes both representations."""

    def __init__(self, config: AugSelfConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config, backbone, data)
        self.action, self.reads = config.action, ("view_1", "view_2", *config.action)
        self.regression_weight = config.regression_weight
        action_dim, width = get_action_dim(config.action), config.regressor_width
        if action_dim == 0:
            raise InvalidInputError(
                f"the regressor has no action to predict; give labels, such as {', '.join(ROTATION)}"
            )
        self.regressor = build_mlp(2 * backbone.dim, width, width, action_dim)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the labels of ``config.action``.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        h1, h2 = self.represent_pair(batch)
        contrast = self.contrastive_loss(h1, h2)
        predicted = gather_all_ranks(self.regressor(torch.cat([h1, h2], dim=1)))
        regression = losses.invariance_loss(
            predicted, gather_all_ranks(action_from_batch(batch, self.action))
        )
        return {
            "loss": contrast + self.regression_weight * regression,
            "contrast": contrast,
            "regression": regression,
        }
