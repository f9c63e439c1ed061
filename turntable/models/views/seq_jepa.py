"""seq-JEPA: a sequence of views and of what was done between them predicts the next view's representation.

Ghaemi, Muller and Bakhtiari, "seq-JEPA: Autoregressive Predictive Learning of Invariant-Equivariant World
Models" (2025, arXiv:2505.03176). Views become tokens [f(x_j) | e(a_j)]; a transformer without positions sums
them up in an aggregate, which stays as the object turns, while f(x) turns with it.

    loss = 1 - cos(P([aggregate(x_1, a_1 ... x_M) | e(a_M)]), f'(x_M+1)),    f': moving average, 0.996 -> 1
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.abilities import Aggregates, Embedding, Predicts
from turntable.models.actions import ROTATION, action_dim, action_of
from turntable.models.backbones import Backbone
from turntable.models.layers import Buffers, Every, MovingAverage, action_embedding, cosine_decay, gathered
from turntable.models.method import Batch, DataInfo, MethodConfig, Moment, SampleKind, check_rows
from turntable.models.views.image_method import ImageMethod

_PAIR = ("view_1", "view_2")


@dataclass(frozen=True, slots=True)
class SeqJEPAConfig(MethodConfig):
    """The length of the sequence, the transformer, the predictor, and how the target follows.

    The paper's training is AdamW with decay 1e-3 and a cosine after a warm-up. Its published code builds Adam
    without decay and sets the rate back to its peak at every epoch: ``optimizer="adam"``, ``weight_decay=0``,
    ``schedule="constant"`` do the same.
    """

    paper_training: ClassVar[Mapping[str, Any]] = {
        "epochs": 1000,
        "batch_size": 512,
        "learning_rate": 4e-4,
        "optimizer": "adamw",
        "weight_decay": 1e-3,
        "schedule": "cosine",
        "warmup_epochs": 20.0,
        "warmup_start": 1e-5,
        "image_size": 128,
    }
    demo_training: ClassVar[Mapping[str, Any]] = {
        "batch_size": 64,
        "pairs_per_object": 5,
        "learning_rate": 4e-4,  # at the others' 1e-3 the aggregate says less than one view
    }

    observed_views: int = 3
    """M: a sample has one more, which is predicted."""
    action: tuple[str, ...] = ROTATION
    told_actions: bool = True
    """Otherwise no token and no prediction is told what was done: the paper's ablation."""
    action_width: int = 128
    layers: int = 3
    attention_heads: int = 4
    feedforward_width: int = 2560
    dropout: float = 0.1
    predictor_width: int = 1024
    decay: float = 0.996
    """Of the moving average at the first step; it rises to 1 by half a cosine."""
    decay_every: Every = "step"
    """"epoch": the decay changes between epochs alone, as in the published code."""
    target_buffers: Buffers = "average"
    """"keep": running statistics are the target's own, as in the published code."""
    normalized_target: bool = False
    """Whether each dimension of the target is brought to mean 0 and deviation 1 over the batch, as the
    projectors of BYOL do. Otherwise what all views have in common counts in the cosine, as in the paper."""

    @property
    def sample(self) -> SampleKind:
        """M views and the one that is predicted, in any order of turning."""
        return SampleKind(views=self.observed_views + 1)

    def demo(self) -> Self:
        """A smaller transformer; the target's dimensions all count, as the small backbone ends in no norm."""
        return replace(self, layers=2, feedforward_width=512, predictor_width=512, normalized_target=True)


