"""The training loop: load, loss, backward, step, record, save."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from turntable.datasets.dataset import open_dataset
from turntable.errors import TurntableError
from turntable.loaders.loader import Loader
from turntable.loaders.samplers import Pairs
from turntable.models import Batch, Method
from turntable.training.checkpoints import Position, load_checkpoint, save_checkpoint, save_weights
from turntable.training.config import TrainConfig
from turntable.training.records import Records
from turntable.training.runs import Run, new_method, start_run
from turntable.training.schedule import learning_rate


@dataclass(frozen=True, slots=True)
class TrainProgress:
    """What a run tells its onlooker at every logged step."""

    epoch: int
    epochs: int
    step: int
    """How many are done."""
    steps: int
    """How many there are in all."""
    terms: dict[str, float]
    """The loss and its terms."""
    images_per_second: float


Onlooker = Callable[[TrainProgress], None]


def train(config: TrainConfig, out_dir: Path | str, progress: Onlooker | None = None) -> Path:
    """Train a method, or continue the run that the folder holds.

    A run that was killed and called again gives the same weights and records, to the bit, as one that was
    not, on the same machine and device. A finished run is left as it is.

    Args:
        config: All that decides the run.
        out_dir: Gets config.json, records.jsonl, tb/, checkpoint.pt and at the end weights.pt.
        progress: Called at every logged step.

    Returns:
        ``out_dir``.

    Raises:
        InvalidInputError: The folder holds a run with other settings, or the data are fewer than a batch.
        IntegrityError: The data or the checkpoint are damaged.
        TurntableError: The loss is no longer finite.
    """
    run = start_run(Path(out_dir), config, open_dataset(config.dataset))
    if not run.weights.exists():
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            _Trainer(run, progress).run_to_the_end()
    return run.folder


class _Trainer:
    """The state of a run in flight."""

    def __init__(self, run: Run, progress: Onlooker | None) -> None:
        config = run.config
        self.run, self.config, self.progress = run, config, progress
        self.device = torch.device(_device_name(config.device))
        self.loader = _pair_loader(config, self.device)
        self.method: Method = new_method(run).to(self.device).train()
        self.optimizer = torch.optim.Adam(
            self.method.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.position = Position()
        self.sums: dict[str, Tensor] = {}
        if run.checkpoint.exists():
            self.position, self.sums = load_checkpoint(
                run.checkpoint, self.method, self.optimizer, run.fingerprint
            )
            self.sums = {name: value.to(self.device) for name, value in self.sums.items()}
        self.stopwatch = _Stopwatch(self.position.step)

    def run_to_the_end(self) -> None:
        with Records(self.run.records, self.run.tensorboard, self.position.step) as records:
            while self.position.epoch < self.config.epochs:
                self.run_epoch(records)
        self.save()
        save_weights(self.run.weights, self.method)

    def run_epoch(self, records: Records) -> None:
        for batch in self.loader.batches(self.position.epoch, start_batch=self.position.batch):
            rate = learning_rate(self.config, self.position.step, len(self.loader))
            terms = self.take_step(self.to_device(batch), rate)
            self.position.batch += 1
            self.position.step += 1
            self.add_up(terms)
            if self.position.step % self.config.log_every == 0:
                self.log(records, terms, rate)
            if self.position.step % self.config.checkpoint_every == 0:
                self.save()
        self.finish_epoch(records)

    def to_device(self, batch: Batch) -> Batch:
        self.method.check_reads(batch)
        return {name: batch[name].to(self.device, non_blocking=True) for name in self.method.reads}

    def take_step(self, batch: Batch, rate: float) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.amp == "bf16"):
            terms = self.method(batch)
        self.check_finite(terms)
        self.optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return {name: term.detach() for name, term in terms.items()}

    def check_finite(self, terms: dict[str, Tensor]) -> None:
        if not torch.isfinite(terms["loss"]):
            values = ", ".join(f"{name} {term.item():g}" for name, term in terms.items())
            raise TurntableError(
                f"{self.run.folder}: the loss is not finite at step {self.position.step} (epoch"
                f" {self.position.epoch}, batch {self.position.batch}): {values}. Lower the learning rate"
                f" ({self.config.learning_rate:g}) or lengthen the warm-up, and train into another folder"
            )

    def add_up(self, terms: dict[str, Tensor]) -> None:
        for name, term in terms.items():
            self.sums[name] = self.sums.get(name, torch.zeros_like(term, dtype=torch.float64)) + term

    def log(self, records: Records, terms: dict[str, Tensor], rate: float) -> None:
        values = {name: term.item() for name, term in terms.items()}
        position = self.position
        records.add("step", position.epoch, position.step, {"learning_rate": rate, **values})
        speed = self.stopwatch.steps_per_second(position.step) * 2 * self.config.batch_size
        records.add_speed(position.step, speed)
        if self.progress is not None:
            epochs, steps = self.config.epochs, self.config.epochs * len(self.loader)
            self.progress(TrainProgress(position.epoch, epochs, position.step, steps, values, speed))

    def finish_epoch(self, records: Records) -> None:
        means = {name: total.item() / self.position.batch for name, total in self.sums.items()}
        records.add("epoch", self.position.epoch, self.position.step, means)
        self.position = Position(self.position.epoch + 1, 0, self.position.step)
        self.sums = {}

    def save(self) -> None:
        if not all(torch.isfinite(parameter).all() for parameter in self.method.parameters()):
            return  # the next loss is not finite either and says so; the checkpoint before stays
        save_checkpoint(
            self.run.checkpoint, self.method, self.optimizer, self.position, self.sums, self.run.fingerprint
        )


class _Stopwatch:
    """How fast the steps since the last question were."""

    def __init__(self, step: int) -> None:
        self.step, self.moment = step, time.perf_counter()

    def steps_per_second(self, step: int) -> float:
        now = time.perf_counter()
        speed = (step - self.step) / max(now - self.moment, 1e-9)
        self.step, self.moment = step, now
        return speed


def _device_name(name: str) -> str:
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _pair_loader(config: TrainConfig, device: torch.device) -> Loader:
    return Loader(
        config.dataset,
        "train",
        Pairs(config.pairs_per_object),
        config.batch_size,
        seed=config.seed,
        num_workers=config.num_workers,
        quaternion_sign=config.quaternion_sign,
        image_size=config.image_size,
        pin_memory=device.type == "cuda",
    )
