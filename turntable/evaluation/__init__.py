"""Evaluation: features once, then every metric as a function over arrays, and one report."""

from turntable.evaluation.details import Details, read_details, together
from turntable.evaluation.features import SplitFeatures, split_features
from turntable.evaluation.presets import ProtocolConfig, protocol_by_name
from turntable.evaluation.protocol import evaluate, evaluate_features, evaluate_untrained
from turntable.evaluation.report import (
    DatasetSummary,
    RunCurve,
    summarize_dataset,
    summarize_run,
    write_report,
    write_runs_report,
)
from turntable.evaluation.results import Elsewhere, Results, Row, Score, read_results
from turntable.evaluation.vectors import leave_vectors

__all__ = [
    "DatasetSummary",
    "Details",
    "Elsewhere",
    "ProtocolConfig",
    "Results",
    "Row",
    "RunCurve",
    "Score",
    "SplitFeatures",
    "evaluate",
    "evaluate_features",
    "evaluate_untrained",
    "leave_vectors",
    "protocol_by_name",
    "read_details",
    "read_results",
    "split_features",
    "summarize_dataset",
    "summarize_run",
    "together",
    "write_report",
    "write_runs_report",
]
