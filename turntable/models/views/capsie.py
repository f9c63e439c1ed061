"""CapsIE: capsules whose activations stay and whose poses a hypernetwork turns. A reconstruction.

Everett, Durrant, Zhong and Leontidis, "Capsule Network Projectors are Equivariant and Invariant Learners"
(2024, arXiv:2405.14386). Its published code lacks the objective: the sharpened distributions are those of
masked siamese networks (Assran et al. 2022), the rest is SIE's. p' is A sharpened by a temperature.

    loss = 10 CE(p'^y, p'^x) + 10 ME-MAX(p'^x) + 0.45 * 10 MSE(W(q) P^x, P^y)
           + 10 V([A^x|P^x], [A^y|P^y]) + 10 * 1/2 hinge(W(q) P^x) + 1 C([A^x|P^x], [A^y|P^y])
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from turntable.models import losses
from turntable.models.abilities import Embedding
from turntable.models.actions import action_of
from turntable.models.backbones import Backbone
from turntable.models.layers import (
    CapsuleProjector,
    build_predictor,
    cross_entropy,
    gathered,
    missing_entropy,
)
from turntable.models.method import Batch, DataInfo, Moment, check_rows
from turntable.models.views.predicting_method import PredictingMethod
from turntable.models.views.sie import SIEWeights

_SCHEDULE_LENGTH = 1.25
"""The temperatures are on their way over this many times the steps that there are."""


@dataclass(frozen=True, slots=True)
class CapsIEConfig(SIEWeights):
    """The capsules, the temperatures, the predictor and the weights of the terms."""

    capsules: int = 16
    pose_dim: int = 16
    anchor_temperature: tuple[float, float] = (0.1, 0.1)
    """Of the first view's distribution, at the first step and at 1.25 times the last."""
    target_temperature: tuple[float, float] = (0.025, 0.1)
    """Of the second view's."""
    mean_entropy_weight: float = 10.0
    activation_floor: float = 1e-6
    """Probabilities below it count as it does in the logarithm."""

    def demo(self) -> Self:
        """Predictions that start no longer than what they predict."""
        return replace(self, hypernetwork_init="fan_in")


class CapsIE(PredictingMethod):
    """Capsules over the backbone's last map, and SIE's predictor over all their poses."""

    def __init__(self, config: CapsIEConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        self.config = config
        shape = backbone.map_shape(data.input_size_px)
        self.projector = CapsuleProjector(shape, config.capsules, config.pose_dim)
        self.predictor = build_predictor(config, config.capsules * config.pose_dim)
        self.temperatures = config.anchor_temperature[0], config.target_temperature[0]
        """Of anchor and target, at the step in hand."""

    def before_step(self, moment: Moment) -> None:
        """Set the temperatures, which change linearly."""
        progress = moment.step / (_SCHEDULE_LENGTH * moment.steps)
        anchor, target = (
            first + progress * (last - first)
            for first, last in (self.config.anchor_temperature, self.config.target_temperature)
        )
        self.temperatures = anchor, target

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]: activations stay, poses turn."""
        maps = self.backbone.maps(self.seen(images))
        activations, poses = self.projector(maps)
        poses = poses.flatten(1)
        return Embedding.of(self.backbone.pool(maps), invariant=activations, equivariant=poses, source=poses)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and the labels of ``config.action``.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        a_x, p_x = self._capsules(batch["view_1"])
        a_y, p_y = self._capsules(batch["view_2"])
        predicted = self.predictor(p_x, action_of(batch, self.action))
        return self.combine(*map(gathered, (a_x, p_x, a_y, p_y, predicted)))

    def combine(
        self, a_x: Tensor, p_x: Tensor, a_y: Tensor, p_y: Tensor, predicted: Tensor
    ) -> dict[str, Tensor]:
        """The terms and their weighted sum, from activations [B, K] and poses [B, K P] of both views."""
        config = self.config
        anchor_temperature, target_temperature = self.temperatures
        anchor = sharpened(a_x, temperature=anchor_temperature)
        target = sharpened(a_y, temperature=target_temperature).detach()
        x, y = torch.cat([a_x, p_x], dim=1), torch.cat([a_y, p_y], dim=1)
        weighted = {
            "invariance": (
                config.invariance_weight,
                cross_entropy(anchor, target, floor=config.activation_floor),
            ),
            "mean_entropy": (config.mean_entropy_weight, missing_entropy(anchor)),
            **config.equivariant_terms(predicted, p_y, losses.variance(x, y), losses.covariance(x, y)),
        }
        return losses.weighted_sum(weighted)

    def _capsules(self, images: Tensor) -> tuple[Tensor, Tensor]:
        activations, poses = self.projector(self.backbone.maps(self.seen(images)))
        return activations, poses.flatten(1)


@losses.full_precision
def sharpened(activations: Tensor, *, temperature: float) -> Tensor:
    """Distributions [B, K] in proportion to activations to the power 1 / temperature."""
    return torch.softmax(activations.clamp_min(1e-12).log() / temperature, dim=1)
