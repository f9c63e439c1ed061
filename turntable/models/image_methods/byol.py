"""BYOL: prediction of the other view's embedding by a moving average of the network.

Grill et al., "Bootstrap Your Own Latent" (NeurIPS 2020, arXiv:2006.07733), with the sizes of seq-JEPA's
comparison (arXiv:2505.03176).

    loss = 2 - 2 cos(P(g(h1)), g'(h2')) + 2 - 2 cos(P(g(h2)), g'(h1'))

g is the projector, P the predictor. A prime marks the moving average, whose decay rises from 0.996 to 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.layers import (
    BufferUpdate,
    MovingAverage,
    UpdateInterval,
    build_projector_with_norm,
    compute_cosine_decay,
    gather_all_ranks,
)
from turntable.models.method import Batch, DataInfo, MethodConfig, TrainState, check_num_rows


@dataclass(frozen=True, slots=True)
class BYOLConfig(MethodConfig):
    """Settings of the projector, the predictor and the target network."""

    paper_training: ClassVar[Mapping[str, Any]] = {
        "epochs": 1000,
        "batch_size": 512,
        "learning_rate": 4e-4,
        "image_size": 128,
    }

    projector_widths: tuple[int, int] = (2048, 128)
    predictor_width: int = 2048
    decay: float = 0.996
    """Decay of the moving average at the first step; it rises to 1 along half a cosine."""
    decay_every: UpdateInterval = "step"
    """"epoch" changes the decay only between epochs, as the code of seq-JEPA does."""
    target_buffers: BufferUpdate = "average"
    """"keep" gives the target network its own running statistics, as the code of seq-JEPA does."""
    update_target: bool = True
    """False keeps the target network as initialized, which is the default in the code of seq-JEPA."""

    def demo(self) -> Self:
        """Return settings with narrower heads and a faster moving average, since a demo has few steps."""
        return replace(self, projector_widths=(512, 128), predictor_width=512, decay=0.98)


class BYOL(ImageMethod):
    """An online network with a predictor, and a target network that is the online one's moving average."""

    def __init__(self, config: BYOLConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.projector = build_projector_with_norm(backbone.dim, config.projector_widths)
        width = config.projector_widths[-1]
        self.predictor = self.build_predictor(width)
        self.target = MovingAverage(nn.Sequential(backbone, self.projector), config.target_buffers)

    def build_predictor(self, width: int) -> nn.Module:
        """Build the predictor, which follows the projector [B, width] of the online network."""
        return build_byol_predictor(width, self.config.predictor_width, width)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of ``view_1`` and ``view_2``, uint8 [B, 3, H, W].

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["view_1"])
        views = self.preprocess(batch["view_1"]), self.preprocess(batch["view_2"])
        p1, p2 = (gather_all_ranks(self.predictor(self.projector(self.backbone(view)))) for view in views)
        t1, t2 = (gather_all_ranks(self.target(view)) for view in views)
        return {"loss": 2 * losses.cosine_distance_loss(p1, t2) + 2 * losses.cosine_distance_loss(p2, t1)}

    def after_step(self, state: TrainState) -> None:
        """Update the target network."""
        if self.config.update_target:
            decay = compute_cosine_decay(self.config.decay, state, self.config.decay_every)
            self.target.update(nn.Sequential(self.backbone, self.projector), decay)


def build_byol_predictor(dim_in: int, width: int, dim_out: int) -> nn.Sequential:
    """Build a predictor from [B, dim_in] to [B, dim_out]: linear, batch norm, ReLU, linear."""
    return nn.Sequential(
        nn.Linear(dim_in, width), nn.BatchNorm1d(width), nn.ReLU(inplace=True), nn.Linear(width, dim_out)
    )
