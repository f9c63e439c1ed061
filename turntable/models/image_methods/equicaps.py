"""EquiCaps: capsules with invariant activations, and poses multiplied by matrices instead of a predictor.

Konstantinou, Leontidis, Thota and Durrant, "EquiCaps: Predictor-Free Pose-Aware Pre-Trained Capsule Networks"
(2025, arXiv:2506.09895).

    loss = 0.1 CE(A^y, A^x) + 5 MSE(P^, P_) + 10 V + 1 C + 1 ME-MAX,    V, C over [A^x|P^], [A^y|P_]

A^x and A^y are the activations of both views. P^ are the predicted poses P^x T, normalized, and P_ the poses
of the second view, normalized; T = R1^T R2 or M1^-1 M2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn import functional

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.abilities import Embedding, Predicts
from turntable.models.actions import POSE_MATRIX, ROTATION_MATRIX, action_from_batch
from turntable.models.backbones import Backbone
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.layers import (
    CapsuleProjector,
    gather_all_ranks,
    mean_entropy_loss,
    soft_cross_entropy_loss,
)
from turntable.models.method import Batch, DataInfo, MethodConfig, check_num_rows

_MATRIX_SIDES: Mapping[tuple[str, ...], int] = {ROTATION_MATRIX: 3, POSE_MATRIX: 4}
"""Side of the pose matrices, by the action."""


@dataclass(frozen=True, slots=True)
class EquiCapsConfig(MethodConfig):
    """Settings of the capsules and the weights of the terms."""

    paper_training: ClassVar[Mapping[str, Any]] = {"backbone": "sie-resnet18", "batch_size": 256}

    action: tuple[str, ...] = ROTATION_MATRIX
    """``relative_rotation`` for 3 x 3 poses, ``relative_pose`` for 4 x 4 poses: the relative pose M1^-1 M2 of
    the rendered object, which is only a rotation for objects that are not translated."""
    num_capsules: int = 32
    invariance_weight: float = 0.1
    equivariance_weight: float = 5.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    mean_entropy_weight: float = 1.0
    activation_floor: float = 1e-6
    """Smallest activation in the logarithm of the cross-entropy; smaller ones are raised to it."""

    @property
    def matrix_side(self) -> int:
        """Number of rows of a pose matrix.

        Raises:
            InvalidInputError: The action is no matrix.
        """
        if self.action not in _MATRIX_SIDES:
            raise InvalidInputError(
                f"the action is {', '.join(self.action)}, but poses are multiplied by one matrix: use"
                " relative_rotation or relative_pose"
            )
        return _MATRIX_SIDES[self.action]

    def demo(self) -> Self:
        """Return settings with fewer capsules."""
        return replace(self, num_capsules=16)


class EquiCaps(ImageMethod, Predicts):
    """Capsules over the backbone's last map."""

    def __init__(self, config: EquiCapsConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config, self.action = config, config.action
        self.reads = ("view_1", "view_2", *config.action)
        shape = backbone.compute_map_shape(data.input_size_px)
        self.projector = CapsuleProjector(shape, config.num_capsules, config.matrix_side**2)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]: activations are invariant, poses equivariant."""
        maps = self.backbone.compute_maps(self.preprocess(images))
        activations, poses = self.projector(maps)
        return Embedding.from_parts(
            self.backbone.pool(maps),
            invariant=activations,
            equivariant=poses.flatten(1),
            source=_normalize_poses(poses).flatten(1),
        )

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict normalized poses [B, K P] of second views from poses of first views and matrices [B, P]."""
        return self.transform_poses(source.unflatten(1, (self.config.num_capsules, -1)), action).flatten(1)

    def transform_poses(self, poses: Tensor, action: Tensor) -> Tensor:
        """Multiply poses [B, K, P] by the action's matrices [B, P], and normalize each to length 1."""
        side = self.config.matrix_side
        matrices = poses.unflatten(2, (side, side)) @ action.unflatten(1, (1, side, side))
        return _normalize_poses(matrices.flatten(2))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the matrix between them.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        a_x, p_x = self._compute_capsules(batch["view_1"])
        a_y, p_y = self._compute_capsules(batch["view_2"])
        predicted = self.transform_poses(p_x, action_from_batch(batch, self.action).to(p_x.dtype))
        return self.compute_terms(*map(gather_all_ranks, (a_x, a_y, predicted, _normalize_poses(p_y))))

    def compute_terms(self, a_x: Tensor, a_y: Tensor, predicted: Tensor, p_y: Tensor) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum.

        Args:
            a_x: Activations [B, K] of the first views.
            a_y: Activations [B, K] of the second views.
            predicted: Predictions of ``p_y``.
            p_y: Poses [B, K, P] of the second views, of length 1.
        """
        x = torch.cat([a_x, predicted.flatten(1)], dim=1)
        y = torch.cat([a_y, p_y.flatten(1)], dim=1)
        config = self.config
        weighted = {
            "invariance": (
                config.invariance_weight,
                soft_cross_entropy_loss(a_x, a_y, floor=config.activation_floor),
            ),
            "equivariance": (
                config.equivariance_weight,
                losses.invariance_loss(predicted.flatten(1), p_y.flatten(1)),
            ),
            "variance": (config.variance_weight, losses.variance_loss(x, y)),
            "covariance": (config.covariance_weight, losses.covariance_loss(x, y)),
            "mean_entropy": (config.mean_entropy_weight, mean_entropy_loss(a_x) + mean_entropy_loss(a_y)),
        }
        return losses.sum_weighted_terms(weighted)

    def _compute_capsules(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.projector(self.backbone.compute_maps(self.preprocess(images)))


def _normalize_poses(poses: Tensor) -> Tensor:
    return functional.normalize(poses, dim=2)
