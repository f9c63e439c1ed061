"""The learning rate of a step, as a pure function: a resumed run needs no scheduler's state."""

import math

from turntable.training.config import TrainConfig


def learning_rate(config: TrainConfig, step: int, steps_per_epoch: int) -> float:
    """The rate that a step is taken with.

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
