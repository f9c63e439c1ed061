"""The training of a method from beginning to end, as ``turntable train`` runs it."""

import logging
from collections.abc import Callable
from pathlib import Path

from turntable.errors import TurntableError
from turntable.home import expand_home
from turntable.training.runs import (
    RecordWriter,
    Run,
    RunLogger,
    TensorboardLogger,
    TrainConfig,
    TrainingData,
    TrainProgress,
    WandbLogger,
    build_run_method,
    create_run,
    describe_training_data,
    format_sizes,
    is_out_of_memory,
    plan_run,
)
from turntable.training.steps import (
    Callbacks,
    ProcessGroup,
    Trainer,
    check_augmentation,
    check_data,
    check_image_size,
    compute_micro_batch_size,
    convert_sync_batch_norm,
    isolate_random_state,
    make_loader,
    process_group,
    seed_all,
)

_RANK_SEED_STRIDE = 1_000_003
"""Difference between the seeds of two ranks: a large prime, so that ranks of runs with adjacent seeds
differ."""
_LOG = logging.getLogger("turntable.training")


def _ignore_progress(progress: TrainProgress) -> None:
    del progress


def _return_false() -> bool:
    return False


def train(
    config: TrainConfig,
    out_dir: Path | str,
    progress: Callable[[TrainProgress], None] | None = None,
    *,
    warn: Callable[[str], None] = _LOG.warning,
    stop: Callable[[], bool] = _return_false,
) -> Path:
    """Train a method, or continue the run in the folder.

    An interrupted and continued run gives the same weights and records, bit for bit, as an uninterrupted one,
    on the same machine and device with the same number of ranks. A finished run is left as it is. In
    processes started by torchrun, all ranks train together: each takes its part of every batch, and the first
    one writes.

    Args:
        config: Settings of the run.
        out_dir: Path of the run's folder, in which config.json, records.jsonl, tb/, checkpoint.pt and finally
            weights.pt are written.
        progress: Function that the first rank calls at every logged step.
        warn: Function that the first rank calls with warnings for the user.
        stop: Function that every rank calls at every step. If it returns True on any rank, the run ends there
            with a checkpoint.

    Returns:
        ``out_dir``.

    Raises:
        InvalidInputError: The folder holds a run with other settings; or data, ranks or device do not fit.
        IntegrityError: The data or the checkpoints are damaged.
        StoppedError: ``stop`` returned True; the same call continues the run.
        TurntableError: The loss is no longer finite, or there is not enough memory for a step.
        MissingExtraError: tensorboard, or wandb with ``config.wandb``, is not installed.
    """
    folder = expand_home(out_dir)
    callbacks = Callbacks(progress or _ignore_progress, warn, stop)
    with process_group(config.device) as group:
        data = group.run_on_first_rank(lambda: describe_training_data(config))
        run = group.run_on_first_rank(lambda: plan_run(folder, config, data))
        if not group.run_on_first_rank(run.weights_path.exists):
            with isolate_random_state(config.seed, group.device):
                _train(run, data, group, callbacks)
    return folder


def _train(run: Run, data: TrainingData, group: ProcessGroup, callbacks: Callbacks) -> None:
    config = run.config
    compute_micro_batch_size(config, group.num_ranks)  # raises if the batch cannot be divided
    method = build_run_method(run).to(group.device)
    group.run_on_first_rank(lambda: check_data(config, method, data))
    check_image_size(config, method, run.data.image_size_px)
    if config.augmentation is not None:
        for warning in check_augmentation(config.augmentation, method.reads):
            if group.is_first:
                callbacks.warn(warning)
    if group.num_ranks > 1 and config.sync_batch_norm:
        convert_sync_batch_norm(method)
    if not group.is_first:
        # All ranks have drawn the same weights. From here on each rank draws its own random numbers, since
        # the losses of different rows must not share them.
        seed_all(config.seed + _RANK_SEED_STRIDE * group.rank)
    loader = make_loader(config, method, group.device)
    try:
        group.run_on_first_rank(lambda: create_run(run))
        trainer = Trainer(run, group, method, loader, callbacks)
        if not group.is_first:
            trainer.train(None)
            return
        with RecordWriter(
            run.records_path, trainer.position.step, _make_loggers(run, trainer.position.step)
        ) as records:
            trainer.train(records)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TurntableError(
            f"{run.folder}: there is not enough memory for a step of batch_size={config.batch_size} in"
            f" accumulate={config.accumulate} parts, with {format_sizes(run)}; make these smaller, or"
            " accumulate larger"
        ) from error
    finally:
        loader.close()


def _make_loggers(run: Run, num_done_steps: int) -> list[RunLogger]:
    loggers: list[RunLogger] = []
    if run.config.wandb:
        loggers.append(WandbLogger(run.folder, run.config.to_dict()))
    return [*loggers, TensorboardLogger(run.tensorboard_dir, num_done_steps)]
