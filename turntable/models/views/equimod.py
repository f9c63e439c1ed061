"""EquiMod: beside an invariant embedding, a second one whose change a module predicts from the action.

Devillers and Lefort, "EquiMod: An Equivariance Module to Improve Visual Instance Discrimination" (ICLR 2023,
arXiv:2211.01244), with SIE's predictor, as SIE's comparison (arXiv:2302.10283) has it.

    SimCLR: loss = NTXent(x_i, y_i) + b NTXent(P(x_e, z), y_e)
    VICReg: loss = VICReg(x_i, y_i) + b [10 MSE(P(x_e, z), y_e) + 10 V(x_e, y_e) + 1 C(x_e, y_e)]
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.layers import build_predictor, gathered, projector, projector_with_norm
from turntable.models.method import Batch, DataInfo, check_rows
from turntable.models.views.predicting_method import ProjectingConfig, WholePredictingMethod

SEQ_JEPA_VERSION: Mapping[str, Any] = {
    "projector_widths": (1024, 1024, 128),
    "projector_norm": True,
    "predictor": "embedded",
    "action_width": 128,
    "temperature": 0.5,
    "equivariance_factor": 1.0,
}
"""EquiMod on SimCLR in the comparison of seq-JEPA's code (arXiv:2505.03176)."""


@dataclass(frozen=True, slots=True)
class EquiModConfig(ProjectingConfig):
    """The weight of the second embedding, the widths of the two projectors, and the predictor."""

    equivariance_factor: float = 1.0
    """The terms of the equivariant embedding weigh this much."""
    projector_norm: bool = False
    """Whether projectors are without biases and end in batch norm, as in seq-JEPA's version."""


@dataclass(frozen=True, slots=True)
class EquiModSimCLRConfig(EquiModConfig):
    """EquiMod's, and the temperature of the softmax."""

    temperature: float = 0.1


@dataclass(frozen=True, slots=True)
class EquiModVICRegConfig(EquiModConfig):
    """EquiMod's, and VICReg's weights, which both embeddings share."""

    invariance_weight: float = 10.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0


class SplitEmbeddings(NamedTuple):
    """Of a batch of pairs, each [B, E]: x of the first views, y of the second."""

    x_i: Tensor
    x_e: Tensor
    y_i: Tensor
    y_e: Tensor
    predicted: Tensor
    """``y_e`` as it is predicted from ``x_e`` and the action."""


class EquiMod(WholePredictingMethod):
    """Two projectors over the whole representation, and a predictor of the second one's embeddings."""

    def __init__(self, config: EquiModConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config.action, backbone, data)
        self.config = config
        make_projector = projector_with_norm if config.projector_norm else projector
        self.invariant_projector = make_projector(backbone.dim, config.projector_widths)
        self.equivariant_projector = make_projector(backbone.dim, config.projector_widths)
        self.predictor = build_predictor(config, config.projector_widths[-1])

    def project(self, representation: Tensor) -> Tensor:
        """The equivariant embedding [B, E]."""
        return self.equivariant_projector(representation)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], and the labels of ``config.action``; B >= 2.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        h1, h2 = self.represent_pair(batch)
        x_i, y_i = self.invariant_projector(h1), self.invariant_projector(h2)
        x_e, y_e, predicted = self.predict_pair(h1, h2, batch)
        return self.combine(SplitEmbeddings(*map(gathered, (x_i, x_e, y_i, y_e, predicted))))

    @abstractmethod
    def combine(self, of: SplitEmbeddings) -> dict[str, Tensor]:
        """The terms and their weighted sum."""


class EquiModSimCLR(EquiMod):
    """A contrast for each embedding: which of all views is the other one, which the one predicted."""

    config: EquiModSimCLRConfig

    def combine(self, of: SplitEmbeddings) -> dict[str, Tensor]:
        """The two terms and their weighted sum; ``x_e`` counts by its prediction alone."""
        invariance = losses.nt_xent(of.x_i, of.y_i, temperature=self.config.temperature)
        equivariance = losses.nt_xent(of.predicted, of.y_e, temperature=self.config.temperature)
        total = invariance + self.config.equivariance_factor * equivariance
        return {"loss": total, "invariance": invariance, "equivariance": equivariance}


class EquiModVICReg(EquiMod):
    """VICReg for each embedding, the second one's invariance that of its predictions."""

    config: EquiModVICRegConfig

    def combine(self, of: SplitEmbeddings) -> dict[str, Tensor]:
        """The terms and their weighted sum; predictions need not vary, as they must in SIE."""
        config, factor = self.config, self.config.equivariance_factor
        weights = (config.invariance_weight, config.variance_weight, config.covariance_weight)
        terms = (
            losses.invariance(of.x_i, of.y_i),
            losses.variance(of.x_i, of.y_i),
            losses.covariance(of.x_i, of.y_i),
            losses.invariance(of.predicted, of.y_e),
            losses.variance(of.x_e, of.y_e),
            losses.covariance(of.x_e, of.y_e),
        )
        all_weights = (*weights, *(factor * weight for weight in weights))
        weighted = zip(all_weights, terms, strict=True)
        return losses.weighted_sum(dict(zip(_VICREG_TERMS, weighted, strict=True)))


_VICREG_TERMS = (
    "invariance",
    "variance",
    "covariance",
    "equivariance",
    "equivariant_variance",
    "equivariant_covariance",
)
