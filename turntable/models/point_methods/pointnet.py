"""PointNet: the category of a point cloud, from one network for all points and the maximum over points.

Qi, Su, Mo and Guibas, "PointNet: Deep Learning on Point Sets for 3D Classification and Segmentation" (CVPR
2017, arXiv:1612.00593). The result does not depend on the order of the points. The cloud is any field of
points: by default the object's, in the pose of its view; ``cloud`` is what the view shows of it.

    loss = CE(head(max_p h(A2 g(A1 x_p))), category) + 0.001 |I - A2 A2^T|^2

A1 and A2 are matrices predicted from all points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.abilities import Classifies, Embedding, Embeds
from turntable.models.layers import build_mlp_with_norm, gather_all_ranks
from turntable.models.method import SINGLE, Batch, DataInfo, Method, MethodConfig, SampleSpec


@dataclass(frozen=True, slots=True)
class PointNetConfig(MethodConfig):
    """Settings of the network, its two transforms, and the preprocessing of clouds."""

    paper_training: ClassVar[Mapping[str, Any]] = {
        "epochs": 250,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "schedule": "cosine",
    }
    """The paper halves the learning rate every 20 epochs; the cosine decays as far."""
    demo_training: ClassVar[Mapping[str, Any]] = {"batch_size": 32, "target_steps": 1920}

    cloud: str = "points"
    """Field of a batch with the points, [B, P, 3 or more]: ``points``, ``cloud``, or another one."""
    count: str = ""
    """Field with the number of points of each cloud, the first ones, where clouds are padded; "": all are
    points, as in ``points`` and ``cloud``."""
    point_widths: tuple[int, ...] = (64, 64)
    """Widths of the layers on each point before the second transform."""
    global_widths: tuple[int, ...] = (64, 128, 1024)
    """Widths of the layers after it; the last one is the width of the representation."""
    head_widths: tuple[int, ...] = (512, 256)
    """Widths of the head's hidden layers."""
    dropout: float = 0.3
    """Dropout probability before the last layer of the head."""
    transforms: bool = True
    """True if the network multiplies the points, and then their features, by matrices predicted from them."""
    orthogonality_weight: float = 0.001
    """Weight of the second matrix's distance from an orthogonal one."""
    jitter: float = 0.02
    """Standard deviation of the Gaussian noise added to positions in training, in units of the cloud's
    radius."""
    unit_sphere: bool = True
    """True if clouds are centered and scaled to radius 1, as in the paper; otherwise the network sees their
    position and size."""

    @property
    def sample(self) -> SampleSpec:
        """Samples of one view: its cloud."""
        return SINGLE

    @property
    def cloud_fields(self) -> tuple[str, ...]:
        """Fields from which a cloud is embedded."""
        return (self.cloud, self.count) if self.count else (self.cloud,)

    def demo(self) -> Self:
        """Return settings with narrower layers, which run once per point, and without transforms."""
        return replace(
            self, point_widths=(32, 32), global_widths=(32, 64, 256), head_widths=(128,), transforms=False
        )


