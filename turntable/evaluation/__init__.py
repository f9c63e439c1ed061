"""Evaluation: features once, then every metric as a function over arrays, and one report."""

from turntable.evaluation.details import Details, read_details, together
from turntable.evaluation.evaluating import evaluate, evaluate_features, evaluate_untrained
from turntable.evaluation.features import SplitFeatures, split_features
from turntable.evaluation.presets import protocol_by_name, protocol_names
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.report import (
    DatasetSummary,
    RunCurve,
    summarize_dataset,
    summarize_run,
    write_report,
    write_runs_report,
)
from turntable.evaluation.results import CONSTANT, Elsewhere, Results, Row, Score, is_baseline, read_results
from turntable.evaluation.tables import ScoreColumn, ScoreFinding, ScoreTable, fixed
from turntable.evaluation.vectors import leave_vectors

__all__ = [
    "CONSTANT",
    "DatasetSummary",
    "Details",
    "Elsewhere",
    "Protocol",
    "Results",
    "Row",
    "RunCurve",
    "Score",
    "ScoreColumn",
    "ScoreFinding",
    "ScoreTable",
    "SplitFeatures",
    "evaluate",
    "evaluate_features",
    "evaluate_untrained",
    "fixed",
    "is_baseline",
    "leave_vectors",
    "protocol_by_name",
    "protocol_names",
    "read_details",
    "read_results",
    "split_features",
    "summarize_dataset",
    "summarize_run",
    "together",
    "write_report",
    "write_runs_report",
]
