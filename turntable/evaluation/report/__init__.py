"""The report of an evaluation: score tables, figures, and an HTML page that needs no other file."""

from turntable.evaluation.report.html import curves_to_url, image_to_url, load_template
from turntable.evaluation.report.page import write_report, write_runs_report
from turntable.evaluation.report.plots import plot_heat_map
from turntable.evaluation.report.report_figures import ReportFigure
from turntable.evaluation.report.report_summaries import (
    DatasetSummary,
    RunSummary,
    summarize_dataset,
    summarize_run,
)
from turntable.evaluation.report.score_catalog import CATALOG, ScoreCatalog, build_catalog
from turntable.evaluation.report.score_marks import MARKS_LEGEND, ColumnMarker, can_be_best
from turntable.evaluation.report.score_tables import (
    CONSTANT_LABEL,
    MeanScore,
    RenderedTable,
    build_tables,
    collect_rows,
    format_cell,
    get_baseline_label,
)

__all__ = [
    "CATALOG",
    "CONSTANT_LABEL",
    "MARKS_LEGEND",
    "ColumnMarker",
    "DatasetSummary",
    "MeanScore",
    "RenderedTable",
    "ReportFigure",
    "RunSummary",
    "ScoreCatalog",
    "build_catalog",
    "build_tables",
    "can_be_best",
    "collect_rows",
    "curves_to_url",
    "format_cell",
    "get_baseline_label",
    "image_to_url",
    "load_template",
    "plot_heat_map",
    "summarize_dataset",
    "summarize_run",
    "write_report",
    "write_runs_report",
]
