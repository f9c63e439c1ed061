"""VICReg-Traj: VICReg, and embeddings that go straight ahead as an object turns steadily.

Wang, Chen and Yu, "Pose-Aware Self-Supervised Learning with Viewpoint Trajectory Regularization" (ECCV 2024,
arXiv:2403.14973), as seq-JEPA's comparison (arXiv:2505.03176) has it, on true trajectories: three views in a
row at a constant velocity, l, c and r.

    loss = VICReg(y_l, y_c; 25, 25, 1) - 1 cos(u1, u2),    u1, u2: y_c - y_l, y_r - y_c across y_c
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import Tensor
from torch.nn import functional

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.layers import gathered
from turntable.models.method import Batch, DataInfo, SampleKind, check_rows
from turntable.models.views.vicreg import VICReg, VICRegConfig

TRIPLET = SampleKind(views=3, consecutive=True)


@dataclass(frozen=True, slots=True)
class VICRegTrajConfig(VICRegConfig):
    """VICReg's, and the weight of straightness."""

    # Every visit of an object gives a triplet of each of its sequences.
    demo_training: ClassVar[Mapping[str, Any]] = {"batch_size": 64, "pairs_per_object": 1}

    invariance_weight: float = 25.0
    variance_weight: float = 25.0
    covariance_weight: float = 1.0
    straightness_weight: float = 1.0
    unit_length_assumed: bool = False
    """The code of seq-JEPA takes the part along y_c as (v . y_c) y_c, which is right for embeddings of length
    1 alone; otherwise it is divided by the squared length."""
    all_views: bool = False
    """Whether VICReg is over (y_c, y_r) too, half each; otherwise the third view has no term of its own."""

    @property
    def sample(self) -> SampleKind:
        """Three views in a row."""
        return TRIPLET

    def demo(self) -> Self:
        """Narrower projector, and weights that let straightness count."""
        return replace(
            self,
            projector_widths=(512, 512, 512),
            invariance_weight=10.0,
            variance_weight=10.0,
            straightness_weight=2.0,
        )


class VICRegTraj(VICReg):
    """VICReg over neighbours in a trajectory; it is not told how the object turned."""

    config: VICRegTrajConfig

    def __init__(self, config: VICRegTrajConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config, backbone, data)
        self.reads = ("views",)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with ``views``, uint8 [B, 3, 3, H, W], that follow one another.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_rows(batch["views"])
        left, centre, right = (
            gathered(self.projector(self.represent(view))) for view in batch["views"].unbind(1)
        )
        terms = self.combine(left, centre)
        if self.config.all_views:
            others = self.combine(centre, right)
            terms = {name: (value + others[name]) / 2 for name, value in terms.items()}
        straight = straightness(left, centre, right, unit_length_assumed=self.config.unit_length_assumed)
        terms["loss"] = terms["loss"] - self.config.straightness_weight * straight
        return {**terms, "straightness": straight}


@losses.full_precision
def straightness(left: Tensor, centre: Tensor, right: Tensor, *, unit_length_assumed: bool = False) -> Tensor:
    """The mean cosine between the steps to and from the middle, each without its part along the middle.

    Args:
        left: [B, E], of the first views.
        centre: [B, E].
        right: [B, E].
        unit_length_assumed: Whether the middle is taken to have length 1.
    """
    squared = 1.0 if unit_length_assumed else centre.square().sum(dim=1, keepdim=True).clamp_min(1e-12)
    before, after = (
        step - (step * centre).sum(dim=1, keepdim=True) / squared * centre
        for step in (centre - left, right - centre)
    )
    return functional.cosine_similarity(before, after, dim=1).mean()
