"""The report of an evaluation: tables, figures, and one page that needs no other file."""

from turntable.evaluation.report.catalog import CATALOG, Catalog, catalog_of
from turntable.evaluation.report.figures import heat_map
from turntable.evaluation.report.html import curves_url, image_url, open_template
from turntable.evaluation.report.page import write_report, write_runs_report
from turntable.evaluation.report.pictures import Picture
from turntable.evaluation.report.score_tables import (
    MeanScore,
    ShownTable,
    competes,
    rows_of,
    stand_in,
    tables,
)
from turntable.evaluation.report.summaries import DatasetSummary, RunCurve, summarize_dataset, summarize_run

__all__ = [
    "CATALOG",
    "Catalog",
    "DatasetSummary",
    "MeanScore",
    "Picture",
    "RunCurve",
    "ShownTable",
    "catalog_of",
    "competes",
    "curves_url",
    "heat_map",
    "image_url",
    "open_template",
    "rows_of",
    "stand_in",
    "summarize_dataset",
    "summarize_run",
    "tables",
    "write_report",
    "write_runs_report",
]
