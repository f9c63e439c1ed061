"""Training: the loop, its settings, its checkpoints and its records."""

from turntable.training.config import TrainConfig, demo_config, paper_config
from turntable.training.loop import TrainProgress, train
from turntable.training.records import read_records
from turntable.training.runs import Run, load_method, open_run

__all__ = [
    "Run",
    "TrainConfig",
    "TrainProgress",
    "demo_config",
    "load_method",
    "open_run",
    "paper_config",
    "read_records",
    "train",
]
