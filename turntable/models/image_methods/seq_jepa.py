"""seq-JEPA: prediction of the next view's representation from a sequence of views and actions.

Ghaemi, Muller and Bakhtiari, "seq-JEPA: Autoregressive Predictive Learning of Invariant-Equivariant World
Models" (2025, arXiv:2505.03176). Views become tokens [f(x_j) | e(a_j)]. A transformer without position
embeddings combines them in an aggregate, which becomes invariant to rotations, while f(x) is equivariant.

    loss = 1 - cos(P([aggregate(x_1, a_1 ... x_M) | e(a_M)]), f'(x_M+1))

f' is the moving average of the backbone f; its decay rises from 0.996 to 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.abilities import Aggregates, Embedding, Predicts
from turntable.models.actions import ROTATION, action_from_batch, get_action_dim
from turntable.models.backbones import Backbone
from turntable.models.image_methods.image_method import ImageMethod
from turntable.models.layers import (
    BufferUpdate,
    MovingAverage,
    UpdateInterval,
    build_action_embedding,
    compute_cosine_decay,
    gather_all_ranks,
)
from turntable.models.method import Batch, DataInfo, MethodConfig, SampleSpec, TrainState, check_num_rows

_PAIR_FIELDS = ("view_1", "view_2")


@dataclass(frozen=True, slots=True)
class SeqJEPAConfig(MethodConfig):
    """Settings of the sequence, the transformer, the predictor and the target network.

    The paper trains with AdamW, weight decay 1e-3, and a cosine schedule after a warm-up. The published code
    uses Adam without weight decay and resets the learning rate to its peak at every epoch, which is the same
    as ``optimizer="adam"``, ``weight_decay=0`` and ``schedule="constant"``.
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
        "learning_rate": 4e-4,  # at 1e-3, as in other demos, the aggregate is worse than a single view
    }

    num_observed_views: int = 3
    """Number of observed views M; a sample has one more view, which is predicted."""
    action: tuple[str, ...] = ROTATION
    use_actions: bool = True
    """False for the paper's ablation, in which neither tokens nor predictions have actions."""
    action_width: int = 128
    num_layers: int = 3
    num_attention_heads: int = 4
    feedforward_width: int = 2560
    dropout: float = 0.1
    predictor_width: int = 1024
    decay: float = 0.996
    """Decay of the moving average at the first step; it rises to 1 along half a cosine."""
    decay_every: UpdateInterval = "step"
    """"epoch" changes the decay only between epochs, as the published code does."""
    target_buffers: BufferUpdate = "average"
    """"keep" gives the target network its own running statistics, as the published code does."""
    normalized_target: bool = False
    """True if each dimension of the target is normalized to mean 0 and standard deviation 1 over the batch,
    as in the projectors of BYOL. Otherwise, as in the paper, the mean of all views enters the cosine."""

    @property
    def sample(self) -> SampleSpec:
        """Samples of M observed views and the predicted one, in any order."""
        return SampleSpec(num_views=self.num_observed_views + 1)

    def demo(self) -> Self:
        """Return settings with a smaller transformer and a normalized target.

        The target is normalized since the small backbone, unlike a ResNet, does not end with a norm.
        """
        return replace(self, num_layers=2, feedforward_width=512, predictor_width=512, normalized_target=True)


