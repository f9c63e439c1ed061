"""Evaluation: features once, then every metric as a function over arrays, and one report."""

from turntable.evaluation.compare import (
    Comparison,
    Evaluated,
    compare,
    compare_runs,
    ordered,
)
from turntable.evaluation.comparison_page import comparison_page, write_comparison
from turntable.evaluation.details import Details, read_details, together
from turntable.evaluation.features import SplitFeatures
from turntable.evaluation.presets import PROTOCOLS, ProtocolConfig, protocol_by_name
from turntable.evaluation.protocol import evaluate, evaluate_features, evaluate_untrained
from turntable.evaluation.report import write_report, write_runs_report
from turntable.evaluation.results import Elsewhere, Results, Row, Score, read_results
from turntable.evaluation.short_table import comparison_json, comparison_markdown
from turntable.evaluation.summaries import DatasetSummary, RunCurve, summarize_dataset, summarize_run

__all__ = [
    "PROTOCOLS",
    "Comparison",
    "DatasetSummary",
    "Details",
    "Elsewhere",
    "Evaluated",
    "ProtocolConfig",
    "Results",
    "Row",
    "RunCurve",
    "Score",
    "SplitFeatures",
    "compare",
    "compare_runs",
    "comparison_json",
    "comparison_markdown",
    "comparison_page",
    "evaluate",
    "evaluate_features",
    "evaluate_untrained",
    "ordered",
    "protocol_by_name",
    "read_details",
    "read_results",
    "summarize_dataset",
    "summarize_run",
    "together",
    "write_comparison",
    "write_report",
    "write_runs_report",
]
