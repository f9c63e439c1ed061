"""Training from beginning to end: what ``turntable train`` calls."""

import logging
from collections.abc import Callable
from pathlib import Path

from turntable.errors import TurntableError
from turntable.training.runs import (
    Records,
    Run,
    Sink,
    Tensorboard,
    TrainConfig,
    TrainingData,
    TrainProgress,
    WeightsAndBiases,
    begin_run,
    is_out_of_memory,
    new_method,
    plan_run,
    sizes_of,
    training_data,
)
from turntable.training.steps import (
    Onlooker,
    Ranks,
    Trainer,
    check_augmentation,
    check_data,
    check_images,
    joined,
    lend_generators,
    make_loader,
    rows_of,
    seed_all,
    synchronised,
)

_BETWEEN_RANKS = 1_000_003
"""Seeds of neighbouring runs and ranks stay apart."""
_LOG = logging.getLogger("turntable.training")


def _nothing(progress: TrainProgress) -> None:
    del progress


def _never() -> bool:
    return False


def train(
    config: TrainConfig,
    out_dir: Path | str,
    progress: Callable[[TrainProgress], None] | None = None,
    *,
    warn: Callable[[str], None] = _LOG.warning,
    stop: Callable[[], bool] = _never,
) -> Path:
    """Train a method, or continue the run that the folder holds.

    A run that was killed and called again gives the same weights and records, to the bit, as one that was
    not, on the same machine and device with as many ranks. A finished run is left as it is. Started by
    torchrun, all processes train together: each takes its share of every batch, the first one writes.

    Args:
        config: All that decides the run.
        out_dir: Gets config.json, records.jsonl, tb/, checkpoint.pt and at the end weights.pt.
        progress: Called at every logged step, by the first rank.
        warn: Told what the user should know, by the first rank.
        stop: Asked at every step whether to end here, with a checkpoint; one rank's yes is enough.

    Returns:
        ``out_dir``.

    Raises:
        InvalidInputError: The folder holds a run with other settings; or data, ranks or device do not fit.
        IntegrityError: The data or the checkpoints are damaged.
        StoppedError: It was asked to stop; the same call goes on.
        TurntableError: The loss is no longer finite, or there is no memory for a step.
        MissingExtraError: tensorboard, or wandb if it was asked for, is not installed.
    """
    folder = Path(out_dir)
    onlooker = Onlooker(progress or _nothing, warn, stop)
    with joined(config.device) as ranks:
        data = ranks.from_first(lambda: training_data(config))
        run = ranks.from_first(lambda: plan_run(folder, config, data))
        if not ranks.from_first(run.weights.exists):
            with lend_generators(config.seed, ranks.device):
                _train(run, data, ranks, onlooker)
    return folder


def _train(run: Run, data: TrainingData, ranks: Ranks, onlooker: Onlooker) -> None:
    config = run.config
    rows_of(config, ranks.count)
    method = new_method(run).to(ranks.device)
    ranks.from_first(lambda: check_data(config, method, data))
    check_images(config, method, run.data.image_size_px)
    if config.augmentation is not None:
        for warning in check_augmentation(config.augmentation, method.reads):
            if ranks.is_first:
                onlooker.warn(warning)
    if ranks.count > 1 and config.sync_batch_norm:
        synchronised(method)
    if not ranks.is_first:
        # Weights are the same everywhere; what a loss draws for its rows is not.
        seed_all(config.seed + _BETWEEN_RANKS * ranks.index)
    loader = make_loader(config, method, ranks.device)
    try:
        ranks.from_first(lambda: begin_run(run))
        trainer = Trainer(run, ranks, method, loader, onlooker)
        if not ranks.is_first:
            trainer.run_to_the_end(None)
            return
        with Records(run.records, trainer.position.step, _sinks(run, trainer.position.step)) as records:
            trainer.run_to_the_end(records)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TurntableError(
            f"{run.folder}: there is no memory for a step of batch_size={config.batch_size} in"
            f" accumulate={config.accumulate} parts, with {sizes_of(run)}; take smaller ones, or more parts"
        ) from error
    finally:
        loader.close()


def _sinks(run: Run, done_steps: int) -> list[Sink]:
    sinks: list[Sink] = []
    if run.config.wandb:
        sinks.append(WeightsAndBiases(run.folder, run.config.to_dict()))
    return [*sinks, Tensorboard(run.tensorboard, done_steps)]
