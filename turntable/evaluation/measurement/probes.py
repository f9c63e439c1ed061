"""Probes: small heads that are trained on frozen features, to measure what can be predicted from them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from turntable.models.layers import build_mlp

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
DrawSamples = Callable[[int], tuple[IntArray, FloatArray]]
"""Function from an epoch to its samples: rows [P, k] of the features, and targets [P, C]."""


def do_nothing() -> None:
    """Do nothing after an epoch."""


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """Settings of the training of a head; the defaults are those of SIE's and EquiCaps' evaluations."""

    epochs: int = 300
    """Number of epochs."""
    batch_size: int = 256
    """Samples in a batch."""
    learning_rate: float = 1e-3
    """Learning rate, in the first epoch if it falls."""
    hidden: int = 1024
    """Width of the two hidden layers of an MLP head."""
    optimizer: Literal["adam", "adamw"] = "adam"
    """Name of the optimizer."""
    cosine: bool = False
    """True if the learning rate falls to 0 along a cosine, which short trainings need to converge."""
    standardize: bool = False
    """True if each feature is shifted and scaled to mean 0 and standard deviation 1 over the train split.
    Short trainings need it if the scales of features differ. It does not change what a linear head can
    represent."""
    seed: int = 0
    """Seed of the initial weights and of the order of samples."""

    @classmethod
    def demo(cls) -> Self:
        """Return settings for trainings of seconds instead of minutes on two CPU cores."""
        return cls(epochs=25, batch_size=512, learning_rate=3e-3, hidden=256, cosine=True, standardize=True)

    def compute_learning_rate(self, epoch: int) -> float:
        """Compute the learning rate of an epoch."""
        if not self.cosine:
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A trained head with the shift and scale of its inputs."""

    head: nn.Module
    """Trained head."""
    shift: Tensor
    """Number that is subtracted from each feature, [D] or [1]."""
    scale: Tensor
    """Number that each feature is then divided by, [D] or [1]."""

    @torch.inference_mode()
    def __call__(self, features: FloatArray, batch_size: int = 8192) -> FloatArray:
        """Apply the head to features [N, D]; return its outputs [N, C]."""
        outputs = [
            self.head((part.to(self.shift.device) - self.shift) / self.scale).cpu()
            for part in torch.from_numpy(features).split(batch_size)
        ]
        return torch.cat(outputs).numpy()


