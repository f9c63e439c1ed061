"""PointNet: the category of a point cloud, by one network for all points and the maximum over them.

Qi, Su, Mo and Guibas, "PointNet: Deep Learning on Point Sets for 3D Classification and Segmentation" (CVPR
2017, arXiv:1612.00593). The order of the points changes nothing. Here each cloud is posed as its view is.

    loss = CE(head(max_p h(A2 g(A1 x_p))), category) + 0.001 |I - A2 A2^T|^2,    A1, A2: from all points
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.abilities import Classifies, Embedding, Embeds
from turntable.models.layers import gathered, mlp_with_norm
from turntable.models.method import SINGLE, Batch, DataInfo, Method, MethodConfig, SampleKind


@dataclass(frozen=True, slots=True)
class PointNetConfig(MethodConfig):
    """The widths of the network, its two transforms, and what is done to clouds."""

    paper_training: ClassVar[Mapping[str, Any]] = {
        "epochs": 250,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "schedule": "cosine",
    }
    """The paper halves the rate every 20 epochs; a cosine falls as far."""
    demo_training: ClassVar[Mapping[str, Any]] = {"batch_size": 32, "epochs": 8}

    point_widths: tuple[int, ...] = (64, 64)
    """Widths of the network over each point, before the second transform."""
    global_widths: tuple[int, ...] = (64, 128, 1024)
    """After it; the last is the width of the representation."""
    head_widths: tuple[int, ...] = (512, 256)
    """Widths of the head's hidden layers."""
    dropout: float = 0.3
    """Before the last layer."""
    transforms: bool = True
    """Whether the network turns the points, and then their features, by matrices that it tells from them."""
    orthogonality_weight: float = 0.001
    """The weight of how far the second matrix is from an orthogonal one."""
    jitter: float = 0.02
    """Deviation of the Gaussian noise on places in training, where the cloud's radius is 1."""
    unit_sphere: bool = True
    """Whether clouds are centered and scaled to radius 1, as in the paper; otherwise place and size count."""

    @property
    def sample(self) -> SampleKind:
        """One view: its posed cloud."""
        return SINGLE

    def demo(self) -> Self:
        """Narrower layers: points are many."""
        return replace(
            self, point_widths=(32, 32), global_widths=(32, 64, 256), head_widths=(128,), transforms=False
        )


class PointNet(Method, Embeds, Classifies):
    """A network over points, their maximum, and a classifier."""

    reads: tuple[str, ...] = ("points", "category")
    embeds_from: tuple[str, ...] = ("points",)

    def __init__(self, config: PointNetConfig, data: DataInfo) -> None:
        super().__init__()
        _check(config)
        self.config = config
        features = config.point_widths[-1]
        self.places_transform = _Transform(3) if config.transforms else None
        self.point_network = mlp_with_norm(3, *config.point_widths)
        self.features_transform = _Transform(features) if config.transforms else None
        self.global_network = mlp_with_norm(features, *config.global_widths)
        self.head = nn.Sequential(
            mlp_with_norm(config.global_widths[-1], *config.head_widths),
            nn.Dropout(config.dropout),
            nn.Linear(config.head_widths[-1], data.num_categories),
        )

    def embed(self, points: Tensor) -> Embedding:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Embed posed clouds, float32 [B, P, 3 or more]: places first; what follows is not looked at."""
        return Embedding.of(self._pooled(points)[0])

    def classify(self, representation: Tensor) -> Tensor:
        """Return logits [B, categories] of representations [B, D]."""
        return self.head(representation)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of batches with ``points`` [B, P, 6] and ``category`` [B]."""
        representation, turning = self._pooled(batch["points"])
        logits = gathered(self.classify(representation))
        weighted = {"category": (1.0, losses.cross_entropy(logits, gathered(batch["category"])))}
        if turning is not None:
            weighted["orthogonality"] = (
                self.config.orthogonality_weight,
                _distance_to_orthogonal(gathered(turning)),
            )
        return losses.weighted_sum(weighted)

    def _pooled(self, points: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the maximum [B, D] over points [B, P, 3 or more], and the matrices [B, F, F] of features."""
        places = points[..., :3]
        if self.config.unit_sphere:
            places = in_unit_sphere(places)
        if self.training and self.config.jitter:
            places = places + self.config.jitter * torch.randn_like(places)
        if self.places_transform is not None:
            places = places @ self.places_transform(places)
        features = self.point_network(places)
        turning = None if self.features_transform is None else self.features_transform(features)
        if turning is not None:
            features = features @ turning
        return self.global_network(features).amax(dim=1), turning


class _Transform(nn.Module):
    """A square matrix told from all points: the identity at first."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.points = mlp_with_norm(dim, 64, 128, 1024)
        self.whole = nn.Sequential(mlp_with_norm(1024, 512, 256), nn.Linear(256, dim * dim))
        last = self.whole[-1]
        nn.init.zeros_(last.weight)  # pyright: ignore[reportArgumentType]
        nn.init.zeros_(last.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        """Tell matrices [B, F, F] from features [B, P, F] of points."""
        told = self.whole(self.points(x).amax(dim=1)).unflatten(1, (self.dim, self.dim))
        return told + torch.eye(self.dim, device=x.device, dtype=told.dtype)


def in_unit_sphere(places: Tensor) -> Tensor:
    """Center clouds [B, P, 3] and scale each so that its farthest point is at 1; equal points go to 0."""
    centered = places - places.mean(dim=1, keepdim=True)
    radius = centered.norm(dim=2).amax(dim=1)[:, None, None]
    return centered / radius.clamp_min(1e-12)


@losses.full_precision
def _distance_to_orthogonal(matrices: Tensor) -> Tensor:
    """Return the mean over B of |I - A A^T|^2 of matrices A [B, F, F]."""
    identity = torch.eye(matrices.shape[1], device=matrices.device, dtype=matrices.dtype)
    return (identity - matrices @ matrices.transpose(1, 2)).square().sum(dim=(1, 2)).mean()


def _check(config: PointNetConfig) -> None:
    widths: Mapping[str, Sequence[int]] = {
        "point_widths": config.point_widths,
        "global_widths": config.global_widths,
        "head_widths": config.head_widths,
    }
    empty = [name for name, values in widths.items() if not values]
    if empty:
        raise InvalidInputError(f"{', '.join(empty)}: give one width at least")
