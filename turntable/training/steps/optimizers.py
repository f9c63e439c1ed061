"""Optimizers by name, and the learning rate of each step."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from turntable.errors import IntegrityError, format_text
from turntable.training.runs import TrainConfig


def make_optimizer(method: nn.Module, config: TrainConfig) -> Optimizer:
    """Make the optimizer of a run, for all parameters that need a gradient."""
    groups = _make_parameter_groups(method, config)
    match config.optimizer:
        case "adam":
            return Adam(groups, lr=config.learning_rate)
        case "adamw":
            return AdamW(groups, lr=config.learning_rate)
        case "sgd":
            return SGD(groups, lr=config.learning_rate, momentum=config.momentum)


def load_optimizer(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Load the state of an optimizer with the same settings.

    Args:
        optimizer: Optimizer from ``make_optimizer``, changed in place.
        state: State of the other optimizer, from its ``state_dict``.

    Raises:
        IntegrityError: The other optimizer has other settings, or its values do not fit the parameters.
    """
    own_groups = optimizer.state_dict()["param_groups"]
    saved_groups = [
        {name: value for name, value in group.items() if name in own and name != "lr"}
        for group, own in zip(state["param_groups"], own_groups, strict=True)
    ]
    pairs = zip(saved_groups, own_groups, strict=True)
    if any(group[name] != own[name] for group, own in pairs for name in group):
        raise IntegrityError("the checkpoint's optimizer has other settings than this run's; train again")
    optimizer.load_state_dict(dict(state))
    for parameter, numbers in optimizer.state.items():
        for name, value in numbers.items():
            if isinstance(value, Tensor) and value.numel() not in (1, parameter.numel()):
                raise IntegrityError(
                    f"the checkpoint's optimizer has {format_text(str(name), 40)} of {value.numel():,}"
                    f" numbers for a parameter of {parameter.numel():,}; train again"
                )


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the learning rate of the next steps."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def _make_parameter_groups(method: nn.Module, config: TrainConfig) -> list[dict[str, object]]:
    """Return groups of parameters by weight decay; those with one axis are biases and scales of norms."""
    trained = [parameter for parameter in method.parameters() if parameter.requires_grad]
    if config.decay_norms:
        return [{"params": trained, "weight_decay": config.weight_decay}]
    flat: list[torch.Tensor] = [parameter for parameter in trained if parameter.ndim < 2]
    rest: list[torch.Tensor] = [parameter for parameter in trained if parameter.ndim >= 2]
    return [
        {"params": rest, "weight_decay": config.weight_decay},
        {"params": flat, "weight_decay": 0.0},
    ]


def compute_learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """Compute the learning rate of a step from its index, so that a resumed run needs no scheduler state.

    Args:
        config: Settings of the run, with the schedule and its peak.
        step: Index of the step, 0 for the first.
        steps_per_epoch: Number of steps of an epoch.

    Returns:
        A learning rate that rises linearly from ``warmup_start`` during the warm-up, then stays constant or
        decays to 0 along half a cosine.
    """
    warmup = round(config.warmup_epochs * steps_per_epoch)
    if step < warmup:
        fraction = (step + 1) / warmup
        return config.warmup_start + (config.learning_rate - config.warmup_start) * fraction
    if config.schedule == "constant":
        return config.learning_rate
    progress = (step - warmup) / max(1, config.epochs * steps_per_epoch - warmup)
    return config.learning_rate * (1 + math.cos(math.pi * progress)) / 2
