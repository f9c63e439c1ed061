"""The steps of a training: samples, ranks, precision, optimizers, and the state they change."""

from turntable.training.steps.augmenting import check_augmentation
from turntable.training.steps.batch_norm import synchronised
from turntable.training.steps.distributed import Ranks, is_first_rank, joined
from turntable.training.steps.generators import lend_generators, seed_all
from turntable.training.steps.sampling import check_data, check_images, make_loader, rows_of
from turntable.training.steps.trainer import Onlooker, Trainer

__all__ = [
    "Onlooker",
    "Ranks",
    "Trainer",
    "check_augmentation",
    "check_data",
    "check_images",
    "is_first_rank",
    "joined",
    "lend_generators",
    "make_loader",
    "rows_of",
    "seed_all",
    "synchronised",
]
