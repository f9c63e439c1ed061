"""VICReg: equal embeddings of two views of an object, with dimensions that vary and are uncorrelated.

Bardes, Ponce and LeCun, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning"
(ICLR 2022, arXiv:2105.04906), with the coefficients of SIE's comparison.

    loss = 10 MSE(x, y) + 10 V(x, y) + 1 C(x, y),    x = projector(h1), y = projector(h2)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.layers import build_projector, gather_all_ranks
from turntable.models.method import Batch, DataInfo, MethodConfig, check_num_rows

SEQ_JEPA_SETTINGS: Mapping[str, Any] = {
    "invariance_weight": 25.0,
    "variance_weight": 25.0,
    "covariance_weight": 1.0,
}
"""Weights of VICReg's paper, which the comparison in seq-JEPA's code (arXiv:2505.03176) uses as well."""


@dataclass(frozen=True, slots=True)
class VICRegConfig(MethodConfig):
    """Settings of the projector, and the weights of the terms."""

    invariance_weight: float = 10.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    projector_widths: tuple[int, int, int] = (2048, 2048, 2048)
    free_fraction: float = 0.0
    """Fraction of the embedding's dimensions, the last ones, that the invariance term leaves out, in [0, 1).
    SIE's "VICReg, partial invariance" has half."""

    def demo(self) -> Self:
        """Return settings with a narrower projector."""
        return replace(self, projector_widths=(512, 512, 512))


class VICReg(ImageMethod):
    """The invariant baseline, which does not read the action."""

    def __init__(self, config: VICRegConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.num_invariant_dims = _count_invariant_dims(config)
        self.projector = build_projector(backbone.dim, config.projector_widths)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of ``view_1`` and ``view_2``, uint8 [B, 3, H, W].

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        return self.compute_terms(*(gather_all_ranks(self.projector(h)) for h in self.represent_pair(batch)))

    def compute_terms(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Compute the terms and their weighted sum, from the embeddings [B, E] of both views."""
        config = self.config
        return losses.sum_weighted_terms(
            {
                "invariance": (
                    config.invariance_weight,
                    losses.invariance_loss(x[:, : self.num_invariant_dims], y[:, : self.num_invariant_dims]),
                ),
                "variance": (config.variance_weight, losses.variance_loss(x, y)),
                "covariance": (config.covariance_weight, losses.covariance_loss(x, y)),
            }
        )


def _count_invariant_dims(config: VICRegConfig) -> int:
    """Return the number of dimensions, the first ones of the embedding, in the invariance term."""
    fraction, width = config.free_fraction, config.projector_widths[-1]
    num_dims = width - round(fraction * width) if 0 <= fraction <= 1 else 0
    if num_dims < 1:
        raise InvalidInputError(
            f"free_fraction is {fraction}; it must be at least 0, and leave at least one of {width}"
            " dimensions invariant"
        )
    return num_dims
