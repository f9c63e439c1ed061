"""Training: the loop, its settings, its checkpoints and its records."""

from turntable.training.batch_norm import synchronised
from turntable.training.config import TrainConfig
from turntable.training.imported import import_checkpoint
from turntable.training.loop import train
from turntable.training.overrides import overrides
from turntable.training.presets import demo_config, paper_config
from turntable.training.progress import TrainProgress
from turntable.training.records import read_records
from turntable.training.runs import Run, load_method, open_run

__all__ = [
    "Run",
    "TrainConfig",
    "TrainProgress",
    "demo_config",
    "import_checkpoint",
    "load_method",
    "open_run",
    "overrides",
    "paper_config",
    "read_records",
    "synchronised",
    "train",
]
