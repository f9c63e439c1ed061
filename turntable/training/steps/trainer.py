"""The trainer: the training loop with its state, from loading a batch to saving a checkpoint."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from turntable.errors import IntegrityError, StoppedError, TurntableError, format_text
from turntable.loaders.augment import augment_batch, list_parameter_fields
from turntable.loaders.engines import BatchLoader
from turntable.models import Batch, Method, TrainState, rename_terms
from turntable.training.runs import (
    RecordWriter,
    Run,
    Stopwatch,
    TrainProgress,
    format_setting,
    load_weights,
    save_weights,
)
from turntable.training.steps import random_state
from turntable.training.steps.distributed import ProcessGroup
from turntable.training.steps.optimizers import (
    compute_learning_rate,
    load_optimizer,
    make_optimizer,
    set_learning_rate,
)
from turntable.training.steps.precision import MixedPrecision
from turntable.training.steps.weight_average import WeightAverage


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Functions of the caller that a run calls."""

    progress: Callable[[TrainProgress], None]
    """Called with the progress at every logged step."""
    warn: Callable[[str], None]
    """Called with warnings for the user."""
    say: Callable[[str], None]
    """Called with facts about the run before its first step."""
    stop: Callable[[], bool]
    """Called at every step on all ranks; True ends the run with a checkpoint."""


@dataclass(frozen=True, slots=True)
class TrainPosition:
    """The position of a run, in optimizer steps."""

    epoch: int = 0
    """Index of the epoch, 0 for the first."""
    batch: int = 0
    """Number of batches done in the epoch."""
    step: int = 0
    """Number of steps done in all epochs."""


