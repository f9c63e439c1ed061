"""EquiMod: an invariant embedding, and an equivariant one with a predictor that takes the action.

Devillers and Lefort, "EquiMod: An Equivariance Module to Improve Visual Instance Discrimination" (ICLR 2023,
arXiv:2211.01244), with SIE's predictor, as in SIE's comparison (arXiv:2302.10283).

    SimCLR: loss = NTXent(x_i, y_i) + b NTXent(P(x_e, z), y_e)
    VICReg: loss = VICReg(x_i, y_i) + b [10 MSE(P(x_e, z), y_e) + 10 V(x_e, y_e) + 1 C(x_e, y_e)]

x and y are the embeddings of both views, i the invariant and e the equivariant ones.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.image_methods.predictor_method import ProjectorConfig, UnsplitPredictorMethod
from turntable.models.layers import (
    build_predictor,
    build_projector,
    build_projector_with_norm,
    gather_all_ranks,
)
from turntable.models.method import Batch, DataInfo, check_num_rows

SEQ_JEPA_SETTINGS: Mapping[str, Any] = {
    "projector_widths": (1024, 1024, 128),
    "projector_norm": True,
    "predictor": "embedded",
    "action_width": 128,
    "temperature": 0.5,
    "equivariance_factor": 1.0,
}
"""Settings of EquiMod on SimCLR in the comparison of seq-JEPA's code (arXiv:2505.03176)."""


@dataclass(frozen=True, slots=True)
class EquiModConfig(ProjectorConfig):
    """Settings of the two projectors, the predictor and the weight of the equivariant embedding."""

    equivariance_factor: float = 1.0
    """Weight of the terms of the equivariant embedding."""
    projector_norm: bool = False
    """True if projectors have no biases and end with batch norm, as in seq-JEPA's version."""


@dataclass(frozen=True, slots=True)
class EquiModSimCLRConfig(EquiModConfig):
    """Settings of EquiMod, and the temperature of the softmax."""

    temperature: float = 0.1


@dataclass(frozen=True, slots=True)
class EquiModVICRegConfig(EquiModConfig):
    """Settings of EquiMod, and the weights of VICReg for both embeddings."""

    invariance_weight: float = 10.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0


class SplitEmbeddings(NamedTuple):
    """The invariant and equivariant embeddings of a batch of pairs, each [B, E]."""

    x_i: Tensor
    """Invariant embeddings of the first views."""
    x_e: Tensor
    """Equivariant embeddings of the first views."""
    y_i: Tensor
    """Invariant embeddings of the second views."""
    y_e: Tensor
    """Equivariant embeddings of the second views."""
    predicted: Tensor
    """Predictions of ``y_e`` from ``x_e`` and the action."""


class EquiMod(UnsplitPredictorMethod):
    """Two projectors on the whole representation, and a predictor of the second one's embeddings."""

    def __init__(self, config: EquiModConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        self.config = config
        build = build_projector_with_norm if config.projector_norm else build_projector
        self.invariant_projector = build(backbone.dim, config.projector_widths)
        self.equivariant_projector = build(backbone.dim, config.projector_widths)
        self.predictor = build_predictor(config, config.projector_widths[-1])

    def project(self, representation: Tensor) -> Tensor:
        """Compute the equivariant embeddings [B, E]."""
        return self.equivariant_projector(representation)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], and the labels of ``config.action``; B >= 2.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        h1, h2 = self.represent_pair(batch)
        x_i, y_i = self.invariant_projector(h1), self.invariant_projector(h2)
        x_e, y_e, predicted = self.predict_pair(h1, h2, batch)
        return self.compute_terms(SplitEmbeddings(*map(gather_all_ranks, (x_i, x_e, y_i, y_e, predicted))))

    @abstractmethod
    def compute_terms(self, embeddings: SplitEmbeddings) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum."""


class EquiModSimCLR(EquiMod):
    """EquiMod on SimCLR: one contrastive term for each embedding."""

    config: EquiModSimCLRConfig

    def compute_terms(self, embeddings: SplitEmbeddings) -> dict[str, Tensor]:
        """Compute the two terms and their weighted sum; ``x_e`` enters only by its prediction."""
        invariance = losses.nt_xent_loss(embeddings.x_i, embeddings.y_i, temperature=self.config.temperature)
        equivariance = losses.nt_xent_loss(
            embeddings.predicted, embeddings.y_e, temperature=self.config.temperature
        )
        total = invariance + self.config.equivariance_factor * equivariance
        return {"loss": total, "invariance": invariance, "equivariance": equivariance}


class EquiModVICReg(EquiMod):
    """EquiMod on VICReg: VICReg's terms for each embedding; the second invariance term is of predictions."""

    config: EquiModVICRegConfig

    def compute_terms(self, embeddings: SplitEmbeddings) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum; unlike SIE, there is no variance term of predictions."""
        config, factor = self.config, self.config.equivariance_factor
        weights = (config.invariance_weight, config.variance_weight, config.covariance_weight)
        terms = (
            losses.invariance_loss(embeddings.x_i, embeddings.y_i),
            losses.variance_loss(embeddings.x_i, embeddings.y_i),
            losses.covariance_loss(embeddings.x_i, embeddings.y_i),
            losses.invariance_loss(embeddings.predicted, embeddings.y_e),
            losses.variance_loss(embeddings.x_e, embeddings.y_e),
            losses.covariance_loss(embeddings.x_e, embeddings.y_e),
        )
        all_weights = (*weights, *(factor * weight for weight in weights))
        weighted = zip(all_weights, terms, strict=True)
        return losses.sum_weighted_terms(dict(zip(_VICREG_TERMS, weighted, strict=True)))


_VICREG_TERMS = (
    "invariance",
    "variance",
    "covariance",
    "equivariance",
    "equivariant_variance",
    "equivariant_covariance",
)
