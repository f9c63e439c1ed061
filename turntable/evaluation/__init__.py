"""Evaluation of runs: features are computed once, scored by tasks, and shown in a report."""

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch as _torch

from turntable.evaluation.evaluating import evaluate, evaluate_features, evaluate_untrained
from turntable.evaluation.evaluation_results import (
    CONSTANT_ROW,
    EvaluationResults,
    OODResults,
    Score,
    ScoreRow,
    is_baseline,
    read_results,
)
from turntable.evaluation.features import SplitFeatures, compute_split_features
from turntable.evaluation.figure_data import FigureData, merge_figure_data, read_figure_data
from turntable.evaluation.old_names import METRIC_NAMES
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.protocol_presets import get_protocol, list_protocol_names
from turntable.evaluation.report import (
    DatasetSummary,
    RunSummary,
    summarize_dataset,
    summarize_run,
    write_report,
    write_runs_report,
)
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable, format_fixed
from turntable.evaluation.vector_export import export_vectors

del _torch

__all__ = [
    "CONSTANT_ROW",
    "METRIC_NAMES",
    "DatasetSummary",
    "EvaluationResults",
    "FigureData",
    "OODResults",
    "Protocol",
    "RunSummary",
    "Score",
    "ScoreColumn",
    "ScoreFinding",
    "ScoreRow",
    "ScoreTable",
    "SplitFeatures",
    "compute_split_features",
    "evaluate",
    "evaluate_features",
    "evaluate_untrained",
    "export_vectors",
    "format_fixed",
    "get_protocol",
    "is_baseline",
    "list_protocol_names",
    "merge_figure_data",
    "read_figure_data",
    "read_results",
    "summarize_dataset",
    "summarize_run",
    "write_report",
    "write_runs_report",
]
