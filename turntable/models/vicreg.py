"""VICReg: two views of an object should embed alike, and no two dimensions of the embedding may be one.

Bardes, Ponce and LeCun, "VICReg: Variance-Invariance-Covariance Regularization for Self-Supervised Learning"
(ICLR 2022, arXiv:2105.04906); coefficients as SIE's comparison uses them.

    loss = 10 MSE(x, y) + 10 V(x, y) + 1 C(x, y),    x = projector(h1), y = projector(h2)
"""

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.heads import projector
from turntable.models.method import Batch, DataInfo, Method, MethodConfig


@dataclass(frozen=True, slots=True)
class VICRegConfig(MethodConfig):
    """The weights of the terms, the widths of the projector."""

    invariance_weight: float = 10.0
    variance_weight: float = 10.0
    covariance_weight: float = 1.0
    projector_widths: tuple[int, int, int] = (2048, 2048, 2048)

    def demo(self) -> Self:
        """Narrower projector."""
        return replace(self, projector_widths=(512, 512, 512))


class VICReg(Method):
    """The invariant baseline: it never reads how the object turned."""

    reads = ("view_1", "view_2")

    def __init__(self, config: VICRegConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.projector = projector(backbone.dim, config.projector_widths)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with ``view_1`` and ``view_2``, uint8 [B, 3, H, W], B >= 2."""
        h1, h2 = self.represent_pair(batch)
        x, y = self.projector(h1), self.projector(h2)
        invariance = losses.invariance(x, y)
        variance = losses.variance(x, y)
        covariance = losses.covariance(x, y)
        total = (
            self.config.invariance_weight * invariance
            + self.config.variance_weight * variance
            + self.config.covariance_weight * covariance
        )
        return {"loss": total, "invariance": invariance, "variance": variance, "covariance": covariance}
