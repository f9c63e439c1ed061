"""Layers that methods share: heads, predictors, capsules, moving averages and gathering over ranks."""

from turntable.models.layers.all_gather import gather_all_ranks
from turntable.models.layers.capsules import CapsuleProjector, mean_entropy_loss, soft_cross_entropy_loss
from turntable.models.layers.equiangular import EquiangularHead
from turntable.models.layers.heads import (
    build_action_embedding,
    build_mlp,
    build_mlp_with_norm,
    build_projector,
    build_projector_with_norm,
)
from turntable.models.layers.moving_average import (
    BufferUpdate,
    MovingAverage,
    UpdateInterval,
    compute_cosine_decay,
)
from turntable.models.layers.predictors import (
    ActionEmbeddingPredictor,
    Predictor,
    PredictorConfig,
    build_predictor,
)

__all__ = [
    "ActionEmbeddingPredictor",
    "BufferUpdate",
    "CapsuleProjector",
    "EquiangularHead",
    "MovingAverage",
    "Predictor",
    "PredictorConfig",
    "UpdateInterval",
    "build_action_embedding",
    "build_mlp",
    "build_mlp_with_norm",
    "build_predictor",
    "build_projector",
    "build_projector_with_norm",
    "compute_cosine_decay",
    "gather_all_ranks",
    "mean_entropy_loss",
    "soft_cross_entropy_loss",
]
