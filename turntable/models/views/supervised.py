"""Supervised: what the labels themselves teach, the bar that the methods without class labels are held to.

The category from one view by a linear layer; the rotation, the hues and the translation between two by the
head that the evaluation uses; all trained end to end. No paper gives this baseline in full: this definition
is ours, with the evaluation's settings (Adam 1e-3, no weight decay, batches of 256).

    loss = a [CE(class(h1), category) + CE(class(h2), category)] / 2 + sum of b MSE(head([h1|h2]), label)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, get_args

import torch
from torch import Tensor, nn

from turntable.choices import check_choice
from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.actions import ROTATION, action_dim, action_of
from turntable.models.backbones import Backbone
from turntable.models.layers import gathered, mlp
from turntable.models.method import Batch, DataInfo, MethodConfig
from turntable.models.views.image_method import ImageMethod

ClassHead = Literal["linear", "ebv"]
COLOUR = ("floor_hue_difference", "light_hue_difference")
TRANSLATION = ("translation_difference_object",)


@dataclass(frozen=True, slots=True)
class SupervisedConfig(MethodConfig):
    """The weights of the tasks and the widths of their heads; a weight of 0 leaves a task out."""

    paper_training: ClassVar[Mapping[str, Any]] = {"weight_decay": 0.0, "batch_size": 256}

    category_weight: float = 1.0
    rotation_weight: float = 1.0
    colour_weight: float = 0.0
    translation_weight: float = 0.0
    width: int = 1024
    """Of the two hidden layers of each two-view head."""
    double_cover: bool = False
    """Whether q and -q count as the same answer; otherwise the loader's sign rule is learned with it."""
    class_head: ClassHead = "linear"
    """"ebv": fixed, nearly orthogonal vectors, one a category (``equiangular``)."""

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of a step that each task asks for, by the task's name."""
        tasks = {
            "rotation": (self.rotation_weight, ROTATION),
            "colour": (self.colour_weight, COLOUR),
            "translation": (self.translation_weight, TRANSLATION),
        }
        return {name: labels for name, (weight, labels) in tasks.items() if weight > 0}

    def demo(self) -> Self:
        """Narrower heads, and labels of steps that the cross-entropy does not drown."""
        return replace(
            self,
            rotation_weight=10 * self.rotation_weight,
            colour_weight=10 * self.colour_weight,
            translation_weight=100 * self.translation_weight,
            width=512,
        )


class Supervised(ImageMethod):
    """A classifier and two-view heads over one backbone."""

    def __init__(self, config: SupervisedConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        _check(config)
        self.config = config
        told = [label for labels in config.labels.values() for label in labels]
        self.reads = ("view_1", "view_2", *(["category"] if config.category_weight else []), *told)
        self.classifier = _classifier(config, backbone.dim, data.num_categories)
        self.heads = nn.ModuleDict(
            {
                name: mlp(2 * backbone.dim, config.width, config.width, action_dim(labels))
                for name, labels in config.labels.items()
            }
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with two views, uint8 [B, 3, H, W], ``category`` [B] and the labels of the tasks."""
        h1, h2 = self.represent_pair(batch)
        terms: dict[str, Tensor] = {}
        if self.config.category_weight:
            terms["category"] = self._category_loss(torch.cat([h1, h2]), batch["category"].repeat(2))
        both = torch.cat([h1, h2], dim=1)
        for name, labels in self.config.labels.items():
            terms[name] = self._step_loss(name, both, action_of(batch, labels))
        return losses.weighted_sum(
            {name: (getattr(self.config, f"{name}_weight"), term) for name, term in terms.items()}
        )

    def _step_loss(self, name: str, both: Tensor, target: Tensor) -> Tensor:
        compare = (
            losses.double_cover if name == "rotation" and self.config.double_cover else losses.invariance
        )
        return compare(gathered(self.heads[name](both)), gathered(target))

    def _category_loss(self, representation: Tensor, category: Tensor) -> Tensor:
        logits = gathered(self.classifier(representation))
        return losses.cross_entropy(logits, gathered(category))


def _classifier(config: SupervisedConfig, dim: int, num_categories: int) -> nn.Module:
    if not config.category_weight:
        return nn.Identity()
    if config.class_head == "ebv":
        from turntable.models.layers import EquiangularHead

        return EquiangularHead(dim, num_categories)
    return nn.Linear(dim, num_categories)


def _check(config: SupervisedConfig) -> None:
    check_choice("class_head", config.class_head, get_args(ClassHead))
    weights = (
        config.category_weight,
        config.rotation_weight,
        config.colour_weight,
        config.translation_weight,
    )
    if min(weights) < 0 or max(weights) == 0:
        raise InvalidInputError(
            "the tasks' weights must be at least 0, and one of them above it: category_weight,"
            " rotation_weight, colour_weight, translation_weight"
        )
