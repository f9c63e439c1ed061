"""Layers that methods share: heads, predictors, capsules, moving averages, and batches over all ranks."""

from turntable.models.layers.capsules import CapsuleProjector, cross_entropy, missing_entropy
from turntable.models.layers.equiangular import EquiangularHead
from turntable.models.layers.gathering import gathered
from turntable.models.layers.heads import action_embedding, mlp, mlp_with_norm, projector, projector_with_norm
from turntable.models.layers.moving_average import Buffers, Every, MovingAverage, cosine_decay
from turntable.models.layers.predictors import EmbeddedPredictor, PredictingConfig, Predictor, build_predictor

__all__ = [
    "Buffers",
    "CapsuleProjector",
    "EmbeddedPredictor",
    "EquiangularHead",
    "Every",
    "MovingAverage",
    "PredictingConfig",
    "Predictor",
    "action_embedding",
    "build_predictor",
    "cosine_decay",
    "cross_entropy",
    "gathered",
    "missing_entropy",
    "mlp",
    "mlp_with_norm",
    "projector",
    "projector_with_norm",
]
