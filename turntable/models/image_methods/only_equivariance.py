"""Only-Equivariance: SIE's or SimCLR's terms for predictions, without any invariance term.

An ablation of Garrido, Najman and LeCun, "Self-supervised learning of Split Invariant Equivariant
representations" (ICML 2023, arXiv:2302.10283), which shows the effect of the invariant half of the objective.

    SimCLR: loss = NTXent(P(x, z), y),    x = projector(h1), y = projector(h2)
    VICReg: loss = 10 MSE(P(x, z), y) + 10 V(x, y) + 10 * 1/2 hinge(P(x, z)) + 1 C(x, y)
"""

from abc import abstractmethod
from dataclasses import dataclass

from torch import Tensor

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.image_methods.predictor_method import (
    PredictedEmbeddings,
    ProjectorConfig,
    UnsplitPredictorMethod,
)
from turntable.models.layers import build_predictor, build_projector, gather_all_ranks
from turntable.models.method import Batch, DataInfo, check_num_rows


@dataclass(frozen=True, slots=True)
class OnlyEquivarianceSimCLRConfig(ProjectorConfig):
    """Settings of the predictor and the projector, and the temperature of the softmax."""

    temperature: float = 0.1


@dataclass(frozen=True, slots=True)
class OnlyEquivarianceVICRegConfig(ProjectorConfig):
    """Settings of the predictor and the projector, and the weights of SIE."""

    equivariance_weight: float = 10.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0


class OnlyEquivariance(UnsplitPredictorMethod):
    """One projector on the whole representation, and a predictor of its embeddings."""

    def __init__(self, config: ProjectorConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        self.config = config
        self.projector = build_projector(backbone.dim, config.projector_widths)
        self.predictor = build_predictor(config, config.projector_widths[-1])

    def project(self, representation: Tensor) -> Tensor:
        """Compute the embeddings [B, E]."""
        return self.projector(representation)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the labels of ``config.action``; B >= 2.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        embeddings = self.predict_pair(*self.represent_pair(batch), batch)
        return self.compute_terms(PredictedEmbeddings(*map(gather_all_ranks, embeddings)))

    @abstractmethod
    def compute_terms(self, embeddings: PredictedEmbeddings) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum."""


class OnlyEquivarianceSimCLR(OnlyEquivariance):
    """SimCLR's contrast between predictions and second views."""

    config: OnlyEquivarianceSimCLRConfig

    def compute_terms(self, embeddings: PredictedEmbeddings) -> dict[str, Tensor]:
        """Compute the only term; ``x`` enters only by its prediction."""
        equivariance = losses.nt_xent_loss(
            embeddings.predicted, embeddings.y, temperature=self.config.temperature
        )
        return {"loss": equivariance, "equivariance": equivariance}


class OnlyEquivarianceVICReg(OnlyEquivariance):
    """SIE without its invariant half."""

    config: OnlyEquivarianceVICRegConfig

    def compute_terms(self, embeddings: PredictedEmbeddings) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum."""
        config = self.config
        terms = {
            "equivariance": losses.invariance_loss(embeddings.predicted, embeddings.y),
            "variance": losses.variance_loss(embeddings.x, embeddings.y),
            "covariance": losses.covariance_loss(embeddings.x, embeddings.y),
            "predicted_variance": losses.variance_hinge_loss(embeddings.predicted) / 2,
        }
        total = (
            config.equivariance_weight * terms["equivariance"]
            + config.variance_weight * (terms["variance"] + terms["predicted_variance"])
            + config.covariance_weight * terms["covariance"]
        )
        return {"loss": total, **terms}
