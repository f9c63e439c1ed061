"""Optimisers by name, over the parameters that a method trains."""

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from turntable.training.config import TrainConfig


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
