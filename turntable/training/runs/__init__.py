"""Runs: their settings, and the files in the folder of a run."""

from turntable.training.runs.checkpoints import load_weights, save_weights
from turntable.training.runs.config import TrainConfig
from turntable.training.runs.data import TrainingData, describe_training_data
from turntable.training.runs.folder import (
    RECORDS_NAME,
    Run,
    build_run_method,
    compute_weights_sha256,
    format_sizes,
    is_out_of_memory,
    load_method,
    open_run,
    open_runs,
    read_settings,
)
from turntable.training.runs.importing import import_checkpoint
from turntable.training.runs.lineage import Extension, Lineage, Start
from turntable.training.runs.loggers import RunLogger, TensorboardLogger, WandbLogger
from turntable.training.runs.output_folder import hold_output_folder
from turntable.training.runs.planning import check_extendable, create_run, is_finished, plan_run
from turntable.training.runs.presets import (
    BENCHMARK_STEPS,
    make_demo_config,
    make_paper_config,
    select_preset,
)
from turntable.training.runs.progress import Stopwatch, TrainProgress
from turntable.training.runs.recorded_settings import wrap_settings_errors
from turntable.training.runs.records import RecordWriter, read_records
from turntable.training.runs.setting_descriptions import (
    SettingDescription,
    describe_method_settings,
    describe_run_settings,
)
from turntable.training.runs.setting_names import format_setting
from turntable.training.runs.setting_overrides import parse_augmentation, parse_overrides
from turntable.training.runs.starting import add_start, load_start_weights
from turntable.training.runs.step_plan import count_epoch_samples, count_sources
from turntable.training.runs.torch_defaults import use_torch_defaults

__all__ = [
    "BENCHMARK_STEPS",
    "RECORDS_NAME",
    "Extension",
    "Lineage",
    "RecordWriter",
    "Run",
    "RunLogger",
    "SettingDescription",
    "Start",
    "Stopwatch",
    "TensorboardLogger",
    "TrainConfig",
    "TrainProgress",
    "TrainingData",
    "WandbLogger",
    "add_start",
    "build_run_method",
    "check_extendable",
    "compute_weights_sha256",
    "count_epoch_samples",
    "count_sources",
    "create_run",
    "describe_method_settings",
    "describe_run_settings",
    "describe_training_data",
    "format_setting",
    "format_sizes",
    "hold_output_folder",
    "import_checkpoint",
    "is_finished",
    "is_out_of_memory",
    "load_method",
    "load_start_weights",
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
    "use_torch_defaults",
    "wrap_settings_errors",
]