class Trainer:
    """The state of a run in training; it continues from the last checkpoint, if there is one.

    Args:
        run: Settings and files of the run.
        group: Group of processes that train together.
        method: Method with fresh weights, on the device of this rank.
        loader: Loader of this rank's part of the batches.
        callbacks: Functions of the caller.
    """

    def __init__(
        self, run: Run, group: ProcessGroup, method: Method, loader: BatchLoader, callbacks: Callbacks
    ) -> None:
        config = run.config
        self.run, self.group, self.method, self.loader = run, group, method.train(), loader
        self.config, self.callbacks = config, callbacks
        self.steps_per_epoch = loader.num_samples // config.batch_size
        self.optimizer = make_optimizer(method, config)
        self.precision = MixedPrecision(config.amp, group.device, config.clip_norm)
        self.weight_average = WeightAverage(method, config.average_decay) if config.average_decay else None
        self.position = TrainPosition()
        self.term_sums: dict[str, float] = {}
        """Sums of the loss and its terms over the steps of the current epoch, by name."""
        self.resume()
        self.distributed_method = wrap_distributed(method, group)
        self.stopwatch = Stopwatch(self.position.step)

    @property
    def num_steps(self) -> int:
        """Number of steps of the whole run."""
        return self.steps_per_epoch * self.config.epochs

    def train(self, records: RecordWriter | None) -> None:
        """Train to the end, and save the final weights.

        Args:
            records: Writer of the first rank; None on the others.

        Raises:
            StoppedError: A rank was asked to stop; a checkpoint is saved.
            TurntableError: The loss or the weights are no longer finite.
        """
        while self.position.epoch < self.config.epochs:
            self.train_epoch(records)
        if not self.has_finite_weights():
            raise TurntableError(
                f"{self.run.folder}: the weights are not finite after the last step; give a lower"
                f" {format_setting('learning_rate')} than {self.config.learning_rate:g}, and another folder"
                " (--out, in Python out_dir)"
            )
        if self.group.is_first:
            self.run.checkpoints.drop_previous()
            save_weights(self.run.weights_path, (self.weight_average or self.method).state_dict())
        self.group.wait()

    def train_epoch(self, records: RecordWriter | None) -> None:
        """Train for the rest of the current epoch."""
        epoch = self.position.epoch
        self.loader.set_epoch(epoch)
        with closing(iter(self.loader)) as batches:  # pyright: ignore[reportArgumentType]
            timed_batches = self.stopwatch.iter_timed(batches)
            while self.position.epoch == epoch:
                stop = self.take_step(timed_batches, records)
                if stop and self.position.step < self.num_steps:
                    self.save_checkpoint()
                    raise StoppedError(
                        f"{self.run.folder}: stopped after step {self.position.step} of {self.num_steps};"
                        " run the same command again to resume"
                    )
                if (
                    self.position.step % self.config.checkpoint_every == 0
                    or self.position.step == self.num_steps
                ):
                    self.save_checkpoint()

    def take_step(self, batches: Iterator[Batch], records: RecordWriter | None) -> bool:
        """Take one step of the optimizer.

        Args:
            batches: Batches of this rank.
            records: Writer of the first rank; None on the others.

        Returns:
            True if any rank was asked to stop.
        """
        position, config = self.position, self.config
        rate = compute_learning_rate(config, position.step, self.steps_per_epoch)
        state = TrainState(position.step, self.num_steps, position.epoch, config.epochs)
        self.method.before_step(state)
        self.optimizer.zero_grad(set_to_none=True)
        terms, stop = self.group.reduce_terms(self.compute_gradients(batches), self.callbacks.stop())
        self.check_loss_finite(terms)
        set_learning_rate(self.optimizer, rate)
        self.precision.step(self.optimizer)
        self.method.after_step(state)
        if self.weight_average is not None:
            self.weight_average.update(self.method)
        self.finish_step(terms, rate, records)
        return stop

    def compute_gradients(self, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Compute the gradients of the mean loss over the parts of a step, and return the mean terms."""
        parts = self.config.accumulate
        sums: dict[str, Tensor] = {}
        for part in range(1, parts + 1):
            batch = self.to_device(next(batches))
            with self.sync_gradients(last=part == parts):
                with self.precision.autocast():
                    terms = self.distributed_method(batch)
                self.precision.backward(terms["loss"] / parts)
            sums = {name: sums.get(name, 0) + term.detach() / parts for name, term in terms.items()}
        return sums

    def sync_gradients(self, *, last: bool) -> AbstractContextManager[None]:
        """Return the context for one part of a step: ranks exchange gradients only in the last part."""
        if last or not isinstance(self.distributed_method, DistributedDataParallel):
            return nullcontext()
        return self.distributed_method.no_sync()

    def to_device(self, batch: Batch) -> Batch:
        """Move the fields that the method reads to the device, and augment the images if the run says so."""
        self.method.check_reads(batch)
        names = [*self.method.reads, *(list_parameter_fields(batch) if self.config.augmentation else ())]
        moved = {name: batch[name].to(self.group.device, non_blocking=True) for name in names}
        augmentation = self.config.augmentation
        return augment_batch(moved, augmentation.affine_fill) if augmentation else moved

    def check_loss_finite(self, terms: dict[str, float]) -> None:
        """Check that the loss is finite, before it changes a weight.

        Raises:
            TurntableError: It is not.
        """
        if math.isfinite(terms["loss"]):
            return
        at = self.position
        causes = [name for name, value in terms.items() if name != "loss" and not math.isfinite(value)]
        values = ", ".join(f"{name} {value:g}" for name, value in terms.items())
        raise TurntableError(
            f"{self.run.folder}: the loss is not finite at step {at.step} (epoch {at.epoch}, batch"
            f" {at.batch}){', due to ' + ' and '.join(causes) if causes else ''}: {values}. Give a"
            f" lower {format_setting('learning_rate')} than {self.config.learning_rate:g} or a longer warm-up"
            f" ({format_setting('warmup_epochs')}), and another folder (--out, in Python out_dir)"
        )

    def finish_step(self, terms: dict[str, float], rate: float, records: RecordWriter | None) -> None:
        """Advance the position by a step, and record the step and the epoch that may end with it."""
        at = self.position
        self.position = replace(at, batch=at.batch + 1, step=at.step + 1)
        self.term_sums = {name: self.term_sums.get(name, 0.0) + value for name, value in terms.items()}
        if records is not None and self.position.step % self.config.log_every == 0:
            self.log_step(records, terms, rate)
        if self.position.batch == self.steps_per_epoch:
            means = {name: total / self.steps_per_epoch for name, total in self.term_sums.items()}
            if records is not None:
                records.add("epoch", at.epoch, self.position.step, means)
            self.position, self.term_sums = TrainPosition(at.epoch + 1, 0, self.position.step), {}
            self.loader.set_epoch(at.epoch + 1)  # also the position that the next checkpoint saves

    def log_step(self, records: RecordWriter, terms: dict[str, float], rate: float) -> None:
        """Record a step, and report the progress."""
        epoch, step = self.position.epoch, self.position.step
        records.add("step", epoch, step, {"learning_rate": rate, **terms})
        lap = self.stopwatch.measure_lap(step)
        speed = lap.steps_per_second * self.config.batch_size * self.config.method_config.sample.num_views
        records.add_speed(step, speed, lap.wait_fraction)
        seconds_left = self.stopwatch.estimate_seconds_left(step, self.num_steps)
        self.callbacks.progress(
            TrainProgress(
                epoch, self.config.epochs, step, self.num_steps, terms, speed, lap.wait_fraction, seconds_left
            )
        )

    def has_finite_weights(self) -> bool:
        """Return True if all weights are finite; a finite loss may have gradients that are not."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.method.parameters())

    def save_checkpoint(self) -> None:
        """Save a checkpoint, unless the weights are not finite."""
        if not self.has_finite_weights():
            return  # the next loss is not finite either and raises the error; the last good checkpoint stays
        state = self.state_dict()  # on all ranks, since it gathers the random state of each
        if self.group.is_first:
            self.run.checkpoints.save(state)

    def state_dict(self) -> dict[str, Any]:
        """Return everything on which the rest of the run depends."""
        return {
            "model": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.precision.state_dict(),
            "average": None if self.weight_average is None else self.weight_average.state_dict(),
            "loader": self.loader.state_dict(),
            "generators": self.group.gather_values(random_state.get_random_state(self.group.device)),
            "sums": self.term_sums,
            **asdict(self.position),
        }

    def resume(self) -> None:
        """Load the last checkpoint, if there is one.

        Raises:
            IntegrityError: It is not a checkpoint of this run.
        """
        checkpoints = self.run.checkpoints
        state = self.group.run_on_first_rank(lambda: checkpoints.load(self.callbacks.warn))
        if state is None:
            return
        try:
            self.load_state_dict(state)
        except TurntableError:
            raise
        except Exception as error:  # torch, numpy and Python raise errors of many classes for a wrong state
            raise IntegrityError(
                f"{checkpoints.last_path} does not fit this run ({format_text(str(error))}); remove it and"
                " train again"
            ) from error

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load the state of an interrupted run, as ``state_dict`` returned it."""
        load_weights(self.method, state["model"], self.run.checkpoints.last_path)
        load_optimizer(self.optimizer, state["optimizer"])
        self.precision.load_state_dict(state["scaler"])
        if self.weight_average is not None:
            self.weight_average.load_state_dict(state["average"])
        self.loader.load_state_dict(state["loader"])
        num_ranks_before = len(state["generators"])
        if num_ranks_before == self.group.num_ranks:
            random_state.restore_random_state(state["generators"][self.group.rank], self.group.device)
        elif self.group.is_first:
            self.callbacks.warn(
                f"{self.run.folder}: started with {num_ranks_before} ranks, continues with"
                f" {self.group.num_ranks}: the samples are the same, but sums are rounded in another order"
            )
        self.position = TrainPosition(*(parse_count(state[name]) for name in ("epoch", "batch", "step")))
        sums = rename_terms(self.config.method, state["sums"])
        self.term_sums = {str(name): float(value) for name, value in sums.items()}


def parse_count(value: object) -> int:
    """Return a value after a check that it is a non-negative integer.

    Raises:
        ValueError: It is not.
    """
    if type(value) is not int or value < 0:
        raise ValueError(f"{format_text(str(value), 20)} is not a number of steps")
    return value


def wrap_distributed(method: Method, group: ProcessGroup) -> nn.Module:
    """Return the method wrapped for the training by all ranks; for a single process, the method itself."""
    if group.num_ranks == 1:
        return method
    return DistributedDataParallel(
        _DistributedMethod(method),
        device_ids=[group.device] if group.device.type == "cuda" else None,
        # A loss need not use all parameters. The option also fixes the order of gradients in the buckets, so
        # that a resumed run adds them up in the same order as an uninterrupted one.
        find_unused_parameters=True,
        gradient_as_bucket_view=True,
    )


class _DistributedMethod(nn.Module):
    """A method, and a parameter that no loss uses.

    With ``find_unused_parameters``, torch warns if a loss uses all parameters; the unused one prevents that.
    """

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Compute the loss and its terms."""
        return self.method(batch)
