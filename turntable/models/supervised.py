"""Supervised: what the labels themselves teach, the bar that the methods without class labels are held to.

The category from one view by a linear layer; the rotation between two by the head that the evaluation uses,
trained end to end. No paper gives this baseline in full: this definition is ours.

    loss = a CE(class(h1), category) + a CE(class(h2), category) + b MSE(head([h1|h2]), q)
"""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from turntable.models import losses
from turntable.models.backbones import Backbone
from turntable.models.heads import mlp
from turntable.models.method import Batch, DataInfo, Method, MethodConfig


@dataclass(frozen=True, slots=True)
class SupervisedConfig(MethodConfig):
    """The weights of the two tasks and the width of the rotation head; a weight of 0 leaves a task out."""

    category_weight: float = 1.0
    rotation_weight: float = 1.0
    rotation_width: int = 1024
    double_cover: bool = False
    """Whether q and -q count as the same answer; otherwise the loader's sign rule is learned with it."""

    def demo(self) -> Self:
        """Narrower head, and a rotation term that the cross-entropy does not drown."""
        return replace(self, rotation_weight=10.0, rotation_width=512)


class Supervised(Method):
    """A linear classifier and a two-view rotation head over one backbone."""

    reads = ("view_1", "view_2", "category", "relative_quaternion")

    def __init__(self, config: SupervisedConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        self.config = config
        self.classifier = mlp(backbone.dim, data.num_categories)
        self.rotation_head = mlp(2 * backbone.dim, config.rotation_width, config.rotation_width, 4)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], ``category`` [B], ``relative_quaternion`` [B, 4]."""
        h1, h2 = self.represent_pair(batch)
        category = self._category_loss(h1, batch["category"]) + self._category_loss(h2, batch["category"])
        quaternion_loss = losses.double_cover if self.config.double_cover else losses.invariance
        rotation = quaternion_loss(
            self.rotation_head(torch.cat([h1, h2], dim=1)), batch["relative_quaternion"]
        )
        total = self.config.category_weight * category + self.config.rotation_weight * rotation
        return {"loss": total, "category": category, "rotation": rotation}

    def _category_loss(self, representation: Tensor, category: Tensor) -> Tensor:
        return functional.cross_entropy(self.classifier(representation).float(), category)
