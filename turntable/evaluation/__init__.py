"""Evaluation of runs: features are computed once, scored by tasks, and shown in a report."""

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch as _torch

from turntable.evaluation.evaluating import (
    UNTRAINED_FOLDER,
    evaluate,
    evaluate_features,
    evaluate_untrained,
    evaluate_untrained_run,
)
from turntable.evaluation.evaluation_report import write_evaluation_report
from turntable.evaluation.evaluation_results import (
    CONSTANT_ROW,
    UNTRAINED_METHOD,
    EvaluationResults,
    OODResults,
    Score,
    ScoreRow,
    TrainingSource,
    format_training_sources,
    is_baseline,
    read_results,
)
from turntable.evaluation.features import SplitFeatures, check_splits, compute_split_features
from turntable.evaluation.figure_data import FigureData, merge_figure_data, read_figure_data
from turntable.evaluation.old_names import METRIC_NAMES
from turntable.evaluation.protocol import Protocol
from turntable.evaluation.protocol_presets import (
    find_protocol_options,
    get_protocol,
    list_protocol_names,
    select_protocol,
)
from turntable.evaluation.report import (
    DatasetSummary,
    RunSummary,
    summarize_dataset,
    summarize_run,
    write_report,
    write_runs_report,
)
from turntable.evaluation.result_files import (
    ResultFiles,
    find_result_files,
    list_result_files,
    locate_result_files,
)
from turntable.evaluation.score_table_specs import ScoreColumn, ScoreFinding, ScoreTable, format_fixed
from turntable.evaluation.split_selections import SplitSelections
from turntable.evaluation.stage_progress import ProgressCallback, StageCounter, StageProgress, ignore_progress
from turntable.evaluation.vector_export import export_vectors

del _torch

__all__ = [
    "CONSTANT_ROW",
    "METRIC_NAMES",
    "UNTRAINED_FOLDER",
    "UNTRAINED_METHOD",
    "DatasetSummary",
    "EvaluationResults",
    "FigureData",
    "OODResults",
    "ProgressCallback",
    "Protocol",
    "ResultFiles",
    "RunSummary",
    "Score",
    "ScoreColumn",
    "ScoreFinding",
    "ScoreRow",
    "ScoreTable",
    "SplitFeatures",
    "SplitSelections",
    "StageCounter",
    "StageProgress",
    "TrainingSource",
    "check_splits",
    "compute_split_features",
    "evaluate",
    "evaluate_features",
    "evaluate_untrained",
    "evaluate_untrained_run",
    "export_vectors",
    "find_protocol_options",
    "find_result_files",
    "format_fixed",
    "format_training_sources",
    "get_protocol",
    "ignore_progress",
    "is_baseline",
    "list_protocol_names",
    "list_result_files",
    "locate_result_files",
    "merge_figure_data",
    "read_figure_data",
    "read_results",
    "select_protocol",
    "summarize_dataset",
    "summarize_run",
    "write_evaluation_report",
    "write_report",
    "write_runs_report",
]
