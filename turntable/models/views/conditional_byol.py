"""Conditional BYOL: BYOL whose predictor is told what was done between the two views.

Of seq-JEPA's comparison (Ghaemi, Muller and Bakhtiari 2025, arXiv:2505.03176).

    loss = 2 - 2 cos(P([e(z)|g(h1)]), g'(h2'));   ': of the moving average, 0.996 -> 1
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from turntable.models import losses
from turntable.models.abilities import Embedding, Predicts
from turntable.models.actions import ROTATION, action_dim, action_of, inverse_action
from turntable.models.backbones import Backbone
from turntable.models.layers import action_embedding, gathered
from turntable.models.method import Batch, DataInfo, check_rows
from turntable.models.views.byol import BYOL, BYOLConfig, byol_predictor


@dataclass(frozen=True, slots=True)
class ConditionalBYOLConfig(BYOLConfig):
    """BYOL's, and the action."""

    action: tuple[str, ...] = ROTATION
    action_width: int = 128
    both_directions: bool = False
    """Whether the second view predicts the first one too, by the inverse action, as BYOL's two directions do;
    the code of seq-JEPA has one."""


class ConditionalBYOL(BYOL, Predicts):
    """BYOL with an embedding of the action beside the online projection."""

    config: ConditionalBYOLConfig

    def __init__(self, config: ConditionalBYOLConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config, backbone, data)
        self.action, self.reads = config.action, ("view_1", "view_2", *config.action)
        if config.both_directions:
            inverse_action(torch.ones(1, action_dim(config.action)), config.action)  # or an error, now
        self.action_embedding = action_embedding(action_dim(config.action), config.action_width)

    def make_predictor(self, width: int) -> nn.Module:
        """Over action and projection side by side."""
        return byol_predictor(width + self.config.action_width, self.config.predictor_width, width)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]; predictions go from the online projection to the target's."""
        seen = self.seen(images)
        representation = self.backbone(seen)
        return Embedding.of(representation, source=self.projector(representation), target=self.target(seen))

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """The target's projections [B, E] of the other views, by online ones [B, E] and actions [B, K]."""
        return self.predictor(torch.cat([self.action_embedding(action), source], dim=1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and the labels of ``config.action``.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        action = action_of(batch, self.action)
        loss = self._one_way(batch["view_1"], batch["view_2"], action)
        if self.config.both_directions:
            back = inverse_action(action, self.action)
            loss = loss + self._one_way(batch["view_2"], batch["view_1"], back)
        return {"loss": loss}

    def _one_way(self, images: Tensor, other: Tensor, action: Tensor) -> Tensor:
        predicted = self.predict(self.projector(self.represent(images)), action)
        return 2 * losses.cosine_distance(gathered(predicted), gathered(self.target(self.seen(other))))
