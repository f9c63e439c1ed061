"""The training of a method from beginning to end, as ``turntable train`` runs it."""

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from turntable.home import expand_home
from turntable.models import Method
from turntable.training.runs import (
    RecordWriter,
    Run,
    RunLogger,
    TensorboardLogger,
    TrainConfig,
    TrainingData,
    TrainProgress,
    WandbLogger,
    add_start,
    build_run_method,
    check_extendable,
    create_run,
    describe_training_data,
    hold_output_folder,
    is_finished,
    load_start_weights,
    load_weights,
    plan_run,
    use_torch_defaults,
)
from turntable.training.steps import (
    Callbacks,
    ProcessGroup,
    Trainer,
    check_augmentation,
    check_data,
    check_disk_space,
    check_image_size,
    compute_micro_batch_size,
    convert_sync_batch_norm,
    convert_torch_errors,
    describe_lineage,
    describe_steps,
    find_few_steps,
    find_moved_schedules,
    find_unexplained_changes,
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
    say: Callable[[str], None] = _LOG.info,
    stop: Callable[[], bool] = _return_false,
) -> Path:
    """Train a method, or continue the run in the folder.

    An interrupted and continued run gives the same weights and records, bit for bit, as an uninterrupted one,
    on the same machine and device with the same number of ranks. A finished run is left as it is, or extended
    if ``config`` has more epochs. While a run is in training, its folder is locked. In processes started by
    torchrun, all ranks train together: each takes its part of every batch, and the first one writes.

    Args:
        config: Settings of the run.
        out_dir: Path of the run's folder, in which config.json, records.jsonl, tb/, checkpoint.pt and finally
            weights.pt are written.
        progress: Function that the first rank calls at every logged step.
        warn: Function that the first rank calls with warnings for the user.
        say: Function that the first rank calls with facts about the run before its first step: the number of
            steps, and where the run comes from.
        stop: Function that every rank calls at every step. If it returns True on any rank, the run ends there
            with a checkpoint.

    Returns:
        ``out_dir``.

    Raises:
        InvalidInputError: The folder holds a run with other settings, a data set or other files; or another
            process or thread is writing there; or data, ranks, device or the weights to start from do not
            fit.
        IntegrityError: The data or the checkpoints are damaged.
        StoppedError: ``stop`` returned True; the same call continues the run.
        StoreError: The disk is full, or the folder cannot be written to.
        TurntableError: The loss is no longer finite, there is not enough memory for a step, or the GPU
            failed.
        MissingExtraError: tensorboard, or wandb with ``config.wandb``, is not installed.
    """
    folder = expand_home(out_dir)
    callbacks = Callbacks(progress or _ignore_progress, warn, say, stop)
    with use_torch_defaults(), process_group(config.device) as group:
        data = group.run_on_first_rank(lambda: describe_training_data(config))
        run = group.run_on_first_rank(lambda: _plan(folder, config, data))
        if not group.run_on_first_rank(lambda: is_finished(run)):
            with isolate_random_state(config.seed, group.device), convert_torch_errors(run):
                _train(run, data, group, callbacks)
    return folder


def _plan(folder: Path, config: TrainConfig, data: TrainingData) -> Run:
    run = add_start(plan_run(folder, config, data))
    check_extendable(run)
    return run


def _train(run: Run, data: TrainingData, group: ProcessGroup, callbacks: Callbacks) -> None:
    """Train a run that is not finished, after all checks; only then is anything written."""
    config = run.config
    compute_micro_batch_size(config, group.num_ranks)  # raises if the batch cannot be divided
    method = _build(run, group)
    group.run_on_first_rank(lambda: check_data(config, method, data))
    check_image_size(config, method, run.data.image_size_px)
    warnings = [
        *([] if config.augmentation is None else check_augmentation(config.augmentation, method.reads)),
        *find_unexplained_changes(config, method, data.fields),
    ]
    if group.num_ranks > 1 and config.sync_batch_norm:
        convert_sync_batch_norm(method)
    if not group.is_first:
        # All ranks have drawn the same weights. From here on each rank draws its own random numbers, since
        # the losses of different rows must not share them.
        seed_all(config.seed + _RANK_SEED_STRIDE * group.rank)
    loader = make_loader(config, method, group.device)
    try:
        with ExitStack() as stack:
            lock = hold_output_folder(run.folder, callbacks.warn)
            group.run_on_first_rank(lambda: stack.enter_context(lock))
            group.run_on_first_rank(lambda: _begin(run, method))
            trainer = Trainer(run, group, method, loader, callbacks)
            if group.is_first:
                _tell_facts(run, data, trainer, callbacks, warnings)
            _take_steps(run, trainer)
    finally:
        loader.close()


def _build(run: Run, group: ProcessGroup) -> Method:
    """Build the method of a run with its first weights, drawn or those of another run, on the device."""
    method = build_run_method(run)
    weights = group.run_on_first_rank(lambda: load_start_weights(run))
    if weights is not None:
        load_weights(method, weights, run.folder)
    return method.to(group.device)


def _begin(run: Run, method: Method) -> None:
    check_disk_space(run, method)
    create_run(run)


def _tell_facts(
    run: Run, data: TrainingData, trainer: Trainer, callbacks: Callbacks, warnings: Sequence[str]
) -> None:
    """Tell the user about the steps and the origin of a run, and warn of what will not be learned."""
    for line in (describe_steps(run.config, data, trainer.steps_per_epoch), *describe_lineage(run)):
        callbacks.say(line)
    more = [
        *find_few_steps(run, trainer.steps_per_epoch),
        *find_moved_schedules(run, trainer.method, trainer.steps_per_epoch),
    ]
    for warning in (*warnings, *more):
        callbacks.warn(warning)


def _take_steps(run: Run, trainer: Trainer) -> None:
    if not trainer.group.is_first:
        trainer.train(None)
        return
    step = trainer.position.step
    with RecordWriter(run.records_path, step, _make_loggers(run, step)) as records:
        trainer.train(records)


def _make_loggers(run: Run, num_done_steps: int) -> list[RunLogger]:
    loggers: list[RunLogger] = []
    if run.config.wandb:
        loggers.append(WandbLogger(run.folder, run.config.to_dict()))
    return [*loggers, TensorboardLogger(run.tensorboard_dir, num_done_steps)]
