"""The folder of a run: its configuration, checkpoints and records."""

from turntable.training.runs.checkpoints import load_weights, save_weights
from turntable.training.runs.config import TrainConfig
from turntable.training.runs.data import TrainingData, training_data
from turntable.training.runs.folder import (
    RECORDS_NAME,
    Run,
    begin_run,
    is_out_of_memory,
    load_method,
    new_method,
    open_run,
    open_runs,
    plan_run,
    read_settings,
    refused_settings,
    sizes_of,
)
from turntable.training.runs.imported import import_checkpoint
from turntable.training.runs.overriding import augmentation_of, overrides
from turntable.training.runs.presets import demo_config, paper_config, preset_of_machine
from turntable.training.runs.progress import Stopwatch, TrainProgress
from turntable.training.runs.records import Records, read_records
from turntable.training.runs.sinks import Sink, Tensorboard, WeightsAndBiases

__all__ = [
    "RECORDS_NAME",
    "Records",
    "Run",
    "Sink",
    "Stopwatch",
    "Tensorboard",
    "TrainConfig",
    "TrainProgress",
    "TrainingData",
    "WeightsAndBiases",
    "augmentation_of",
    "begin_run",
    "demo_config",
    "import_checkpoint",
    "is_out_of_memory",
    "load_method",
    "load_weights",
    "new_method",
    "open_run",
    "open_runs",
    "overrides",
    "paper_config",
    "plan_run",
    "preset_of_machine",
    "read_records",
    "read_settings",
    "refused_settings",
    "save_weights",
    "sizes_of",
    "training_data",
]