class PointNet(Method, Embeds, Classifies):
    """A network on points, the maximum over points, and a classifier."""

    reads: tuple[str, ...] = ("points", "category")
    embeds_from: tuple[str, ...] = ("points",)

    def __init__(self, config: PointNetConfig, data: DataInfo) -> None:
        super().__init__()
        _check_config(config)
        self.config = config
        self.embeds_from = config.cloud_fields
        self.reads = (*config.cloud_fields, "category")
        features = config.point_widths[-1]
        self.places_transform = _TransformNet(3) if config.transforms else None
        self.point_network = build_mlp_with_norm(3, *config.point_widths)
        self.features_transform = _TransformNet(features) if config.transforms else None
        self.global_network = build_mlp_with_norm(features, *config.global_widths)
        self.head = nn.Sequential(
            build_mlp_with_norm(config.global_widths[-1], *config.head_widths),
            nn.Dropout(config.dropout),
            nn.Linear(config.head_widths[-1], data.num_categories),
        )

    def embed(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, points: Tensor, count: Tensor | None = None
    ) -> Embedding:
        """Embed clouds.

        Args:
            points: float32 [B, P, 3 or more]; only the positions, the first three, are used.
            count: [B] number of points of each cloud, the first ones; None: all.

        Raises:
            InvalidInputError: The points have another shape.
        """
        return Embedding.from_parts(self._pool_points(points, count)[0])

    def classify(self, representation: Tensor) -> Tensor:
        """Compute logits [B, num_categories] of representations [B, D]."""
        return self.head(representation)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of batches with the cloud's fields and ``category`` [B]."""
        representation, matrices = self._pool_points(*(batch[name] for name in self.config.cloud_fields))
        logits = gather_all_ranks(self.classify(representation))
        weighted = {"category": (1.0, losses.cross_entropy_loss(logits, gather_all_ranks(batch["category"])))}
        if matrices is not None:
            weighted["orthogonality"] = (
                self.config.orthogonality_weight,
                _orthogonality_loss(gather_all_ranks(matrices)),
            )
        return losses.sum_weighted_terms(weighted)

    def _pool_points(self, points: Tensor, count: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Compute the maximum [B, D] over points [B, P, 3 or more], and the features' matrices [B, F, F]."""
        if points.ndim != 3 or points.shape[2] < 3:
            raise InvalidInputError(
                f"{self.config.cloud} is {list(points.shape)}, not [B, P, 3 or more]; give a field of points"
            )
        positions = points[..., :3]
        if count is not None:
            positions = repeat_points(positions, count)
        if self.config.unit_sphere:
            positions = scale_to_unit_sphere(positions)
        if self.training and self.config.jitter:
            positions = positions + self.config.jitter * torch.randn_like(positions)
        if self.places_transform is not None:
            positions = positions @ self.places_transform(positions)
        features = self.point_network(positions)
        matrices = None if self.features_transform is None else self.features_transform(features)
        if matrices is not None:
            features = features @ matrices
        return self.global_network(features).amax(dim=1), matrices


class _TransformNet(nn.Module):
    """A network that predicts a square matrix from all points (the paper's T-Net); at first the identity."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.points = build_mlp_with_norm(dim, 64, 128, 1024)
        self.whole = nn.Sequential(build_mlp_with_norm(1024, 512, 256), nn.Linear(256, dim * dim))
        last = self.whole[-1]
        nn.init.zeros_(last.weight)  # pyright: ignore[reportArgumentType]
        nn.init.zeros_(last.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        """Predict matrices [B, F, F] from features [B, P, F] of points."""
        offset = self.whole(self.points(x).amax(dim=1)).unflatten(1, (self.dim, self.dim))
        return offset + torch.eye(self.dim, device=x.device, dtype=offset.dtype)


def repeat_points(points: Tensor, count: Tensor) -> Tensor:
    """Return padded clouds [B, P, 3] in which the first ``count`` [B] points come again and again instead.

    A cloud without points becomes zeros.
    """
    index = torch.arange(points.shape[1], device=points.device) % count.clamp_min(1)[:, None]
    repeated = points.gather(1, index[..., None].expand_as(points))
    return torch.where((count > 0)[:, None, None], repeated, torch.zeros_like(repeated))


def scale_to_unit_sphere(points: Tensor) -> Tensor:
    """Center clouds [B, P, 3] and scale each to radius 1; a cloud of equal points becomes zeros."""
    centered = points - points.mean(dim=1, keepdim=True)
    radius = centered.norm(dim=2).amax(dim=1)[:, None, None]
    return centered / radius.clamp_min(1e-12)


@losses.with_full_precision
def _orthogonality_loss(matrices: Tensor) -> Tensor:
    """Compute the mean over B of |I - A A^T|^2 for matrices A [B, F, F]."""
    identity = torch.eye(matrices.shape[1], device=matrices.device, dtype=matrices.dtype)
    return (identity - matrices @ matrices.transpose(1, 2)).square().sum(dim=(1, 2)).mean()


def _check_config(config: PointNetConfig) -> None:
    widths: Mapping[str, Sequence[int]] = {
        "point_widths": config.point_widths,
        "global_widths": config.global_widths,
        "head_widths": config.head_widths,
    }
    empty = [name for name, values in widths.items() if not values]
    if not config.cloud:
        raise InvalidInputError("cloud: give the field with the points, such as points or cloud")
    if empty:
        raise InvalidInputError(f"{', '.join(empty)}: give at least one width")
