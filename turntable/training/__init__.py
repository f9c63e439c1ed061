"""Training of methods: the training loop, its settings, checkpoints and records."""

from turntable.extras import explain_import_errors

with explain_import_errors("torch"):
    import torch as _torch

from turntable.training.loop import train
from turntable.training.runs import (
    RECORDS_NAME,
    Extension,
    Lineage,
    Run,
    Start,
    TrainConfig,
    TrainProgress,
    compute_weights_sha256,
    hold_output_folder,
    import_checkpoint,
    load_method,
    make_demo_config,
    make_paper_config,
    open_run,
    open_runs,
    parse_augmentation,
    parse_overrides,
    read_records,
    read_settings,
    select_preset,
    wrap_settings_errors,
)
from turntable.training.steps import convert_sync_batch_norm

del _torch

__all__ = [
    "RECORDS_NAME",
    "Extension",
    "Lineage",
    "Run",
    "Start",
    "TrainConfig",
    "TrainProgress",
    "compute_weights_sha256",
    "convert_sync_batch_norm",
    "hold_output_folder",
    "import_checkpoint",
    "load_method",
    "make_demo_config",
    "make_paper_config",
    "open_run",
    "open_runs",
    "parse_augmentation",
    "parse_overrides",
    "read_records",
    "read_settings",
    "select_preset",
    "train",
    "wrap_settings_errors",
]
