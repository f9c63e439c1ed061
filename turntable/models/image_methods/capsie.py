"""CapsIE: capsules with invariant activations and poses transformed by a hypernetwork. A reconstruction.

Everett, Durrant, Zhong and Leontidis, "Capsule Network Projectors are Equivariant and Invariant Learners"
(2024, arXiv:2405.14386). The published code lacks the objective. Here, the sharpened distributions are those
of masked siamese networks (Assran et al. 2022), and all else is SIE's.

    loss = 10 CE(p'^y, p'^x) + 10 ME-MAX(p'^x) + 0.45 * 10 MSE(W(q) P^x, P^y)
           + 10 V([A^x|P^x], [A^y|P^y]) + 10 * 1/2 hinge(W(q) P^x) + 1 C([A^x|P^x], [A^y|P^y])

A and P are the activations and poses of both views; p' is A sharpened by a temperature.
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from turntable.models import losses
from turntable.models.abilities import Embedding
from turntable.models.actions import action_from_batch
from turntable.models.backbones import Backbone
from turntable.models.image_methods.predictor_method import PredictorMethod
from turntable.models.image_methods.sie import SIELossConfig
from turntable.models.layers import (
    CapsuleProjector,
    build_predictor,
    gather_all_ranks,
    mean_entropy_loss,
    soft_cross_entropy_loss,
)
from turntable.models.method import Batch, DataInfo, TrainState, check_num_rows

_SCHEDULE_LENGTH = 1.25
"""Length of the temperature schedule, as a multiple of the number of steps: it does not reach its end."""


@dataclass(frozen=True, slots=True)
class CapsIEConfig(SIELossConfig):
    """Settings of the capsules, the temperatures, the predictor and the weights of the terms."""

    num_capsules: int = 16
    pose_dim: int = 16
    anchor_temperature: tuple[float, float] = (0.1, 0.1)
    """Temperature of the first view's distribution, at the first step and at 1.25 times the last step."""
    target_temperature: tuple[float, float] = (0.025, 0.1)
    """Temperature of the second view's distribution, likewise."""
    mean_entropy_weight: float = 10.0
    activation_floor: float = 1e-6
    """Smallest probability in the logarithm of the cross-entropy; smaller ones are raised to it."""

    def demo(self) -> Self:
        """Return settings whose predictions start no longer than their targets."""
        return replace(self, hypernetwork_init="fan_in")


class CapsIE(PredictorMethod):
    """Capsules over the backbone's last map, and SIE's predictor on all their poses."""

    def __init__(self, config: CapsIEConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        self.config = config
        shape = backbone.compute_map_shape(data.input_size_px)
        self.projector = CapsuleProjector(shape, config.num_capsules, config.pose_dim)
        self.predictor = build_predictor(config, config.num_capsules * config.pose_dim)
        self.temperatures = config.anchor_temperature[0], config.target_temperature[0]
        """Temperatures of anchor and target at the current step."""

    def before_step(self, state: TrainState) -> None:
        """Set the temperatures of the step; they change linearly."""
        progress = state.step / (_SCHEDULE_LENGTH * state.num_steps)
        anchor, target = (
            first + progress * (last - first)
            for first, last in (self.config.anchor_temperature, self.config.target_temperature)
        )
        self.temperatures = anchor, target

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]: activations are invariant, poses equivariant."""
        maps = self.backbone.compute_maps(self.preprocess(images))
        activations, poses = self.projector(maps)
        poses = poses.flatten(1)
        return Embedding.from_parts(
            self.backbone.pool(maps), invariant=activations, equivariant=poses, source=poses
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the labels of ``config.action``.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        a_x, p_x = self._compute_capsules(batch["view_1"])
        a_y, p_y = self._compute_capsules(batch["view_2"])
        predicted = self.predictor(p_x, action_from_batch(batch, self.action))
        return self.compute_terms(*map(gather_all_ranks, (a_x, p_x, a_y, p_y, predicted)))

    def compute_terms(
        self, a_x: Tensor, p_x: Tensor, a_y: Tensor, p_y: Tensor, predicted: Tensor
    ) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum.

        Args:
            a_x: Activations [B, K] of the first views.
            p_x: Poses [B, K P] of the first views.
            a_y: Activations of the second views.
            p_y: Poses of the second views.
            predicted: Predictions of ``p_y``.
        """
        config = self.config
        anchor_temperature, target_temperature = self.temperatures
        anchor = sharpen(a_x, temperature=anchor_temperature)
        target = sharpen(a_y, temperature=target_temperature).detach()
        x, y = torch.cat([a_x, p_x], dim=1), torch.cat([a_y, p_y], dim=1)
        weighted = {
            "invariance": (
                config.invariance_weight,
                soft_cross_entropy_loss(anchor, target, floor=config.activation_floor),
            ),
            "mean_entropy": (config.mean_entropy_weight, mean_entropy_loss(anchor)),
            **config.compute_equivariant_terms(
                predicted, p_y, losses.variance_loss(x, y), losses.covariance_loss(x, y)
            ),
        }
        return losses.sum_weighted_terms(weighted)

    def _compute_capsules(self, images: Tensor) -> tuple[Tensor, Tensor]:
        activations, poses = self.projector(self.backbone.compute_maps(self.preprocess(images)))
        return activations, poses.flatten(1)


@losses.with_full_precision
def sharpen(activations: Tensor, *, temperature: float) -> Tensor:
    """Return distributions [B, K] proportional to the activations to the power of 1 / temperature."""
    return torch.softmax(activations.clamp_min(1e-12).log() / temperature, dim=1)
