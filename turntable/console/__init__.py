"""Progress bars and tables of the command line."""

from turntable.console.dataset_tables import build_dataset_tables, build_recipe_tables
from turntable.console.method_tables import build_method_table, build_settings_tables
from turntable.console.progress_bars import (
    ByteBar,
    ConsoleDemoListener,
    CountBar,
    RenderBar,
    StageBar,
    TrainBar,
)
from turntable.console.score_tables import build_comparison_tables, build_results_tables, build_study_tables

__all__ = [
    "ByteBar",
    "ConsoleDemoListener",
    "CountBar",
    "RenderBar",
    "StageBar",
    "TrainBar",
    "build_comparison_tables",
    "build_dataset_tables",
    "build_method_table",
    "build_recipe_tables",
    "build_results_tables",
    "build_settings_tables",
    "build_study_tables",
]
