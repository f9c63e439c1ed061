"""EquiCaps: capsules whose activations stay and whose poses turn by plain matrix products, without predictor.

Konstantinou, Leontidis, Thota and Durrant, "EquiCaps: Predictor-Free Pose-Aware Pre-Trained Capsule Networks"
(2025, arXiv:2506.09895). A^x, A^y are the activations of both views, P^ the predicted poses P^x T over their
length, P_ the other view's over theirs, T = R1^T R2 or M1^-1 M2.

    loss = 0.1 CE(A^y, A^x) + 5 MSE(P^, P_) + 10 V + 1 C + 1 ME-MAX,    V, C over [A^x|P^], [A^y|P_]
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
from turntable.models.actions import POSE_MATRIX, ROTATION_MATRIX, action_of
from turntable.models.backbones import Backbone
from turntable.models.layers import CapsuleProjector, cross_entropy, gathered, missing_entropy
from turntable.models.method import Batch, DataInfo, MethodConfig, check_rows
from turntable.models.views.image_method import ImageMethod

_SIDES: Mapping[tuple[str, ...], int] = {ROTATION_MATRIX: 3, POSE_MATRIX: 4}


@dataclass(frozen=True, slots=True)
class EquiCapsConfig(MethodConfig):
    """The capsules and the weights of the terms."""

    paper_training: ClassVar[Mapping[str, Any]] = {"backbone": "sie-resnet18", "batch_size": 256}

    action: tuple[str, ...] = ROTATION_MATRIX
    """``relative_rotation`` for poses of 3 x 3, ``relative_pose`` for poses of 4 x 4: M1^-1 M2, the true
    relative pose of what was drawn. Of objects that are not shifted it is the rotation alone."""
    capsules: int = 32
    invariance_weight: float = 0.1
    equivariance_weight: float = 5.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    mean_entropy_weight: float = 1.0
    activation_floor: float = 1e-6
    """Activations below it count as it does in the logarithm."""

    @property
    def side(self) -> int:
        """Of a pose matrix.

        Raises:
            InvalidInputError: The action is no matrix.
        """
        if self.action not in _SIDES:
            raise InvalidInputError(
                f"the action is told by {', '.join(self.action)}; poses turn by matrices: take"
                " relative_rotation or relative_pose"
            )
        return _SIDES[self.action]

    def demo(self) -> Self:
        """Fewer capsules."""
        return replace(self, capsules=16)


class EquiCaps(ImageMethod, Predicts):
    """Capsules over the backbone's last map."""

    def __init__(self, config: EquiCapsConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config, self.action = config, config.action
        self.reads = ("view_1", "view_2", *config.action)
        shape = backbone.map_shape(data.input_size_px)
        self.projector = CapsuleProjector(shape, config.capsules, config.side**2)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]: activations stay, poses turn."""
        maps = self.backbone.maps(self.seen(images))
        activations, poses = self.projector(maps)
        return Embedding.of(
            self.backbone.pool(maps),
            invariant=activations,
            equivariant=poses.flatten(1),
            source=_unit(poses).flatten(1),
        )

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """The other views' poses [B, K P], each of length 1, by those of the first and matrices [B, P]."""
        return self.turned(source.unflatten(1, (self.config.capsules, -1)), action).flatten(1)

    def turned(self, poses: Tensor, action: Tensor) -> Tensor:
        """Poses [B, K, P] times the action's matrix [B, P], each of length 1."""
        side = self.config.side
        matrices = poses.unflatten(2, (side, side)) @ action.unflatten(1, (1, side, side))
        return _unit(matrices.flatten(2))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and the matrix between them.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        a_x, p_x = self._capsules(batch["view_1"])
        a_y, p_y = self._capsules(batch["view_2"])
        predicted = self.turned(p_x, action_of(batch, self.action).to(p_x.dtype))
        return self.combine(*map(gathered, (a_x, a_y, predicted, _unit(p_y))))

    def combine(self, a_x: Tensor, a_y: Tensor, predicted: Tensor, p_y: Tensor) -> dict[str, Tensor]:
        """The terms and their weighted sum, from activations [B, K] and poses [B, K, P] of length 1."""
        x = torch.cat([a_x, predicted.flatten(1)], dim=1)
        y = torch.cat([a_y, p_y.flatten(1)], dim=1)
        config = self.config
        weighted = {
            "invariance": (config.invariance_weight, cross_entropy(a_x, a_y, floor=config.activation_floor)),
            "equivariance": (
                config.equivariance_weight,
                losses.invariance(predicted.flatten(1), p_y.flatten(1)),
            ),
            "variance": (config.variance_weight, losses.variance(x, y)),
            "covariance": (config.covariance_weight, losses.covariance(x, y)),
            "mean_entropy": (config.mean_entropy_weight, missing_entropy(a_x) + missing_entropy(a_y)),
        }
        return losses.weighted_sum(weighted)

    def _capsules(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.projector(self.backbone.maps(self.seen(images)))


def _unit(poses: Tensor) -> Tensor:
    return functional.normalize(poses, dim=2)
