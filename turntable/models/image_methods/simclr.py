"""SimCLR: each view must find the other view of the same object among all views of a batch.

Chen, Kornblith, Norouzi and Hinton, "A Simple Framework for Contrastive Learning of Visual Representations"
(ICML 2020, arXiv:2002.05709), with the projector and the temperature of SIE's comparison.

    loss = NTXent(x, y; 0.1),    x = projector(h1), y = projector(h2)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from torch import Tensor

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.layers import build_projector, gather_all_ranks
from turntable.models.method import Batch, DataInfo, MethodConfig, check_num_rows

SEQ_JEPA_SETTINGS: Mapping[str, Any] = {"temperature": 0.5}
"""Settings in the comparison of seq-JEPA's code (arXiv:2505.03176)."""


@dataclass(frozen=True, slots=True)
class SimCLRConfig(MethodConfig):
    """Settings of the projector, and the temperature of the softmax."""

    temperature: float = 0.1
    projector_widths: tuple[int, int, int] = (2048, 2048, 2048)

    def demo(self) -> Self:
        """Return settings with a narrower projector."""
        return replace(self, projector_widths=(512, 512, 512))


class SimCLR(ImageMethod):
    """The contrastive invariant baseline, which does not read the action."""

    def __init__(self, config: SimCLRConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.projector = build_projector(backbone.dim, config.projector_widths)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of ``view_1`` and ``view_2``, uint8 [B, 3, H, W].

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        return {"loss": self.contrastive_loss(*self.represent_pair(batch))}

    def contrastive_loss(self, h1: Tensor, h2: Tensor) -> Tensor:
        """Compute NT-Xent from the representations [B, D] of both views, over the batches of all ranks."""
        x, y = gather_all_ranks(self.projector(h1)), gather_all_ranks(self.projector(h2))
        return losses.nt_xent_loss(x, y, temperature=self.config.temperature)
