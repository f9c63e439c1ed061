"""Training: the loop, its settings, its checkpoints and its records."""

from turntable.training.loop import train
from turntable.training.runs import (
    RECORDS_NAME,
    Run,
    TrainConfig,
    TrainProgress,
    augmentation_of,
    demo_config,
    import_checkpoint,
    load_method,
    open_run,
    open_runs,
    overrides,
    paper_config,
    preset_of_machine,
    read_records,
    read_settings,
    refused_settings,
)
from turntable.training.steps import synchronised

__all__ = [
    "RECORDS_NAME",
    "Run",
    "TrainConfig",
    "TrainProgress",
    "augmentation_of",
    "demo_config",
    "import_checkpoint",
    "load_method",
    "open_run",
    "open_runs",
    "overrides",
    "paper_config",
    "preset_of_machine",
    "read_records",
    "read_settings",
    "refused_settings",
    "synchronised",
    "train",
]
