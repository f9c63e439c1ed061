"""The state of a run in flight, and its steps: load, loss, backward, agree, step, record, save."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from turntable.errors import IntegrityError, StoppedError, TurntableError, shown
from turntable.loaders.augment import augment_batch, parameter_fields
from turntable.loaders.engines import BatchLoader
from turntable.models import Batch, Method, Moment
from turntable.training.runs import Records, Run, Stopwatch, TrainProgress, load_weights, save_weights
from turntable.training.steps import generators
from turntable.training.steps.averaging import Average
from turntable.training.steps.distributed import Ranks
from turntable.training.steps.optimizers import learning_rate, load_optimizer, make_optimizer, set_rate
from turntable.training.steps.precision import Precision


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who hears of a run, and who may end it."""

    progress: Callable[[TrainProgress], None]
    warn: Callable[[str], None]
    stop: Callable[[], bool]
    """Asked at every step, of all ranks."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a run has come, in steps of the optimiser."""

    epoch: int = 0
    batch: int = 0
    """Of the epoch, how many are done."""
    step: int = 0
    """Of all epochs."""


class Trainer:
    """Takes a run to its end, from its last checkpoint if it has one.

    Args:
        run: Its settings and its files.
        ranks: This process among those that train.
        method: With fresh weights, on the ranks' device.
        loader: Of this rank's share.
        onlooker: Who watches.
    """

    def __init__(
        self, run: Run, ranks: Ranks, method: Method, loader: BatchLoader, onlooker: Onlooker
    ) -> None:
        config = run.config
        self.run, self.ranks, self.method, self.loader = run, ranks, method.train(), loader
        self.config, self.onlooker = config, onlooker
        self.steps_per_epoch = loader.num_samples // config.batch_size
        self.optimizer = make_optimizer(method, config)
        self.precision = Precision(config.amp, ranks.device, config.clip_norm)
        self.average = Average(method, config.average_decay) if config.average_decay else None
        self.position = Position()
        self.sums: dict[str, float] = {}
        """Of the loss's terms, over the epoch so far."""
        self.resume()
        self.shared = share(method, ranks)
        self.stopwatch = Stopwatch(self.position.step)

    @property
    def steps(self) -> int:
        """In all."""
        return self.steps_per_epoch * self.config.epochs

    def run_to_the_end(self, records: Records | None) -> None:
        """Train, record, save.

        Args:
            records: Of the first rank; the others have none.

        Raises:
            StoppedError: A rank was asked to stop; a checkpoint is saved.
            TurntableError: The loss is no longer finite.
        """
        while self.position.epoch < self.config.epochs:
            self.run_epoch(records)
        if not self.are_weights_finite():
            raise TurntableError(
                f"{self.run.folder}: the last step left weights that are not finite; lower the learning rate"
                f" ({self.config.learning_rate:g}), and train into another folder"
            )
        if self.ranks.is_first:
            self.run.checkpoints.drop_previous()
            save_weights(self.run.weights, (self.average or self.method).state_dict())
        self.ranks.wait()

    def run_epoch(self, records: Records | None) -> None:
        """What is left of an epoch."""
        epoch = self.position.epoch
        self.loader.set_epoch(epoch)
        with closing(iter(self.loader)) as batches:  # pyright: ignore[reportArgumentType]
            waited_for = self.stopwatch.waiting_for(batches)
            while self.position.epoch == epoch:
                stop = self.take_step(waited_for, records)
                if stop and self.position.step < self.steps:
                    self.save()
                    raise StoppedError(
                        f"{self.run.folder}: stopped after step {self.position.step} of {self.steps};"
                        " the same command goes on from here"
                    )
                if self.position.step % self.config.checkpoint_every == 0 or self.position.step == self.steps:
                    self.save()

    def take_step(self, batches: Iterator[Batch], records: Records | None) -> bool:
        """One step of the optimiser; whether any rank was asked to stop."""
        position, config = self.position, self.config
        rate = learning_rate(config, position.step, self.steps_per_epoch)
        moment = Moment(position.step, self.steps, position.epoch, config.epochs)
        self.method.before_step(moment)
        self.optimizer.zero_grad(set_to_none=True)
        terms, stop = self.ranks.agree(self.find_gradients(batches), self.onlooker.stop())
        self.check_finite(terms)
        set_rate(self.optimizer, rate)
        self.precision.step(self.optimizer)
        self.method.after_step(moment)
        if self.average is not None:
            self.average.follow(self.method)
        self.count(terms, rate, records)
        return stop

    def find_gradients(self, batches: Iterator[Batch]) -> dict[str, Tensor]:
        """Those of the mean loss over the parts of a step; the terms, averaged likewise."""
        parts = self.config.accumulate
        sums: dict[str, Tensor] = {}
        for part in range(1, parts + 1):
            batch = self.to_device(next(batches))
            with self.exchange(last=part == parts):
                with self.precision.autocast():
                    terms = self.shared(batch)
                self.precision.backward(terms["loss"] / parts)
            sums = {name: sums.get(name, 0) + term.detach() / parts for name, term in terms.items()}
        return sums

    def exchange(self, *, last: bool) -> AbstractContextManager[None]:
        """For the time of a part: ranks exchange gradients in a step's last one alone."""
        if last or not isinstance(self.shared, DistributedDataParallel):
            return nullcontext()
        return self.shared.no_sync()

    def to_device(self, batch: Batch) -> Batch:
        """Return what the method reads of a batch, its pictures augmented if the run says so."""
        self.method.check_reads(batch)
        names = [*self.method.reads, *(parameter_fields(batch) if self.config.augmentation else ())]
        moved = {name: batch[name].to(self.ranks.device, non_blocking=True) for name in names}
        return augment_batch(moved) if self.config.augmentation else moved

    def check_finite(self, terms: dict[str, float]) -> None:
        """Raise where the loss is not: before it has changed a weight."""
        if math.isfinite(terms["loss"]):
            return
        at = self.position
        wrong = [name for name, value in terms.items() if name != "loss" and not math.isfinite(value)]
        values = ", ".join(f"{name} {value:g}" for name, value in terms.items())
        raise TurntableError(
            f"{self.run.folder}: the loss is not finite at step {at.step} (epoch {at.epoch}, batch"
            f" {at.batch}){', by its ' + ' and '.join(wrong) if wrong else ''}: {values}. Lower the learning"
            f" rate ({self.config.learning_rate:g}) or lengthen the warm-up, and train into another folder"
        )

    def count(self, terms: dict[str, float], rate: float, records: Records | None) -> None:
        """A step is done: record it, and the epoch that it may end."""
        at = self.position
        self.position = replace(at, batch=at.batch + 1, step=at.step + 1)
        self.sums = {name: self.sums.get(name, 0.0) + value for name, value in terms.items()}
        if records is not None and self.position.step % self.config.log_every == 0:
            self.log(records, terms, rate)
        if self.position.batch == self.steps_per_epoch:
            means = {name: total / self.steps_per_epoch for name, total in self.sums.items()}
            if records is not None:
                records.add("epoch", at.epoch, self.position.step, means)
            self.position, self.sums = Position(at.epoch + 1, 0, self.position.step), {}
            self.loader.set_epoch(at.epoch + 1)

    def log(self, records: Records, terms: dict[str, float], rate: float) -> None:
        """Tell how the run is going."""
        epoch, step = self.position.epoch, self.position.step
        records.add("step", epoch, step, {"learning_rate": rate, **terms})
        lap = self.stopwatch.lap(step)
        speed = lap.steps_per_second * self.config.batch_size * self.config.method_config.sample.views
        records.add_speed(step, speed, lap.waiting)
        left = self.stopwatch.seconds_left(step, self.steps)
        self.onlooker.progress(
            TrainProgress(epoch, self.config.epochs, step, self.steps, terms, speed, lap.waiting, left)
        )

    def are_weights_finite(self) -> bool:
        """A finite loss may still have gradients that are not."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.method.parameters())

    def save(self) -> None:
        """Write a checkpoint."""
        if not self.are_weights_finite():
            return  # the next loss is not finite either and says so; the checkpoint before stays
        state = self.state_dict()  # of all ranks
        if self.ranks.is_first:
            self.run.checkpoints.save(state)

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the run depends on."""
        return {
            "model": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.precision.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "loader": self.loader.state_dict(),
            "generators": self.ranks.from_all(generators.generator_states(self.ranks.device)),
            "sums": self.sums,
            **asdict(self.position),
        }

    def resume(self) -> None:
        """Go on from the last checkpoint, if there is one.

        Raises:
            IntegrityError: It is not what this run would have saved.
        """
        checkpoints = self.run.checkpoints
        state = self.ranks.from_first(lambda: checkpoints.load(self.onlooker.warn))
        if state is None:
            return
        try:
            self.take_state(state)
        except TurntableError:
            raise
        except Exception as error:  # torch, numpy and Python's generators each raise their own
            raise IntegrityError(
                f"{checkpoints.last} is not what this run would have saved ({shown(str(error))}); remove it"
                " and train again"
            ) from error

    def take_state(self, state: Mapping[str, Any]) -> None:
        """Be as another was."""
        load_weights(self.method, state["model"], self.run.checkpoints.last)
        load_optimizer(self.optimizer, state["optimizer"])
        self.precision.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.loader.load_state_dict(state["loader"])
        before = len(state["generators"])
        if before == self.ranks.count:
            generators.restore_generators(state["generators"][self.ranks.index], self.ranks.device)
        elif self.ranks.is_first:
            self.onlooker.warn(
                f"{self.run.folder}: begun by {before} ranks, goes on with {self.ranks.count}: the samples"
                " are the same, sums are rounded in another order"
            )
        self.position = Position(*(whole(state[name]) for name in ("epoch", "batch", "step")))
        self.sums = {str(name): float(value) for name, value in state["sums"].items()}


def whole(value: object) -> int:
    """Return what is a whole number from 0 on.

    Raises:
        ValueError: It is none.
    """
    if type(value) is not int or value < 0:
        raise ValueError(f"{shown(str(value), 20)} is no number of steps")
    return value


def share(method: Method, ranks: Ranks) -> nn.Module:
    """The method as all ranks train it together; one alone trains it as it is."""
    if ranks.count == 1:
        return method
    return DistributedDataParallel(
        _Shared(method),
        device_ids=[ranks.device] if ranks.device.type == "cuda" else None,
        # A loss need not use all. And gradients then keep their places in the buckets, so that a resumed run
        # adds them up in the order in which an uninterrupted one does.
        find_unused_parameters=True,
        gradient_as_bucket_view=True,
    )


class _Shared(nn.Module):
    """A method, and a parameter that no loss uses.

    Had a loss a use for all of them, every run would begin with a warning that none need be looked for.
    """

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The loss and its terms."""
        return self.method(batch)
