"""Runs: their settings, and the files in the folder of a run."""

from turntable.training.runs.checkpoints import load_weights, save_weights
from turntable.training.runs.config import TrainConfig
from turntable.training.runs.data import TrainingData, describe_training_data
from turntable.training.runs.folder import (
    RECORDS_NAME,
    Run,
    build_run_method,
    create_run,
    format_sizes,
    is_out_of_memory,
    load_method,
    open_run,
    open_runs,
    plan_run,
    read_settings,
)
from turntable.training.runs.importing import import_checkpoint
from turntable.training.runs.loggers import RunLogger, TensorboardLogger, WandbLogger
from turntable.training.runs.presets import make_demo_config, make_paper_config, select_preset
from turntable.training.runs.progress import Stopwatch, TrainProgress
from turntable.training.runs.recorded_settings import wrap_settings_errors
from turntable.training.runs.records import RecordWriter, read_records
from turntable.training.runs.setting_descriptions import (
    SettingDescription,
    describe_method_settings,
    describe_run_settings,
)
from turntable.training.runs.setting_overrides import parse_augmentation, parse_overrides

__all__ = [
    "RECORDS_NAME",
    "RecordWriter",
    "Run",
    "RunLogger",
    "SettingDescription",
    "Stopwatch",
    "TensorboardLogger",
    "TrainConfig",
    "TrainProgress",
    "TrainingData",
    "WandbLogger",
    "build_run_method",
    "create_run",
    "describe_method_settings",
    "describe_run_settings",
    "describe_training_data",
    "format_sizes",
    "import_checkpoint",
    "is_out_of_memory",
    "load_method",
    "load_weights",
    "make_demo_config",
    "make_paper_config",
    "open_run",
    "open_runs",
    "parse_augmentation",
    "parse_overrides",
    "plan_run",
    "read_records",
    "read_settings",
    "save_weights",
    "select_preset",
    "wrap_settings_errors",
]
