"""VICReg-Traj: VICReg, and embeddings that move along a straight path as an object rotates steadily.

Wang, Chen and Yu, "Pose-Aware Self-Supervised Learning with Viewpoint Trajectory Regularization" (ECCV 2024,
arXiv:2403.14973), as in seq-JEPA's comparison (arXiv:2505.03176), on real trajectories: three consecutive
views l, c and r at a constant velocity.

    loss = VICReg(y_l, y_c; 25, 25, 1) - 1 cos(u1, u2)

u1 and u2 are the components of y_c - y_l and y_r - y_c orthogonal to y_c.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from torch import Tensor
from torch.nn import functional

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.image_methods.vicreg import VICReg, VICRegConfig
from turntable.models.layers import gather_all_ranks
from turntable.models.method import Batch, DataInfo, SampleSpec, check_num_rows

TRIPLET_SPEC = SampleSpec(num_views=3, consecutive=True)
"""Samples of three consecutive views of a sequence."""


@dataclass(frozen=True, slots=True)
class VICRegTrajConfig(VICRegConfig):
    """Settings of VICReg, and the weight of the straightness."""

    # An epoch has a triplet of each sequence of an object, so that one sample per sequence is enough.
    demo_training: ClassVar[Mapping[str, Any]] = {"batch_size": 64, "pairs_per_object": 1}

    invariance_weight: float = 25.0
    variance_weight: float = 25.0
    covariance_weight: float = 1.0
    straightness_weight: float = 1.0
    assume_unit_length: bool = False
    """True to compute the component along y_c as (v . y_c) y_c, as the code of seq-JEPA does, which is
    correct only for embeddings of length 1. Otherwise it is divided by the squared length of y_c."""
    all_views: bool = False
    """True if VICReg's terms are averaged over the pairs (y_l, y_c) and (y_c, y_r); otherwise the third view
    enters only the straightness."""

    @property
    def sample(self) -> SampleSpec:
        """Samples of three consecutive views."""
        return TRIPLET_SPEC

    def demo(self) -> Self:
        """Return settings with a narrower projector and a larger weight of the straightness."""
        return replace(
            self,
            projector_widths=(512, 512, 512),
            invariance_weight=10.0,
            variance_weight=10.0,
            straightness_weight=2.0,
        )


class VICRegTraj(VICReg):
    """VICReg on consecutive views of a trajectory, which does not read the action."""

    config: VICRegTrajConfig

    def __init__(self, config: VICRegTrajConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(config, backbone, data)
        self.reads = ("views",)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of ``views``, uint8 [B, 3, 3, H, W], three consecutive views per sample.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        check_num_rows(batch["views"])
        left, center, right = (
            gather_all_ranks(self.projector(self.represent(view))) for view in batch["views"].unbind(1)
        )
        terms = self.compute_terms(left, center)
        if self.config.all_views:
            others = self.compute_terms(center, right)
            terms = {name: (value + others[name]) / 2 for name, value in terms.items()}
        straightness = compute_straightness(
            left, center, right, assume_unit_length=self.config.assume_unit_length
        )
        terms["loss"] = terms["loss"] - self.config.straightness_weight * straightness
        return {**terms, "straightness": straightness}


@losses.with_full_precision
def compute_straightness(
    left: Tensor, center: Tensor, right: Tensor, *, assume_unit_length: bool = False
) -> Tensor:
    """Compute the mean cosine between the steps left -> center and center -> right.

    The component along ``center`` is removed from both steps.

    Args:
        left: Embeddings [B, E] of the first views.
        center: Embeddings [B, E] of the second views.
        right: Embeddings [B, E] of the third views.
        assume_unit_length: True to take the length of ``center`` as 1.
    """
    squared = 1.0 if assume_unit_length else center.square().sum(dim=1, keepdim=True).clamp_min(1e-12)
    before, after = (
        step - (step * center).sum(dim=1, keepdim=True) / squared * center
        for step in (center - left, right - center)
    )
    return functional.cosine_similarity(before, after, dim=1).mean()
