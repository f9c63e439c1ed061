"""SIE: a representation in two halves, one invariant, one transformed by a map generated from the rotation.

Garrido, Najman and LeCun, "Self-supervised learning of Split Invariant Equivariant representations"
(ICML 2023, arXiv:2302.10283).

    loss = 10 MSE(x_i, y_i) + 0.45 * 10 MSE(W(q) x_e, y_e)
           + 10 V([x_i|x_e], [y_i|y_e]) + 10 * 1/2 hinge(W(q) x_e) + 1 C([x_i|x_e], [y_i|y_e])

x and y are the embeddings of both views, i the invariant and e the equivariant ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import torch
from torch import Tensor

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.abilities import Embedding
from turntable.models.actions import action_from_batch, get_action_dim
from turntable.models.backbones import Backbone
from turntable.models.image_methods.predictor_method import PredictorMethod
from turntable.models.layers import PredictorConfig, build_predictor, build_projector, gather_all_ranks
from turntable.models.method import Batch, DataInfo, check_num_rows

QuaternionSigns = Literal["given", "random", "double_cover"]
"""Treatments of the two quaternions of a rotation; see ``SIEConfig.quaternion_signs``."""

SEQ_JEPA_SETTINGS: Mapping[str, Any] = {
    "invariance_weight": 25.0,
    "equivariance_factor": 1.0,
    "variance_weight": 25.0,
    "covariance_weight": 1.0,
}
"""Weights in the comparison of seq-JEPA's code (arXiv:2505.03176), which trains with batches of 512 at 128 px
and a learning rate of 4e-4."""


@dataclass(frozen=True, slots=True)
class SIELossConfig(PredictorConfig):
    """Settings of the predictor, and the weights of SIE's terms."""

    invariance_weight: float = 10.0
    equivariance_factor: float = 0.45
    """Weight of the equivariance term, as a multiple of ``invariance_weight``."""
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    predicted_variance: bool = True
    """True for a variance term of the predictions; without it the method is the paper's "SIE no var"."""

    def compute_equivariant_terms(
        self, predicted: Tensor, target: Tensor, variance: Tensor, covariance: Tensor
    ) -> dict[str, tuple[float, Tensor]]:
        """Return all terms except the invariance term, each with its weight, by name.

        Args:
            predicted: Predictions [B, E] of ``target`` from the first views and the action.
            target: Equivariant embeddings [B, E] of the second views.
            variance: Variance term of both views' whole embeddings, a scalar.
            covariance: Covariance term of the same, a scalar.
        """
        return {
            "equivariance": (
                self.invariance_weight * self.equivariance_factor,
                losses.invariance_loss(predicted, target),
            ),
            "variance": (self.variance_weight, variance),
            "covariance": (self.covariance_weight, covariance),
            "predicted_variance": (
                self.variance_weight if self.predicted_variance else 0.0,
                losses.variance_hinge_loss(predicted) / 2,
            ),
        }


@dataclass(frozen=True, slots=True)
class SIEConfig(SIELossConfig):
    """Settings of the split, the two projectors and the predictor, and the weights of the terms."""

    equivariant_dim: int = 256
    """Number of dimensions, the last ones of the representation, that form the equivariant half."""
    projector_widths: tuple[int, int, int] = (1024, 1024, 1024)
    """Widths of the layers of each projector."""
    quaternion_signs: QuaternionSigns = "given"
    """Treatment of q and -q, which are the same rotation. "given" uses the label's sign, "random" draws a
    sign for each sample, and "double_cover" compares the second view with the closer of the two
    predictions."""
    reference_batch_size: int | None = None
    """Batch size whose value - 1 divides covariances, as in the reference code, which uses the configured
    batch size even for a smaller batch. None divides by the number of rows - 1."""

    def demo(self) -> Self:
        """Return settings with narrower projectors and predictions that start no longer than targets."""
        return replace(self, projector_widths=(256, 256, 256), hypernetwork_init="fan_in")


