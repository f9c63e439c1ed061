"""Numbers of an evaluation: probes over frozen features, metrics, and their intervals."""

from turntable.evaluation.numbers.metrics import geodesic_deg, majority_class
from turntable.evaluation.numbers.probes import (
    Learner,
    ProbeConfig,
    compute_device,
    on_device,
    train_classifier,
    train_regressor,
)
from turntable.evaluation.numbers.resampling import Resamples, Resampling
from turntable.evaluation.numbers.retrieval import (
    HITS,
    Candidates,
    EmbeddedViews,
    Measured,
    Predict,
    measure_moves,
    measure_retrieval,
)
from turntable.evaluation.numbers.scores import (
    Scores,
    prefixed,
    regression_scores,
    rotation_scores,
    top1_score,
    turn_error,
)

__all__ = [
    "HITS",
    "Candidates",
    "EmbeddedViews",
    "Learner",
    "Measured",
    "Predict",
    "ProbeConfig",
    "Resamples",
    "Resampling",
    "Scores",
    "compute_device",
    "geodesic_deg",
    "majority_class",
    "measure_moves",
    "measure_retrieval",
    "on_device",
    "prefixed",
    "regression_scores",
    "rotation_scores",
    "top1_score",
    "train_classifier",
    "train_regressor",
    "turn_error",
]
