"""The parts of the training loop: data loading, ranks, precision, optimizers, random state and trainer."""

from turntable.training.steps.action_checks import find_unexplained_changes
from turntable.training.steps.augmentation_checks import check_augmentation
from turntable.training.steps.batch_norm import convert_sync_batch_norm
from turntable.training.steps.data_loading import (
    check_data,
    check_image_size,
    compute_micro_batch_size,
    make_loader,
)
from turntable.training.steps.disk_space import check_disk_space
from turntable.training.steps.distributed import ProcessGroup, is_first_rank, process_group
from turntable.training.steps.random_state import isolate_random_state, seed_all
from turntable.training.steps.run_facts import (
    describe_lineage,
    describe_steps,
    find_few_steps,
    find_moved_schedules,
)
from turntable.training.steps.torch_errors import convert_torch_errors
from turntable.training.steps.trainer import Callbacks, Trainer

__all__ = [
    "Callbacks",
    "ProcessGroup",
    "Trainer",
    "check_augmentation",
    "check_data",
    "check_disk_space",
    "check_image_size",
    "compute_micro_batch_size",
    "convert_sync_batch_norm",
    "convert_torch_errors",
    "describe_lineage",
    "describe_steps",
    "find_few_steps",
    "find_moved_schedules",
    "find_unexplained_changes",
    "is_first_rank",
    "isolate_random_state",
    "make_loader",
    "process_group",
    "seed_all",
]
