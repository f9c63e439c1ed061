"""Only-Equivariance: SIE's and SimCLR's terms for predictions alone; nothing is asked to stay.

The ablation of Garrido, Najman and LeCun, "Self-supervised learning of Split Invariant Equivariant
representations" (ICML 2023, arXiv:2302.10283): what the other half of the objective is good for.

    SimCLR: loss = NTXent(P(x, z), y),    x = projector(h1), y = projector(h2)
    VICReg: loss = 10 MSE(P(x, z), y) + 10 V(x, y) + 10 * 1/2 hinge(P(x, z)) + 1 C(x, y)
"""

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.layers import build_predictor, gathered, projector
from turntable.models.method import Batch, DataInfo, check_rows
from turntable.models.views.predicting_method import (
    PredictedEmbeddings,
    ProjectingConfig,
    WholePredictingMethod,
)


@dataclass(frozen=True, slots=True)
class OnlyEquivarianceSimCLRConfig(ProjectingConfig):
    """The predictor, the widths of the projector, and the temperature of the softmax."""

    temperature: float = 0.1


@dataclass(frozen=True, slots=True)
class OnlyEquivarianceVICRegConfig(ProjectingConfig):
    """The predictor, the widths of the projector, and SIE's weights."""

    equivariance_weight: float = 10.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0


class OnlyEquivariance(WholePredictingMethod):
    """One projector over the whole representation, and a predictor of its embeddings."""

    def __init__(self, config: ProjectingConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        self.config = config
        self.projector = projector(backbone.dim, config.projector_widths)
        self.predictor = build_predictor(config, config.projector_widths[-1])

    def project(self, representation: Tensor) -> Tensor:
        """The one embedding [B, E]."""
        return self.projector(representation)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and the labels of ``config.action``; B >= 2.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        embeddings = self.predict_pair(*self.represent_pair(batch), batch)
        return self.combine(PredictedEmbeddings(*map(gathered, embeddings)))

    @abstractmethod
    def combine(self, of: PredictedEmbeddings) -> dict[str, Tensor]:
        """The terms and their weighted sum."""


class OnlyEquivarianceSimCLR(OnlyEquivariance):
    """Which of all views is the one predicted."""

    config: OnlyEquivarianceSimCLRConfig

    def combine(self, of: PredictedEmbeddings) -> dict[str, Tensor]:
        """The one term; ``x`` counts by its prediction alone."""
        equivariance = losses.nt_xent(of.predicted, of.y, temperature=self.config.temperature)
        return {"loss": equivariance, "equivariance": equivariance}


class OnlyEquivarianceVICReg(OnlyEquivariance):
    """SIE without its invariant half."""

    config: OnlyEquivarianceVICRegConfig

    def combine(self, of: PredictedEmbeddings) -> dict[str, Tensor]:
        """The terms and their weighted sum."""
        config = self.config
        terms = {
            "equivariance": losses.invariance(of.predicted, of.y),
            "variance": losses.variance(of.x, of.y),
            "covariance": losses.covariance(of.x, of.y),
            "predicted_variance": losses.variance_hinge(of.predicted) / 2,
        }
        total = (
            config.equivariance_weight * terms["equivariance"]
            + config.variance_weight * (terms["variance"] + terms["predicted_variance"])
            + config.covariance_weight * terms["covariance"]
        )
        return {"loss": total, **terms}