class SIE(PredictorMethod):
    """Two projectors, one for each half, and a predictor of the equivariant half."""

    other_sign: Tensor
    """Factors [K] that negate the quaternion of an action."""

    def __init__(self, config: SIEConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        _check(config, backbone.dim)
        self.config = config
        self.invariant_dim = backbone.dim - config.equivariant_dim
        self.invariant_projector = build_projector(self.invariant_dim, config.projector_widths)
        self.equivariant_projector = build_projector(config.equivariant_dim, config.projector_widths)
        self.predictor = build_predictor(config, config.projector_widths[-1])
        self.register_buffer("other_sign", _make_sign_flip(config.action), persistent=False)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]; the two halves are the invariant and the equivariant part."""
        representation = self.represent(images)
        invariant, equivariant = self._split(representation)
        source = self.equivariant_projector(equivariant)
        return Embedding.from_parts(
            representation, invariant=invariant, equivariant=equivariant, source=source
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the labels of ``config.action``; B >= 2.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        h1, h2 = self.represent_pair(batch)
        x_i, x_e = self._project(h1)
        y_i, y_e = self._project(h2)
        predicted = self.predict_towards(y_e, x_e, action_from_batch(batch, self.action))
        return self.compute_terms(*map(gather_all_ranks, (x_i, x_e, y_i, y_e, predicted)))

    def predict_towards(self, target: Tensor, source: Tensor, action: Tensor) -> Tensor:
        """Compute the predictions [B, E] that the loss compares with ``target``.

        ``config.quaternion_signs`` decides the signs of the quaternions from which they are predicted.
        """
        if self.config.quaternion_signs == "given":
            return self.predictor(source, action)
        other = action * self.other_sign
        if self.config.quaternion_signs == "random":
            coins = torch.rand(len(action), 1, device=action.device) < 0.5
            return self.predictor(source, torch.where(coins, other, action))
        one, two = self.predictor(source, action), self.predictor(source, other)
        is_nearer = (one - target).square().sum(dim=1) <= (two - target).square().sum(dim=1)
        return torch.where(is_nearer.unsqueeze(1), one, two)

    def compute_terms(
        self, x_i: Tensor, x_e: Tensor, y_i: Tensor, y_e: Tensor, predicted: Tensor
    ) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum, from the embeddings of both views, each [B, E]."""
        x, y = torch.cat([x_i, x_e], dim=1), torch.cat([y_i, y_e], dim=1)
        variance, covariance = losses.variance_loss(x, y), self._covariance_loss(x, y)
        weighted = {
            "invariance": (self.config.invariance_weight, losses.invariance_loss(x_i, y_i)),
            **self.config.compute_equivariant_terms(predicted, y_e, variance, covariance),
        }
        return losses.sum_weighted_terms(weighted)

    def _covariance_loss(self, x: Tensor, y: Tensor) -> Tensor:
        divisor = self.config.reference_batch_size
        covariance = losses.covariance_loss(x, y)
        return covariance if divisor is None else covariance * ((len(x) - 1) / (divisor - 1)) ** 2

    def _split(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        return representation[:, : self.invariant_dim], representation[:, self.invariant_dim :]

    def _project(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        invariant, equivariant = self._split(representation)
        return self.invariant_projector(invariant), self.equivariant_projector(equivariant)


def _make_sign_flip(action: Sequence[str]) -> Tensor:
    """Return factors [K]: -1 for the values of an action that are a quaternion, 1 for the others."""
    is_quaternion = [
        torch.full((get_action_dim([label]),), label == "relative_quaternion") for label in action
    ]
    return 1 - 2 * torch.cat(is_quaternion).float()


def _check(config: SIEConfig, dim: int) -> None:
    if not 0 < config.equivariant_dim < dim:
        raise InvalidInputError(
            f"equivariant_dim is {config.equivariant_dim}; the backbone has {dim} dimensions"
            f" to split, so it must be between 1 and {dim - 1}"
        )
    check_choice("quaternion_signs", config.quaternion_signs, get_args(QuaternionSigns))
    if config.quaternion_signs != "given" and "relative_quaternion" not in config.action:
        raise InvalidInputError(
            f"quaternion_signs is {config.quaternion_signs!r}, but the action {', '.join(config.action)} has"
            ' no quaternion; use "given"'
        )
    if config.reference_batch_size is not None and config.reference_batch_size < 2:
        raise InvalidInputError(
            f"reference_batch_size is {config.reference_batch_size}; a covariance needs at least 2 rows"
        )