@dataclass(frozen=True, slots=True, eq=False)
class ProbeTrainer:
    """A head that is trained a batch at a time."""

    head: nn.Module
    """Head in training."""
    loss: Callable[[Tensor, Tensor], Tensor]
    """Loss of the head's outputs [B, C] and the targets."""
    config: ProbeConfig
    """Settings of the training."""
    optimizer: torch.optim.Optimizer
    """Optimizer of the head's weights."""

    @classmethod
    def build_classifier(
        cls,
        dim: int,
        num_categories: int,
        config: ProbeConfig,
        build_head: Callable[[], nn.Module] | None = None,
    ) -> Self:
        """Build the trainer of a classifier by cross-entropy.

        Args:
            dim: Number of features.
            num_categories: Number of categories.
            config: Settings of the training.
            build_head: Function that builds the head, from features [B, dim] to logits [B, num_categories];
                by default it is linear.
        """
        return cls._build(
            build_head or (lambda: build_mlp(dim, num_categories)), functional.cross_entropy, config
        )

    @classmethod
    def build_regressor(cls, dim: int, num_outputs: int, use_mlp: bool, config: ProbeConfig) -> Self:
        """Build the trainer of a regressor by mean squared error.

        Args:
            dim: Number of features.
            num_outputs: Number of outputs.
            use_mlp: True for the MLP of the published protocols, False for a linear head.
            config: Settings of the training.
        """
        hidden = (config.hidden, config.hidden) if use_mlp else ()
        return cls._build(lambda: build_mlp(dim, *hidden, num_outputs), functional.mse_loss, config)

    @classmethod
    def _build(
        cls,
        build_head: Callable[[], nn.Module],
        loss: Callable[[Tensor, Tensor], Tensor],
        config: ProbeConfig,
    ) -> Self:
        """Build a trainer; the seed decides the initial weights, and torch's global generator is restored."""
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            head = build_head().to(select_device())
        optimizer_class = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
        return cls(head, loss, config, optimizer_class(head.parameters(), lr=config.learning_rate))

    def begin_epoch(self, epoch: int) -> None:
        """Set the learning rate of an epoch."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.compute_learning_rate(epoch)

    def train_step(self, inputs: Tensor, targets: Tensor) -> None:
        """Train on one batch."""
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.head(inputs), targets).backward()
        self.optimizer.step()

    def to_probe(self, shift: Tensor, scale: Tensor) -> Probe:
        """Return the head as a probe with a shift and scale of its inputs."""
        return Probe(self.head.eval(), shift, scale)


def train_classifier(
    features: FloatArray,
    categories: IntArray,
    num_categories: int,
    config: ProbeConfig,
    build_head: Callable[[], nn.Module] | None = None,
    report_epoch: Callable[[], None] = do_nothing,
) -> Probe:
    """Train a classifier by cross-entropy.

    Args:
        features: Features, [N, D].
        categories: Categories, [N].
        num_categories: Number of categories.
        config: Settings of the training.
        build_head: Function that builds the head, from [B, D] to logits [B, num_categories]; by default it is
            linear.
        report_epoch: Function that is called after each epoch.

    Returns:
        A probe from features [N, D] to logits [N, num_categories].
    """
    inputs, targets = to_device(features), to_device(categories)
    trainer = ProbeTrainer.build_classifier(features.shape[1], num_categories, config, build_head)
    shift, scale = _compute_scaling(inputs, config)
    for epoch in range(config.epochs):
        trainer.begin_epoch(epoch)
        for rows in _draw_batches(len(inputs), epoch, config):
            trainer.train_step((inputs[rows] - shift) / scale, targets[rows])
        report_epoch()
    return trainer.to_probe(shift, scale)


def train_regressor(
    features: FloatArray,
    draw: DrawSamples,
    use_mlp: bool,
    config: ProbeConfig,
    report_epoch: Callable[[], None] = do_nothing,
) -> Probe:
    """Train a regressor from one or more views to numbers, by mean squared error.

    Args:
        features: Features, one row for each view, [M, D].
        draw: Function from an epoch to its samples: rows [P, k] of the features, and targets [P, C].
        use_mlp: True for the MLP kD-1024-1024-C of the published protocols, False for a linear head.
        config: Settings of the training.
        report_epoch: Function that is called after each epoch.

    Returns:
        A probe from concatenated features [P, kD] to numbers [P, C].
    """
    inputs = to_device(features)
    num_views, num_outputs = (array.shape[1] for array in draw(0))
    trainer = ProbeTrainer.build_regressor(num_views * features.shape[1], num_outputs, use_mlp, config)
    shift, scale = (values.repeat(num_views) for values in _compute_scaling(inputs, config))
    for epoch in range(config.epochs):
        trainer.begin_epoch(epoch)
        rows, targets = (to_device(array) for array in draw(epoch))
        for chosen in _draw_batches(len(rows), epoch, config):
            trainer.train_step((inputs[rows[chosen]].flatten(1) - shift) / scale, targets[chosen])
        report_epoch()
    return trainer.to_probe(shift, scale)


def _draw_batches(num_rows: int, epoch: int, config: ProbeConfig) -> tuple[Tensor, ...]:
    """Draw the batches of an epoch: all rows in random order, another one in each epoch."""
    generator = torch.Generator().manual_seed(1_000_003 * config.seed + epoch)
    return torch.randperm(num_rows, generator=generator).to(select_device()).split(config.batch_size)


def _compute_scaling(inputs: Tensor, config: ProbeConfig) -> tuple[Tensor, Tensor]:
    """Compute the shift and scale [D] of features [N, D]; a nearly constant feature is not scaled."""
    zeros, ones = torch.zeros_like(inputs[0]), torch.ones_like(inputs[0])
    if not config.standardize:
        return zeros, ones
    mean, deviation = inputs.mean(dim=0), inputs.std(dim=0)
    # The deviation of a constant feature is rounding noise; dividing by it would magnify the noise.
    is_constant = deviation <= 1e-5 * (mean.abs() + 1e-5)
    return mean, torch.where(is_constant, ones, deviation)


def to_device(array: NDArray[Any]) -> Tensor:
    """Return an array as a tensor on the device that heads are trained on."""
    return torch.from_numpy(array).to(select_device())


def select_device() -> str:
    """Return the device that heads are trained and features are compared on: CUDA if it is available."""
    return "cuda" if torch.cuda.is_available() else "cpu"
