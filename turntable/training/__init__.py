"""Training: the loop, its settings, its checkpoints and its records."""

from turntable.training.loop import train
from turntable.training.runs import (
    Run,
    TrainConfig,
    TrainProgress,
    augmentation_of,
    demo_config,
    import_checkpoint,
    load_method,
    open_run,
    overrides,
    paper_config,
    preset_of_machine,
    read_records,
)
from turntable.training.steps import synchronised

__all__ = [
    "Run",
    "TrainConfig",
    "TrainProgress",
    "augmentation_of",
    "demo_config",
    "import_checkpoint",
    "load_method",
    "open_run",
    "overrides",
    "paper_config",
    "preset_of_machine",
    "read_records",
    "synchronised",
    "train",
]
