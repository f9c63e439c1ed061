"""SIE: half of the representation stays as the object turns, half turns with it, by a map the rotation gives.

Garrido, Najman and LeCun, "Self-supervised learning of Split Invariant Equivariant representations"
(ICML 2023, arXiv:2302.10283).

    loss = 10 MSE(x_i, y_i) + 0.45 * 10 MSE(W(q) x_e, y_e)
           + 10 V([x_i|x_e], [y_i|y_e]) + 10 * 1/2 hinge(W(q) x_e) + 1 C([x_i|x_e], [y_i|y_e])
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.heads import projector
from turntable.models.hypernetwork import Hypernetwork, Init
from turntable.models.method import Batch, DataInfo, Embedding, Method, MethodConfig


@dataclass(frozen=True, slots=True)
class SIEConfig(MethodConfig):
    """The weights of the terms, the split, and the widths of the two projectors."""

    invariance_weight: float = 10.0
    equivariance_factor: float = 0.45
    """The equivariance term weighs this times ``invariance_weight``."""
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    predicted_variance: bool = True
    """Whether the predictions too must vary; without it the method is the paper's "SIE no var"."""
    equivariant_dim: int = 256
    """How many of the representation's dimensions, its last, turn with the object."""
    projector_widths: tuple[int, int, int] = (1024, 1024, 1024)
    """Of each projector."""
    hypernetwork_init: Init = "torch"

    def demo(self) -> Self:
        """Narrower projectors, and predictions that start no longer than what they predict."""
        return replace(self, projector_widths=(256, 256, 256), hypernetwork_init="fan_in")


class SIE(Method):
    """Two projectors over two halves, and a hypernetwork that turns the second half."""

    reads = ("view_1", "view_2", "relative_quaternion")

    def __init__(self, config: SIEConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.invariant_dim = backbone.dim - config.equivariant_dim
        if not 0 < config.equivariant_dim < backbone.dim:
            raise InvalidInputError(
                f"equivariant_dim is {config.equivariant_dim}; the backbone has {backbone.dim} dimensions"
                f" to split, so it must be between 1 and {backbone.dim - 1}"
            )
        self.invariant_projector = projector(self.invariant_dim, config.projector_widths)
        self.equivariant_projector = projector(config.equivariant_dim, config.projector_widths)
        self.predictor = Hypernetwork(config.projector_widths[-1], init=config.hypernetwork_init)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W], with the two halves of the representation told apart."""
        representation = self.represent(images)
        invariant, equivariant = self._split(representation)
        source = self.equivariant_projector(equivariant)
        return Embedding.of(representation, invariant=invariant, equivariant=equivariant, source=source)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and ``relative_quaternion`` [B, 4]; B >= 2."""
        h1, h2 = self.represent_pair(batch)
        x_i, x_e = self._project(h1)
        y_i, y_e = self._project(h2)
        predicted = self.predictor(x_e, batch["relative_quaternion"])
        return self.combine(x_i, x_e, y_i, y_e, predicted)

    def combine(
        self, x_i: Tensor, x_e: Tensor, y_i: Tensor, y_e: Tensor, predicted: Tensor
    ) -> dict[str, Tensor]:
        """The terms and their weighted sum, from the embeddings of both views, each [B, E]."""
        x, y = torch.cat([x_i, x_e], dim=1), torch.cat([y_i, y_e], dim=1)
        terms = {
            "invariance": losses.invariance(x_i, y_i),
            "equivariance": losses.invariance(predicted, y_e),
            "variance": losses.variance(x, y),
            "covariance": losses.covariance(x, y),
            "predicted_variance": losses.variance_hinge(predicted) / 2,
        }
        config = self.config
        weights = {
            "invariance": config.invariance_weight,
            "equivariance": config.invariance_weight * config.equivariance_factor,
            "variance": config.variance_weight,
            "covariance": config.covariance_weight,
            "predicted_variance": config.variance_weight if config.predicted_variance else 0.0,
        }
        total = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        return {"loss": total, **terms}

    def _split(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        return representation[:, : self.invariant_dim], representation[:, self.invariant_dim :]

    def _project(self, representation: Tensor) -> tuple[Tensor, Tensor]:
        invariant, equivariant = self._split(representation)
        return self.invariant_projector(invariant), self.equivariant_projector(equivariant)
