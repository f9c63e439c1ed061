"""VICReg: two views of an object should embed alike, and no two dimensions of the embedding may be one.

Bardes, Ponce and LeCun, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning"
(ICLR 2022, arXiv:2105.04906); coefficients as SIE's comparison uses them.

    loss = 10 MSE(x, y) + 10 V(x, y) + 1 C(x, y),    x = projector(h1), y = projector(h2)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.layers import gathered, projector
from turntable.models.method import Batch, DataInfo, MethodConfig, check_rows
from turntable.models.views.image_method import ImageMethod

SEQ_JEPA_VERSION: Mapping[str, Any] = {
    "invariance_weight": 25.0,
    "variance_weight": 25.0,
    "covariance_weight": 1.0,
}
"""The weights of VICReg's own paper, which the comparison in seq-JEPA's code (arXiv:2505.03176) has too."""


@dataclass(frozen=True, slots=True)
class VICRegConfig(MethodConfig):
    """The weights of the terms, the widths of the projector."""

    invariance_weight: float = 10.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    projector_widths: tuple[int, int, int] = (2048, 2048, 2048)
    free_share: float = 0.0
    """The share of the embedding's dimensions, its last, that need not be alike: SIE's "VICReg, partial
    invariance" has half. 0: all are held alike."""

    def demo(self) -> Self:
        """Narrower projector."""
        return replace(self, projector_widths=(512, 512, 512))


class VICReg(ImageMethod):
    """The invariant baseline: it never reads how the object turned."""

    def __init__(self, config: VICRegConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.alike = _dimensions_alike(config)
        self.projector = projector(backbone.dim, config.projector_widths)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with ``view_1`` and ``view_2``, uint8 [B, 3, H, W].

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        return self.combine(*(gathered(self.projector(h)) for h in self.represent_pair(batch)))

    def combine(self, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The terms and their weighted sum, from the embeddings [B, E] of both views."""
        config = self.config
        return losses.weighted_sum(
            {
                "invariance": (
                    config.invariance_weight,
                    losses.invariance(x[:, : self.alike], y[:, : self.alike]),
                ),
                "variance": (config.variance_weight, losses.variance(x, y)),
                "covariance": (config.covariance_weight, losses.covariance(x, y)),
            }
        )


def _dimensions_alike(config: VICRegConfig) -> int:
    """How many dimensions of the embedding, its first, are held alike."""
    share, width = config.free_share, config.projector_widths[-1]
    alike = width - round(share * width) if 0 <= share <= 1 else 0
    if alike < 1:
        raise InvalidInputError(
            f"free_share is {share}; it must be at least 0, and leave one of {width} dimensions to hold alike"
        )
    return alike
