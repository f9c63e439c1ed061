"""SimCLR: of all views in a batch, tell which is the other view of the same object.

Chen, Kornblith, Norouzi and Hinton, "A Simple Framework for Contrastive Learning of Visual Representations"
(ICML 2020, arXiv:2002.05709); projector and temperature as SIE's comparison has them.

    loss = NTXent(x, y; 0.1),    x = projector(h1), y = projector(h2)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.layers import gathered, projector
from turntable.models.method import Batch, DataInfo, MethodConfig, check_rows
from turntable.models.views.image_method import ImageMethod

SEQ_JEPA_VERSION: Mapping[str, Any] = {"temperature": 0.5}
"""As in the comparison of seq-JEPA's code (arXiv:2505.03176)."""


@dataclass(frozen=True, slots=True)
class SimCLRConfig(MethodConfig):
    """The temperature of the softmax, the widths of the projector."""

    temperature: float = 0.1
    projector_widths: tuple[int, int, int] = (2048, 2048, 2048)

    def demo(self) -> Self:
        """Narrower projector."""
        return replace(self, projector_widths=(512, 512, 512))


class SimCLR(ImageMethod):
    """The contrastive invariant baseline: it never reads how the object turned."""

    def __init__(self, config: SimCLRConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.projector = projector(backbone.dim, config.projector_widths)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with ``view_1`` and ``view_2``, uint8 [B, 3, H, W].

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        return {"loss": self.contrast(*self.represent_pair(batch))}

    def contrast(self, h1: Tensor, h2: Tensor) -> Tensor:
        """NT-Xent of the projections of both views' representations [B, D], over the batches of all ranks."""
        x, y = gathered(self.projector(h1)), gathered(self.projector(h2))
        return losses.nt_xent(x, y, temperature=self.config.temperature)
