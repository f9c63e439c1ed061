"""Measurements on features: probes, metrics, retrieval, and bootstrap intervals."""

from turntable.evaluation.measurement.bootstrap import BootstrapConfig, BootstrapResamples
from turntable.evaluation.measurement.bootstrap_scores import (
    Scores,
    add_prefix,
    compute_circular_errors,
    compute_regression_scores,
    compute_rotation_scores,
    compute_top1_score,
)
from turntable.evaluation.measurement.metrics import compute_geodesic_deg, compute_majority_category
from turntable.evaluation.measurement.probes import (
    ProbeConfig,
    ProbeTrainer,
    do_nothing,
    select_device,
    to_device,
    train_classifier,
    train_regressor,
)
from turntable.evaluation.measurement.retrieval import (
    HIT_RANKS,
    EmbeddedViews,
    PoseCandidates,
    PredictTargets,
    RetrievalMeasurements,
    compute_identity_errors,
    measure_retrieval,
)
from turntable.evaluation.measurement.rotation_densities import (
    compute_density_entropy,
    compute_expected_error_deg,
    compute_symmetry_recall,
)
from turntable.evaluation.measurement.symmetry_metrics import (
    compute_least_geodesic_deg,
    compute_symmetric_scores,
)

__all__ = [
    "HIT_RANKS",
    "BootstrapConfig",
    "BootstrapResamples",
    "EmbeddedViews",
    "PoseCandidates",
    "PredictTargets",
    "ProbeConfig",
    "ProbeTrainer",
    "RetrievalMeasurements",
    "Scores",
    "add_prefix",
    "compute_circular_errors",
    "compute_density_entropy",
    "compute_expected_error_deg",
    "compute_geodesic_deg",
    "compute_identity_errors",
    "compute_least_geodesic_deg",
    "compute_majority_category",
    "compute_regression_scores",
    "compute_rotation_scores",
    "compute_symmetric_scores",
    "compute_symmetry_recall",
    "compute_top1_score",
    "do_nothing",
    "measure_retrieval",
    "select_device",
    "to_device",
    "train_classifier",
    "train_regressor",
]
