"""Conditional BYOL: BYOL with a predictor that takes the action between the two views.

From seq-JEPA's comparison (Ghaemi, Muller and Bakhtiari 2025, arXiv:2505.03176).

    loss = 2 - 2 cos(P([e(z)|g(h1)]), g'(h2'))

g is the projector, e(z) the embedding of the action, P the predictor. A prime marks the moving average, whose
decay rises from 0.996 to 1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from turntable.models import losses
from turntable.models.abilities import Embedding, Predicts
from turntable.models.actions import ROTATION, action_from_batch, get_action_dim, invert_action
from turntable.models.backbones import Backbone
from turntable.models.image_methods.byol import BYOL, BYOLConfig, build_byol_predictor
from turntable.models.layers import build_action_embedding, gather_all_ranks
from turntable.models.method import Batch, DataInfo, check_num_rows


@dataclass(frozen=True, slots=True)
class ConditionalBYOLConfig(BYOLConfig):
    """Settings of BYOL and of the action."""

    action: tuple[str, ...] = ROTATION
    action_width: int = 128
    both_directions: bool = False
    """True if the first view is predicted from the second as well, with the inverse action, like BYOL's two
    directions; the code of seq-JEPA has one direction."""


class ConditionalBYOL(BYOL, Predicts):
    """BYOL with an embedding of the action beside the online projection."""

    config: ConditionalBYOLConfig

    def __init__(self, config: ConditionalBYOLConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config, backbone, data)
        self.action, self.reads = config.action, ("view_1", "view_2", *config.action)
        if config.both_directions:
            # Raises here, and not at the first step, if the action has no inverse.
            invert_action(torch.ones(1, get_action_dim(config.action)), config.action)
        self.action_embedding = build_action_embedding(get_action_dim(config.action), config.action_width)

    def build_predictor(self, width: int) -> nn.Module:
        """Build the predictor of the action's embedding and the projection side by side."""
        return build_byol_predictor(width + self.config.action_width, self.config.predictor_width, width)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W].

        The source of predictions is the online network's projection, their target the target network's.
        """
        preprocessed = self.preprocess(images)
        representation = self.backbone(preprocessed)
        return Embedding.from_parts(
            representation, source=self.projector(representation), target=self.target(preprocessed)
        )

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict the target's projections [B, E] of second views from online ones and actions [B, K]."""
        return self.predictor(torch.cat([self.action_embedding(action), source], dim=1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the labels of ``config.action``.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        action = action_from_batch(batch, self.action)
        loss = self._one_direction_loss(batch["view_1"], batch["view_2"], action)
        if self.config.both_directions:
            back = invert_action(action, self.action)
            loss = loss + self._one_direction_loss(batch["view_2"], batch["view_1"], back)
        return {"loss": loss}

    def _one_direction_loss(self, images: Tensor, other: Tensor, action: Tensor) -> Tensor:
        predicted = self.predict(self.projector(self.represent(images)), action)
        return 2 * losses.cosine_distance_loss(
            gather_all_ranks(predicted), gather_all_ranks(self.target(self.preprocess(other)))
        )