class SeqJEPA(ImageMethod, Predicts, Aggregates):
    """An encoder, its moving average, a transformer over tokens, and a predictor."""

    def __init__(self, config: SeqJEPAConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        _check(config, backbone.dim)
        self.config, self.action = config, config.action
        views = ("views",) if config.observed_views > 1 else _PAIR
        self.reads = (*views, *config.action) if config.told_actions else views
        numbers = action_dim(config.action)
        self.action_embedding = (
            action_embedding(numbers, config.action_width) if config.told_actions else None
        )
        self.action_width = config.action_width if config.told_actions else 0
        dim = backbone.dim + self.action_width
        self.aggregate_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.transformer = _transformer(config, dim)
        self.predictor = nn.Sequential(
            nn.Linear(dim + self.action_width, config.predictor_width, bias=False),
            nn.BatchNorm1d(config.predictor_width),
            nn.ReLU(inplace=True),
            nn.Linear(config.predictor_width, backbone.dim),
        )
        self.target = MovingAverage(backbone, config.target_buffers)
        self.target_norm = (
            nn.BatchNorm1d(backbone.dim, affine=False) if config.normalized_target else nn.Identity()
        )

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Of batches with ``views``, uint8 [B, M + 1, 3, H, W], and the labels of ``config.action``.

        With one observed view, of batches of pairs. The M observed views go through the encoder together:
        batch norm sees B x M images at once.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        batch = self._as_sequence(batch)
        check_rows(batch["views"])
        observed, last = batch["views"][:, :-1], batch["views"][:, -1]
        representation = self.represent(observed.flatten(0, 1)).unflatten(0, observed.shape[:2])
        told = self._embed_actions(batch)
        aggregate = self._aggregate(representation, told[:, :-1])
        predicted = self.predictor(torch.cat([aggregate, told[:, -1]], dim=1))
        target = self._aimed_at(self.seen(last))
        return {"loss": losses.cosine_distance(gathered(predicted), gathered(target))}

    def after_step(self, moment: Moment) -> None:
        """The target follows."""
        decay = cosine_decay(self.config.decay, moment, self.config.decay_every)
        self.target.follow(self.backbone, decay)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W]: the encoder's output turns, the aggregate of one view stays."""
        seen = self.seen(images)
        representation = self.backbone(seen)
        one_view = representation.unsqueeze(1)
        return Embedding.of(
            representation,
            invariant=self._aggregate(one_view, self._nothing_told(one_view)[:, :0]),
            equivariant=representation,
            source=representation,
            target=self._aimed_at(seen),
        )

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """The target's representations [B, D] of the other views, by those of one view [B, D] and actions."""
        one_view = source.unsqueeze(1)
        aggregate = self._aggregate(one_view, self._nothing_told(one_view)[:, :0])
        return self.predictor(torch.cat([aggregate, self._embed(action.unsqueeze(1)).squeeze(1)], dim=1))

    def aggregate(self, representation: Tensor, action: Tensor) -> Tensor:
        """The aggregate [B, D + W] of M views [B, M, D] and the actions between them, [B, M - 1, K]."""
        return self._aggregate(representation, self._embed(action))

    def _aggregate(self, representation: Tensor, told: Tensor) -> Tensor:
        """Of M views and M - 1 embedded actions [B, M - 1, W]: what follows the last view is not told."""
        told = torch.cat([told, self._nothing_told(representation[:, :1])], dim=1)
        tokens = torch.cat([representation, told.to(representation.dtype)], dim=2)
        first = self.aggregate_token.to(tokens.dtype).expand(len(tokens), -1, -1)
        return self.transformer(torch.cat([first, tokens], dim=1))[:, 0]

    def _aimed_at(self, seen: Tensor) -> Tensor:
        """What a prediction should be for normalised images, [B, D]; no gradient passes."""
        return self.target_norm(self.target(seen))

    def _as_sequence(self, batch: Batch) -> Batch:
        """With two views as a sequence of two and one step: a loader gives a pair by itself."""
        if self.config.observed_views > 1:
            return batch
        steps = {name: batch[name].unsqueeze(1) for name in self.reads if name not in _PAIR}
        return {"views": torch.stack([batch[name] for name in _PAIR], dim=1), **steps}

    def _embed_actions(self, batch: Batch) -> Tensor:
        """Of all steps of a batch, [B, M, W]."""
        if self.action_embedding is None:
            return torch.zeros(
                *batch["views"][:, 1:].shape[:2], self.action_width, device=batch["views"].device
            )
        return self._embed(action_of(batch, self.action))

    def _embed(self, action: Tensor) -> Tensor:
        """Actions [B, S, K] as [B, S, W], normalised over all of them."""
        if self.action_embedding is None or not action.shape[1]:
            return self._nothing_told(action)
        return self.action_embedding(action.flatten(0, 1)).unflatten(0, action.shape[:2])

    def _nothing_told(self, like: Tensor) -> Tensor:
        return like.new_zeros(*like.shape[:2], self.action_width)


def _transformer(config: SeqJEPAConfig, dim: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        dim, config.attention_heads, config.feedforward_width, config.dropout, batch_first=True
    )
    return nn.TransformerEncoder(layer, config.layers, nn.LayerNorm(dim), enable_nested_tensor=False)


def _check(config: SeqJEPAConfig, dim: int) -> None:
    if config.observed_views < 1:
        raise InvalidInputError(f"observed_views is {config.observed_views}; it must be at least 1")
    width = dim + config.action_width if config.told_actions else dim
    if width % config.attention_heads:
        raise InvalidInputError(
            f"a token has {dim} + {config.action_width} numbers, which {config.attention_heads} heads cannot"
            " share; change attention_heads or action_width"
        )
