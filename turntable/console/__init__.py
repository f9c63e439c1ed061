"""The bars and tables that a person sees while the command line works."""

from turntable.console.bars import ConsoleWatcher, CountBar, RenderBar, TrainBar
from turntable.console.data_tables import dataset_tables, recipe_tables
from turntable.console.method_tables import method_table, settings_table
from turntable.console.score_tables import comparison_console_tables, results_tables, study_console_tables

__all__ = [
    "ConsoleWatcher",
    "CountBar",
    "RenderBar",
    "TrainBar",
    "comparison_console_tables",
    "dataset_tables",
    "method_table",
    "recipe_tables",
    "results_tables",
    "settings_table",
    "study_console_tables",
]
