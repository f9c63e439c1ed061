"""SIE: half of the representation stays as the object turns, half turns with it, by a map the rotation gives.

Garrido, Najman and LeCun, "Self-supervised learning of Split Invariant Equivariant representations"
(ICML 2023, arXiv:2302.10283).

    loss = 10 MSE(x_i, y_i) + 0.45 * 10 MSE(W(q) x_e, y_e)
           + 10 V([x_i|x_e], [y_i|y_e]) + 10 * 1/2 hinge(W(q) x_e) + 1 C([x_i|x_e], [y_i|y_e])
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
from turntable.models.actions import action_dim, action_of
from turntable.models.backbones import Backbone
from turntable.models.layers import PredictingConfig, build_predictor, gathered, projector
from turntable.models.method import Batch, DataInfo, check_rows
from turntable.models.views.predicting_method import PredictingMethod

BothSigns = Literal["given", "random", "double_cover"]

SEQ_JEPA_VERSION: Mapping[str, Any] = {
    "invariance_weight": 25.0,
    "equivariance_factor": 1.0,
    "variance_weight": 25.0,
    "covariance_weight": 1.0,
}
"""The weights of the comparison in seq-JEPA's code (arXiv:2505.03176), which trains with batches of 512 at
128 px and a learning rate of 4e-4."""


@dataclass(frozen=True, slots=True)
class SIEWeights(PredictingConfig):
    """The weights of SIE's terms, and the predictor."""

    invariance_weight: float = 10.0
    equivariance_factor: float = 0.45
    """The equivariance term weighs this times ``invariance_weight``."""
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    predicted_variance: bool = True
    """Whether the predictions too must vary; without it the method is the paper's "SIE no var"."""

    def equivariant_terms(
        self, predicted: Tensor, target: Tensor, variance: Tensor, covariance: Tensor
    ) -> dict[str, tuple[float, Tensor]]:
        """Return all terms but the invariance, each with its weight.

        Args:
            predicted: [B, E] of the second views, by the first and the action.
            target: [B, E] of the second views.
            variance: A scalar, of both views' whole embeddings.
            covariance: Likewise.
        """
        return {
            "equivariance": (
                self.invariance_weight * self.equivariance_factor,
                losses.invariance(predicted, target),
            ),
            "variance": (self.variance_weight, variance),
            "covariance": (self.covariance_weight, covariance),
            "predicted_variance": (
                self.variance_weight if self.predicted_variance else 0.0,
                losses.variance_hinge(predicted) / 2,
            ),
        }


@dataclass(frozen=True, slots=True)
class SIEConfig(SIEWeights):
    """The weights of the terms, the split, the widths of the two projectors, and the predictor."""

    equivariant_dim: int = 256
    """How many of the representation's dimensions, its last, turn with the object."""
    projector_widths: tuple[int, int, int] = (1024, 1024, 1024)
    """Of each projector."""
    both_signs: BothSigns = "given"
    """What becomes of a quaternion's other sign, which means the same rotation: "given" never sees it,
    "random" gives either to the predictor, "double_cover" holds the nearer of both predictions to the other
    view."""
    reference_batch_size: int | None = None
    """The reference code divides covariances by its configured batch size less 1, also where a batch has
    fewer rows; None: by the true number less 1."""

    def demo(self) -> Self:
        """Narrower projectors, and predictions that start no longer than what they predict."""
        return replace(self, projector_widths=(256, 256, 256), hypernetwork_init="fan_in")


class SIE(PredictingMethod):
    """Two projectors over two halves, and a predictor that turns the second half."""

    other_sign: Tensor

    def __init__(self, config: SIEConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        _check(config, backbone.dim)
        self.config = config
        self.invariant_dim = backbone.dim - config.equivariant_dim
        self.invariant_projector = projector(self.invariant_dim, config.projector_widths)
        self.equivariant_projector = projector(config.equivariant_dim, config.projector_widths)
        self.predictor = build_predictor(config, config.projector_widths[-1])
        self.register_buffer("other_sign", _other_sign(config.action), persistent=False)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W], with the two halves of the representation told apart."""
        representation = self.represent(images)
        invariant, equivariant = self._split(representation)
        source = self.equivariant_projector(equivariant)
        return Embedding.of(representation, invariant=invariant, equivariant=equivariant, source=source)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and the labels of ``config.action``; B >= 2.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        h1, h2 = self.represent_pair(batch)
        x_i, x_e = self._project(h1)
        y_i, y_e = self._project(h2)
        predicted = self.predict_towards(y_e, x_e, action_of(batch, self.action))
        return self.combine(*map(gathered, (x_i, x_e, y_i, y_e, predicted)))

    def predict_towards(self, target: Tensor, source: Tensor, action: Tensor) -> Tensor:
        """The predictions [B, E] that the loss compares with ``target``, by ``config.both_signs``."""
        if self.config.both_signs == "given":
            return self.predictor(source, action)
        other = action * self.other_sign
        if self.config.both_signs == "random":
            coins = torch.rand(len(action), 1, device=action.device) < 0.5
            return self.predictor(source, torch.where(coins, other, action))
        one, two = self.predictor(source, action), self.predictor(source, other)
        is_nearer = (one - target).square().sum(dim=1) <= (two - target).square().sum(dim=1)
        return torch.where(is_nearer.unsqueeze(1), one, two)

    def combine(
        self, x_i: Tensor, x_e: Tensor, y_i: Tensor, y_e: Tensor, predicted: Tensor
    ) -> dict[str, Tensor]:
        """The terms and their weighted sum, from the embeddings of both views, each [B, E]."""
        x, y = torch.cat([x_i, x_e], dim=1), torch.cat([y_i, y_e], dim=1)
        variance, covariance = losses.variance(x, y), self._covariance(x, y)
        weighted = {
            "invariance": (self.config.invariance_weight, losses.invariance(x_i, y_i)),
            **self.config.equivariant_terms(predicted, y_e, variance, covariance),
        }
        return losses.weighted_sum(weighted)

    def _covariance(self, x: Tensor, y: Tensor) -> Tensor:
        divisor = self.config.reference_batch_size
        covariance = losses.covariance(x, y)
        return covariance if divisor is None else covariance * ((len(x) - 1) / (divisor - 1)) ** 2

    def _split(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        return representation[:, : self.invariant_dim], representation[:, self.invariant_dim :]

    def _project(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        invariant, equivariant = self._split(representation)
        return self.invariant_projector(invariant), self.equivariant_projector(equivariant)


def _other_sign(action: Sequence[str]) -> Tensor:
    """What an action [K] is multiplied by so that its quaternion, and nothing else, changes its sign."""
    is_quaternion = [torch.full((action_dim([label]),), label == "relative_quaternion") for label in action]
    return 1 - 2 * torch.cat(is_quaternion).float()


def _check(config: SIEConfig, dim: int) -> None:
    if not 0 < config.equivariant_dim < dim:
        raise InvalidInputError(
            f"equivariant_dim is {config.equivariant_dim}; the backbone has {dim} dimensions"
            f" to split, so it must be between 1 and {dim - 1}"
        )
    check_choice("both_signs", config.both_signs, get_args(BothSigns))
    if config.both_signs != "given" and "relative_quaternion" not in config.action:
        raise InvalidInputError(
            f"both_signs is {config.both_signs!r}, but the action is told by {', '.join(config.action)},"
            ' which has no quaternion; use "given"'
        )
    if config.reference_batch_size is not None and config.reference_batch_size < 2:
        raise InvalidInputError(
            f"reference_batch_size is {config.reference_batch_size}; a covariance needs at least 2 rows"
        )
