"""Evaluation: features once, then every metric as a function over arrays, and one report."""

from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.protocol import ProtocolConfig, evaluate, evaluate_features
from turntable.evaluation.report import (
    DatasetSummary,
    RunCurve,
    summarize_dataset,
    summarize_run,
    write_report,
)
from turntable.evaluation.results import Results, Row, Score, read_results

__all__ = [
    "DatasetSummary",
    "ProtocolConfig",
    "Results",
    "Row",
    "RunCurve",
    "Score",
    "SplitFeatures",
    "evaluate",
    "evaluate_features",
    "read_results",
    "summarize_dataset",
    "summarize_run",
    "write_report",
]
