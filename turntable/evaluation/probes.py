"""Probes: small heads trained on frozen features, to see what the features say."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from turntable.models.heads import mlp

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
Draw = Callable[[int], tuple[IntArray, FloatArray]]
"""From an epoch to its samples: rows [P, k] of the features, targets [P, C]."""

Chosen = TypeVar("Chosen")


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
    inputs, targets = _on_device(features), _on_device(categories)
    trained = _new_head(config, head or (lambda: mlp(features.shape[1], num_categories)))
    shift, scale = _scaling(inputs, config)

    def loss(rows: Tensor) -> Tensor:
        return functional.cross_entropy(trained((inputs[rows] - shift) / scale), targets[rows])

    def batches(epoch: int) -> tuple[Tensor, ...]:
        return _shuffled(len(inputs), epoch, config)

    _fit(trained, loss, batches, config)
    return Probe(trained.eval(), shift, scale)


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
    inputs = _on_device(features)
    rows, targets = draw(0)
    views = rows.shape[1]
    hidden = (config.hidden, config.hidden) if deep else ()
    head = _new_head(config, lambda: mlp(views * features.shape[1], *hidden, targets.shape[1]))
    shift, scale = (values.repeat(views) for values in _scaling(inputs, config))

    def loss(batch: tuple[Tensor, Tensor]) -> Tensor:
        rows, targets = batch
        return functional.mse_loss(head((inputs[rows].flatten(1) - shift) / scale), targets)

    def batches(epoch: int) -> list[tuple[Tensor, Tensor]]:
        rows, targets = (_on_device(array) for array in draw(epoch))
        return [(rows[chosen], targets[chosen]) for chosen in _shuffled(len(rows), epoch, config)]

    _fit(head, loss, batches, config)
    return Probe(head.eval(), shift, scale)


def _fit(
    head: nn.Module,
    loss: Callable[[Chosen], Tensor],
    batches: Callable[[int], Iterable[Chosen]],
    config: ProbeConfig,
) -> None:
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    optimizer = kind(head.parameters(), lr=config.learning_rate)
    for epoch in range(config.epochs):
        for group in optimizer.param_groups:
            group["lr"] = config.rate(epoch)
        for batch in batches(epoch):
            optimizer.zero_grad(set_to_none=True)
            loss(batch).backward()
            optimizer.step()


def _new_head(config: ProbeConfig, make: Callable[[], nn.Module]) -> nn.Module:
    """A head whose first weights the seed decides; the caller's generator is left alone."""
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        return make().to(compute_device())


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


def _on_device(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(array).to(compute_device())


def compute_device() -> str:
    """Where heads are trained and features compared."""
    return "cuda" if torch.cuda.is_available() else "cpu"