class SeqJEPA(ImageMethod, Predicts, Aggregates):
    """An encoder, its moving average, a transformer over tokens, and a predictor."""

    def __init__(self, config: SeqJEPAConfig, backbone: Backbone, data: DataInfo) -> None:
        super().__init__(backbone, data)
        _check_sizes(config, backbone.dim)
        self.config, self.action = config, config.action
        views = ("views",) if config.num_observed_views > 1 else _PAIR_FIELDS
        self.reads = (*views, *config.action) if config.use_actions else views
        action_dim = get_action_dim(config.action)
        self.action_embedding = (
            build_action_embedding(action_dim, config.action_width) if config.use_actions else None
        )
        self.action_width = config.action_width if config.use_actions else 0
        dim = backbone.dim + self.action_width
        self.aggregate_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.transformer = _build_transformer(config, dim)
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
        """Compute the loss of ``views``, uint8 [B, M + 1, 3, H, W], and the labels of ``config.action``.

        With one observed view, batches have pairs of views instead. The M observed views go through the
        backbone together, so that batch norm takes its statistics over B x M images.

        Raises:
            InvalidInputError: The batch has fewer than 2 rows.
        """
        batch = self._as_sequence(batch)
        check_num_rows(batch["views"])
        observed, last = batch["views"][:, :-1], batch["views"][:, -1]
        representation = self.represent(observed.flatten(0, 1)).unflatten(0, observed.shape[:2])
        actions = self._embed_batch_actions(batch)
        aggregate = self._aggregate_tokens(representation, actions[:, :-1])
        predicted = self.predictor(torch.cat([aggregate, actions[:, -1]], dim=1))
        target = self._compute_target(self.preprocess(last))
        return {"loss": losses.cosine_distance_loss(gather_all_ranks(predicted), gather_all_ranks(target))}

    def after_step(self, state: TrainState) -> None:
        """Update the target network."""
        decay = compute_cosine_decay(self.config.decay, state, self.config.decay_every)
        self.target.update(self.backbone, decay)

    def embed(self, images: Tensor) -> Embedding:
        """Embed images, uint8 [B, 3, H, W].

        The equivariant part is the backbone's output, the invariant part the aggregate of the single view.
        """
        preprocessed = self.preprocess(images)
        representation = self.backbone(preprocessed)
        one_view = representation.unsqueeze(1)
        return Embedding.from_parts(
            representation,
            invariant=self._aggregate_tokens(one_view, self._make_empty_action(one_view)[:, :0]),
            equivariant=representation,
            source=representation,
            target=self._compute_target(preprocessed),
        )

    def predict(self, source: Tensor, action: Tensor) -> Tensor:
        """Predict the target's representations [B, D] from those of one view [B, D] and actions [B, K]."""
        one_view = source.unsqueeze(1)
        aggregate = self._aggregate_tokens(one_view, self._make_empty_action(one_view)[:, :0])
        return self.predictor(
            torch.cat([aggregate, self._embed_action(action.unsqueeze(1)).squeeze(1)], dim=1)
        )

    def aggregate(self, representation: Tensor, action: Tensor) -> Tensor:
        """Compute the aggregate [B, D + W] of M views [B, M, D] and the actions between, [B, M - 1, K]."""
        return self._aggregate_tokens(representation, self._embed_action(action))

    def _aggregate_tokens(self, representation: Tensor, action_embeddings: Tensor) -> Tensor:
        """Compute the aggregate of M views and M - 1 embedded actions [B, M - 1, W].

        The token of the last view has zeros for its action, which only the predictor takes.
        """
        action_embeddings = torch.cat(
            [action_embeddings, self._make_empty_action(representation[:, :1])], dim=1
        )
        tokens = torch.cat([representation, action_embeddings.to(representation.dtype)], dim=2)
        first = self.aggregate_token.to(tokens.dtype).expand(len(tokens), -1, -1)
        return self.transformer(torch.cat([first, tokens], dim=1))[:, 0]

    def _compute_target(self, images: Tensor) -> Tensor:
        """Compute the targets [B, D] of predictions for preprocessed images, without gradients."""
        return self.target_norm(self.target(images))

    def _as_sequence(self, batch: Batch) -> Batch:
        """Return a batch of pairs, which loaders give as two fields, as sequences of two views."""
        if self.config.num_observed_views > 1:
            return batch
        steps = {name: batch[name].unsqueeze(1) for name in self.reads if name not in _PAIR_FIELDS}
        return {"views": torch.stack([batch[name] for name in _PAIR_FIELDS], dim=1), **steps}

    def _embed_batch_actions(self, batch: Batch) -> Tensor:
        """Embed all actions of a batch, [B, M, W]."""
        if self.action_embedding is None:
            return torch.zeros(
                *batch["views"][:, 1:].shape[:2], self.action_width, device=batch["views"].device
            )
        return self._embed_action(action_from_batch(batch, self.action))

    def _embed_action(self, action: Tensor) -> Tensor:
        """Embed actions [B, S, K] as [B, S, W], normalized over all of them."""
        if self.action_embedding is None or not action.shape[1]:
            return self._make_empty_action(action)
        return self.action_embedding(action.flatten(0, 1)).unflatten(0, action.shape[:2])

    def _make_empty_action(self, like: Tensor) -> Tensor:
        return like.new_zeros(*like.shape[:2], self.action_width)


def _build_transformer(config: SeqJEPAConfig, dim: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        dim, config.num_attention_heads, config.feedforward_width, config.dropout, batch_first=True
    )
    return nn.TransformerEncoder(layer, config.num_layers, nn.LayerNorm(dim), enable_nested_tensor=False)


def _check_sizes(config: SeqJEPAConfig, dim: int) -> None:
    if config.num_observed_views < 1:
        raise InvalidInputError(f"num_observed_views is {config.num_observed_views}; it must be at least 1")
    width = dim + config.action_width if config.use_actions else dim
    if width % config.num_attention_heads:
        raise InvalidInputError(
            f"a token has {dim} + {config.action_width} values, which {config.num_attention_heads} attention"
            " heads cannot share evenly; change num_attention_heads or action_width"
        )
