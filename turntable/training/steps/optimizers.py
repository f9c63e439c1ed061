"""Optimisers by name, over the parameters that a method trains, and the learning rate of a step."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from turntable.errors import IntegrityError, shown
from turntable.training.runs import TrainConfig


def make_optimizer(method: nn.Module, config: TrainConfig) -> Optimizer:
    """The run's optimiser; parameters without a gradient, such as those of moving averages, are left out."""
    groups = _groups(method, config)
    match config.optimizer:
        case "adam":
            return Adam(groups, lr=config.learning_rate)
        case "adamw":
            return AdamW(groups, lr=config.learning_rate)
        case "sgd":
            return SGD(groups, lr=config.learning_rate, momentum=config.momentum)


def load_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Let an optimizer go on where another one with the same settings was.

    Args:
        optimizer: As ``make_optimizer`` made it; changed in place.
        state: Its ``state_dict``.

    Raises:
        IntegrityError: It is of other settings, or its numbers do not fit the parameters.
    """
    own = optimizer.state_dict()["param_groups"]
    theirs = [
        {name: value for name, value in group.items() if name in mine and name != "lr"}
        for group, mine in zip(state["param_groups"], own, strict=True)
    ]
    if any(group[name] != mine[name] for group, mine in zip(theirs, own, strict=True) for name in group):
        raise IntegrityError("the checkpoint's optimizer has other settings than this run's; train again")
    optimizer.load_state_dict(dict(state))
    for parameter, numbers in optimizer.state.items():
        for name, value in numbers.items():
            if isinstance(value, Tensor) and value.numel() not in (1, parameter.numel()):
                raise IntegrityError(
                    f"the checkpoint's optimizer has {shown(str(name), 40)} of {value.numel():,} numbers for"
                    f" a parameter of {parameter.numel():,}; train again"
                )


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Take the next steps at a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def _groups(method: nn.Module, config: TrainConfig) -> list[dict[str, object]]:
    """Parameters by what decays them: those with one axis are biases and scales of normalisations."""
    trained = [parameter for parameter in method.parameters() if parameter.requires_grad]
    if config.decay_norms:
        return [{"params": trained, "weight_decay": config.weight_decay}]
    flat: list[torch.Tensor] = [parameter for parameter in trained if parameter.ndim < 2]
    rest: list[torch.Tensor] = [parameter for parameter in trained if parameter.ndim >= 2]
    return [
        {"params": rest, "weight_decay": config.weight_decay},
        {"params": flat, "weight_decay": 0.0},
    ]


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Return the rate that a step is taken with: a resumed run needs no scheduler's state.

    Args:
        config: Names the schedule and its peak.
        step: 0 for the first.
        steps_per_epoch: How many steps an epoch has.

    Returns:
        A rate that rises linearly from ``warmup_start`` through the warm-up, then stays, or falls by a half
        cosine towards 0.
    """
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if step < warmup:
        share = (step + 1) / warmup
        return config.warmup_start + (config.learning_rate - config.warmup_start) * share
    if config.schedule == "constant":
        return config.learning_rate
    progress = (step - warmup) / max(1, config.epochs * steps_per_epoch - warmup)
    return config.learning_rate * (1 + math.cos(math.pi * progress)) / 2
