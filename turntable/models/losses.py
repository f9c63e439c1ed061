"""Loss terms: tensors in, one scalar out, in full precision whatever the autocast around them.

The VICReg terms are those of Bardes, Ponce and LeCun, "VICReg" (ICLR 2022, arXiv:2105.04906), equations
1 to 4, with the variance floor 1e-4 under the root. Each divides by the true number of rows.
"""

from collections.abc import Callable, Mapping
from functools import wraps

import torch
from torch import Tensor
from torch.nn import functional

from turntable.errors import InvalidInputError

_VARIANCE_FLOOR = 1e-4


def full_precision(term: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Compute a term in float32 at least: squares of small covariances vanish in half precision."""

    @wraps(term)
    def in_full_precision(x: Tensor, *others: Tensor, **numbers: float) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return term(*map(_full, (x, *others)), **numbers)

    return in_full_precision


@full_precision
def invariance(x: Tensor, y: Tensor) -> Tensor:
    """Mean squared difference of two embeddings [B, D], over rows and columns."""
    return functional.mse_loss(x, y)


@full_precision
def variance_hinge(x: Tensor) -> Tensor:
    """Mean over the columns of [B, D] of how far the standard deviation falls below 1.

    The variance is the unbiased one: B must be 2 or more.
    """
    return functional.relu(1 - torch.sqrt(x.var(dim=0) + _VARIANCE_FLOOR)).mean()


@full_precision
def variance(x: Tensor, y: Tensor) -> Tensor:
    """The hinge of both views [B, D], averaged."""
    return (variance_hinge(x) + variance_hinge(y)) / 2


@full_precision
def covariance_penalty(x: Tensor) -> Tensor:
    """Sum of the squared off-diagonal entries of the covariance of [B, D], over D. B must be 2 or more."""
    num_rows, dim = x.shape
    centred = x - x.mean(dim=0)
    squared = (centred.T @ centred / (num_rows - 1)).square()
    return (squared.sum() - squared.diagonal().sum()) / dim


@full_precision
def covariance(x: Tensor, y: Tensor) -> Tensor:
    """The penalty of both views [B, D], summed."""
    return covariance_penalty(x) + covariance_penalty(y)


@full_precision
def nt_xent(x: Tensor, y: Tensor, *, temperature: float) -> Tensor:
    """Cross-entropy of finding each row's other view among all 2B - 1 other rows of both views [B, D].

    Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations" (ICML 2020,
    arXiv:2002.05709), equation 1: logits are cosines over the temperature, the mean is over 2B rows.

    Raises:
        InvalidInputError: The temperature is not above 0.
    """
    if not temperature > 0:
        raise InvalidInputError(f"temperature is {temperature}; it must be above 0")
    rows = functional.normalize(torch.cat([x, y]), dim=1)
    logits = (rows @ rows.T / temperature).fill_diagonal_(float("-inf"))
    others = torch.arange(len(rows), device=rows.device).roll(len(x))
    return functional.cross_entropy(logits, others)


@full_precision
def cross_entropy(logits: Tensor, categories: Tensor) -> Tensor:
    """Mean negative log-likelihood of categories [B] under the softmax of logits [B, N]."""
    return functional.cross_entropy(logits, categories)


@full_precision
def cosine_distance(x: Tensor, y: Tensor) -> Tensor:
    """1 - the cosine of the angle between the rows of [B, D], averaged: from 0 to 2."""
    return 1 - functional.cosine_similarity(x, y, dim=1).mean()


@full_precision
def double_cover(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of quaternions [B, 4] up to their sign: q and -q are one rotation.

    The mean over the batch of ``min(|p - q|^2, |p + q|^2) / 4``, so that it equals the plain mean squared
    error wherever the sign is right.
    """
    same = (predicted - target).square().sum(dim=1)
    opposite = (predicted + target).square().sum(dim=1)
    return torch.minimum(same, opposite).mean() / 4


def weighted_sum(weighted: Mapping[str, tuple[float, Tensor]]) -> dict[str, Tensor]:
    """What a method's ``loss`` gives: "loss", the sum of terms times their weights, and the terms themselves.

    Args:
        weighted: Weight and term, a scalar, by name.
    """
    total = torch.stack([weight * term for weight, term in weighted.values()]).sum()
    return {"loss": total, **{name: term for name, (_, term) in weighted.items()}}


def _full(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
