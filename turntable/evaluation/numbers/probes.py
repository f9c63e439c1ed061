"""Probes: small heads trained on frozen features, to see what the features say."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from turntable.models.layers import mlp

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Draw = Callable[[int], tuple[IntArray, FloatArray]]
"""From an epoch to its samples: rows [P, k] of the features, targets [P, C]."""


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """How a head is trained; the defaults are those of SIE's and EquiCaps' evaluations (Adam, 300 epochs)."""

    epochs: int = 300
    batch_size: int = 256
    learning_rate: float = 1e-3
    hidden: int = 1024
    """Width of the two hidden layers of an MLP head."""
    optimizer: Literal["adam", "adamw"] = "adam"
    cosine: bool = False
    """Let the rate fall to 0, which a short training needs to settle."""
    standardize: bool = False
    """Scale each feature by its mean and spread over the training split, which a short training needs where
    the features' scales differ. A linear head can say no more or less for it."""
    seed: int = 0

    @classmethod
    def demo(cls) -> Self:
        """Seconds instead of minutes on two CPU cores."""
        return cls(epochs=25, batch_size=512, learning_rate=3e-3, hidden=256, cosine=True, standardize=True)

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch."""
        if not self.cosine:
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A trained head with the scaling of its input."""

    head: nn.Module
    shift: Tensor
    scale: Tensor

    @torch.inference_mode()
    def __call__(self, features: FloatArray, batch_size: int = 8192) -> FloatArray:
        """Apply the head to features [N, D]."""
        outputs = [
            self.head((part.to(self.shift.device) - self.shift) / self.scale).cpu()
            for part in torch.from_numpy(features).split(batch_size)
        ]
        return torch.cat(outputs).numpy()


@dataclass(frozen=True, slots=True, eq=False)
class Learner:
    """A head that is being trained, a batch at a time."""

    head: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    """Of what the head says [B, C] and the targets."""
    config: ProbeConfig
    optimizer: torch.optim.Optimizer

    @classmethod
    def classifier(
        cls,
        dim: int,
        num_categories: int,
        config: ProbeConfig,
        head: Callable[[], nn.Module] | None = None,
    ) -> Self:
        """By cross-entropy, from features [B, dim] to logits [B, num_categories]; linear unless given."""
        return cls._new(head or (lambda: mlp(dim, num_categories)), functional.cross_entropy, config)

    @classmethod
    def regressor(cls, dim: int, numbers: int, deep: bool, config: ProbeConfig) -> Self:
        """By mean squared error, from features [B, dim] to [B, numbers]: linear, or the published MLP."""
        hidden = (config.hidden, config.hidden) if deep else ()
        return cls._new(lambda: mlp(dim, *hidden, numbers), functional.mse_loss, config)

    @classmethod
    def _new(
        cls, make: Callable[[], nn.Module], loss: Callable[[Tensor, Tensor], Tensor], config: ProbeConfig
    ) -> Self:
        """First weights as the seed decides; the caller's generator is left alone."""
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            head = make().to(compute_device())
        kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
        return cls(head, loss, config, kind(head.parameters(), lr=config.learning_rate))

    def begin(self, epoch: int) -> None:
        """Take the epoch's learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.rate(epoch)

    def step(self, inputs: Tensor, targets: Tensor) -> None:
        """Learn from a batch."""
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.head(inputs), targets).backward()
        self.optimizer.step()

    def probe(self, shift: Tensor, scale: Tensor) -> Probe:
        """The head as it is now, for features that are to be scaled so."""
        return Probe(self.head.eval(), shift, scale)


def train_classifier(
    features: FloatArray,
    categories: IntArray,
    num_categories: int,
    config: ProbeConfig,
    head: Callable[[], nn.Module] | None = None,
) -> Probe:
    """A classifier by cross-entropy.

    Args:
        features: [N, D].
        categories: [N].
        num_categories: How many classes the head tells apart.
        config: How it is trained.
        head: Makes one from [B, D] to logits [B, num_categories]; by default it is linear.

    Returns:
        A probe from [N, D] to logits [N, num_categories].
    """
    inputs, targets = on_device(features), on_device(categories)
    learner = Learner.classifier(features.shape[1], num_categories, config, head)
    shift, scale = _scaling(inputs, config)
    for epoch in range(config.epochs):
        learner.begin(epoch)
        for rows in _shuffled(len(inputs), epoch, config):
            learner.step((inputs[rows] - shift) / scale, targets[rows])
    return learner.probe(shift, scale)


def train_regressor(features: FloatArray, draw: Draw, deep: bool, config: ProbeConfig) -> Probe:
    """A head from one or more views to numbers, by mean squared error.

    Args:
        features: [M, D], one row a view.
        draw: The samples of an epoch: rows [P, k] of the features, targets [P, C].
        deep: Whether the head is the MLP kD-1024-1024-C of the published protocols; otherwise it is linear.
        config: How it is trained.

    Returns:
        A probe from concatenated features [P, kD] to numbers [P, C].
    """
    inputs = on_device(features)
    views, numbers = (array.shape[1] for array in draw(0))
    learner = Learner.regressor(views * features.shape[1], numbers, deep, config)
    shift, scale = (values.repeat(views) for values in _scaling(inputs, config))
    for epoch in range(config.epochs):
        learner.begin(epoch)
        rows, targets = (on_device(array) for array in draw(epoch))
        for chosen in _shuffled(len(rows), epoch, config):
            learner.step((inputs[rows[chosen]].flatten(1) - shift) / scale, targets[chosen])
    return learner.probe(shift, scale)


def _shuffled(num_rows: int, epoch: int, config: ProbeConfig) -> tuple[Tensor, ...]:
    """Batches of all rows, in another order each epoch."""
    generator = torch.Generator().manual_seed(1_000_003 * config.seed + epoch)
    return torch.randperm(num_rows, generator=generator).to(compute_device()).split(config.batch_size)


def _scaling(inputs: Tensor, config: ProbeConfig) -> tuple[Tensor, Tensor]:
    """Shift and scale [D] of features [N, D]; a feature that says nothing stays as it is."""
    zeros, ones = torch.zeros_like(inputs[0]), torch.ones_like(inputs[0])
    if not config.standardize:
        return zeros, ones
    mean, spread = inputs.mean(dim=0), inputs.std(dim=0)
    silent = spread <= 1e-5 * (mean.abs() + 1e-5)
    return mean, torch.where(silent, ones, spread)


def on_device(array: NDArray[Any]) -> Tensor:
    """Where heads are trained."""
    return torch.from_numpy(array).to(compute_device())


def compute_device() -> str:
    """Where heads are trained and features compared."""
    return "cuda" if torch.cuda.is_available() else "cpu"
