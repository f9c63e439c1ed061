"""BYOL: one view predicts what a slowly following copy of the network says of the other view.

Grill et al., "Bootstrap Your Own Latent" (NeurIPS 2020, arXiv:2006.07733), at the sizes of seq-JEPA's
comparison (arXiv:2505.03176).

    loss = 2 - 2 cos(P(g(h1)), g'(h2')) + 2 - 2 cos(P(g(h2)), g'(h1'));   ': of the moving average, 0.996 -> 1
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.layers import Buffers, Every, MovingAverage, cosine_decay, gathered, projector_with_norm
from turntable.models.method import Batch, DataInfo, MethodConfig, Moment, check_rows
from turntable.models.views.image_method import ImageMethod


@dataclass(frozen=True, slots=True)
class BYOLConfig(MethodConfig):
    """The widths of projector and predictor, and how the target follows."""

    paper_training: ClassVar[Mapping[str, Any]] = {
        "epochs": 1000,
        "batch_size": 512,
        "learning_rate": 4e-4,
        "image_size": 128,
    }

    projector_widths: tuple[int, int] = (2048, 128)
    predictor_width: int = 2048
    decay: float = 0.996
    """Of the moving average at the first step; it rises to 1 by half a cosine."""
    decay_every: Every = "step"
    """"epoch": the decay changes between epochs alone, as in the code of seq-JEPA."""
    target_buffers: Buffers = "average"
    """"keep": running statistics are the target's own, as in the code of seq-JEPA."""
    target_follows: bool = True
    """The code of seq-JEPA leaves the target as it was at first unless it is told otherwise."""

    def demo(self) -> Self:
        """Narrower heads, and a target that follows faster: a short training has few steps."""
        return replace(self, projector_widths=(512, 128), predictor_width=512, decay=0.98)


class BYOL(ImageMethod):
    """An online network with a predictor, and a target network that is its moving average."""

    def __init__(self, config: BYOLConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.projector = projector_with_norm(backbone.dim, config.projector_widths)
        width = config.projector_widths[-1]
        self.predictor = self.make_predictor(width)
        self.target = MovingAverage(nn.Sequential(backbone, self.projector), config.target_buffers)

    def make_predictor(self, width: int) -> nn.Module:
        """What comes after the projector [B, width] of the online network alone."""
        return byol_predictor(width, self.config.predictor_width, width)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with ``view_1`` and ``view_2``, uint8 [B, 3, H, W].

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["view_1"])
        views = self.seen(batch["view_1"]), self.seen(batch["view_2"])
        p1, p2 = (gathered(self.predictor(self.projector(self.backbone(view)))) for view in views)
        t1, t2 = (gathered(self.target(view)) for view in views)
        return {"loss": 2 * losses.cosine_distance(p1, t2) + 2 * losses.cosine_distance(p2, t1)}

    def after_step(self, moment: Moment) -> None:
        """The target follows."""
        if self.config.target_follows:
            decay = cosine_decay(self.config.decay, moment, self.config.decay_every)
            self.target.follow(nn.Sequential(self.backbone, self.projector), decay)


def byol_predictor(dim_in: int, width: int, dim_out: int) -> nn.Sequential:
    """Linear, batch norm, ReLU, linear: from [B, dim_in] to [B, dim_out]."""
    return nn.Sequential(
        nn.Linear(dim_in, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True), nn.Linear(width, dim_out)
    )
