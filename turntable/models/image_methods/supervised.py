"""Supervised: training on the labels themselves, the reference for methods without category labels.

A linear layer predicts the category from one view. Heads like those of the evaluation predict the rotation,
the hues and the translation between two views. All are trained end to end. No paper gives this baseline in
full; this definition is this project's, with the evaluation's settings (Adam 1e-3, no weight decay, batches
of 256).

    loss = a [CE(classifier(h1), category) + CE(classifier(h2), category)] / 2
           + sum over tasks of b MSE(head([h1|h2]), label)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, get_args

import torch
from torch import Tensor, nn

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.actions import ROTATION, action_from_batch, get_action_dim
from turntable.models.backbones import Backbone
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.layers import build_mlp, gather_all_ranks
from turntable.models.method import Batch, DataInfo, MethodConfig

CategoryHead = Literal["linear", "ebv"]
"""Heads for the category; see ``SupervisedConfig.category_head``."""
COLOR = ("floor_hue_difference", "light_hue_difference")
"""Labels of the color task."""
TRANSLATION = ("translation_difference_object",)
"""Labels of the translation task."""
_HEAD_NAMES = {"color": "colour"}
"""Names of heads in checkpoints, where they differ from the task's: weights keep their names on disk."""


@dataclass(frozen=True, slots=True)
class SupervisedConfig(MethodConfig):
    """Settings of the heads, and the weights of the tasks; a weight of 0 leaves a task out."""

    paper_training: ClassVar[Mapping[str, Any]] = {"weight_decay": 0.0, "batch_size": 256}

    category_weight: float = 1.0
    rotation_weight: float = 1.0
    color_weight: float = 0.0
    translation_weight: float = 0.0
    width: int = 1024
    """Width of the two hidden layers of each two-view head."""
    double_cover: bool = False
    """True if the rotation's loss accepts q and -q alike; otherwise the head must learn the loader's rule for
    the sign too."""
    category_head: CategoryHead = "linear"
    """"ebv" has fixed, nearly orthogonal vectors, one per category (``equiangular``)."""

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Relative labels of each two-view task with a weight above 0, by the task's name."""
        tasks = {
            "rotation": (self.rotation_weight, ROTATION),
            "color": (self.color_weight, COLOR),
            "translation": (self.translation_weight, TRANSLATION),
        }
        return {name: labels for name, (weight, labels) in tasks.items() if weight > 0}

    def demo(self) -> Self:
        """Return settings with narrower heads, and two-view tasks that weigh enough beside the category."""
        return replace(
            self,
            rotation_weight=10 * self.rotation_weight,
            color_weight=10 * self.color_weight,
            translation_weight=100 * self.translation_weight,
            width=512,
        )


class Supervised(ImageMethod):
    """A classifier and two-view heads on one backbone."""

    def __init__(self, config: SupervisedConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        _check(config)
        self.config = config
        labels = [label for task_labels in config.labels.values() for label in task_labels]
        self.reads = ("view_1", "view_2", *(["category"] if config.category_weight else []), *labels)
        self.classifier = _build_classifier(config, backbone.dim, data.num_categories)
        self.heads = nn.ModuleDict(
            {
                _HEAD_NAMES.get(name, name): build_mlp(
                    2 * backbone.dim, config.width, config.width, get_action_dim(task_labels)
                )
                for name, task_labels in config.labels.items()
            }
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss of two views, uint8 [B, 3, H, W], ``category`` [B] and the labels of the tasks."""
        h1, h2 = self.represent_pair(batch)
        terms: dict[str, Tensor] = {}
        if self.config.category_weight:
            terms["category"] = self._category_loss(torch.cat([h1, h2]), batch["category"].repeat(2))
        both = torch.cat([h1, h2], dim=1)
        for name, labels in self.config.labels.items():
            terms[name] = self._compute_task_loss(name, both, action_from_batch(batch, labels))
        return losses.sum_weighted_terms(
            {name: (getattr(self.config, f"{name}_weight"), term) for name, term in terms.items()}
        )

    def _compute_task_loss(self, name: str, representations: Tensor, target: Tensor) -> Tensor:
        compare = (
            losses.quaternion_mse_loss
            if name == "rotation" and self.config.double_cover
            else losses.invariance_loss
        )
        head = self.heads[_HEAD_NAMES.get(name, name)]
        return compare(gather_all_ranks(head(representations)), gather_all_ranks(target))

    def _category_loss(self, representation: Tensor, category: Tensor) -> Tensor:
        logits = gather_all_ranks(self.classifier(representation))
        return losses.cross_entropy_loss(logits, gather_all_ranks(category))


def _build_classifier(config: SupervisedConfig, dim: int, num_categories: int) -> nn.Module:
    if not config.category_weight:
        return nn.Identity()
    if config.category_head == "ebv":
        from turntable.models.layers import EquiangularHead

        return EquiangularHead(dim, num_categories)
    return nn.Linear(dim, num_categories)


def _check(config: SupervisedConfig) -> None:
    check_choice("category_head", config.category_head, get_args(CategoryHead))
    weights = (
        config.category_weight,
        config.rotation_weight,
        config.color_weight,
        config.translation_weight,
    )
    if min(weights) < 0 or max(weights) == 0:
        raise InvalidInputError(
            "the weights of the tasks must be at least 0, and one of them above 0: category_weight,"
            " rotation_weight, color_weight, translation_weight"
        )
