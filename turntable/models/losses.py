"""Loss terms: functions from tensors to a scalar, computed in full precision even under autocast.

The VICReg terms are those of Bardes, Ponce and LeCun, "VICReg" (ICLR 2022, arXiv:2105.04906), equations
1 to 4, with 1e-4 added to the variance under the root. Each divides by the true number of rows.
"""

from collections.abc import Callable, Mapping
from functools import wraps

import torch
from torch import Tensor
from torch.nn import functional

from turntable.errors import InvalidInputError

_VARIANCE_FLOOR = 1e-4  # keeps the gradient of the root finite for a column that is constant


def with_full_precision(term: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Wrap a loss term so that it computes in float32 at least, also under autocast.

    Squares of small covariances vanish in half precision.
    """

    @wraps(term)
    def in_full_precision(x: Tensor, *others: Tensor, **numbers: float) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return term(*map(_to_full_precision, (x, *others)), **numbers)

    return in_full_precision


@with_full_precision
def invariance_loss(x: Tensor, y: Tensor) -> Tensor:
    """Compute the mean squared difference of two embeddings [B, D], over rows and columns."""
    return functional.mse_loss(x, y)


@with_full_precision
def variance_hinge_loss(x: Tensor) -> Tensor:
    """Compute ``max(0, 1 - standard deviation)`` of each column of [B, D], averaged over the columns.

    The variance is unbiased, so B must be at least 2.
    """
    return functional.relu(1 - torch.sqrt(x.var(dim=0) + _VARIANCE_FLOOR)).mean()


@with_full_precision
def variance_loss(x: Tensor, y: Tensor) -> Tensor:
    """Compute the variance hinge of two views [B, D], averaged over the views."""
    return (variance_hinge_loss(x) + variance_hinge_loss(y)) / 2


@with_full_precision
def single_view_covariance_loss(x: Tensor) -> Tensor:
    """Compute the sum of the squared off-diagonal entries of the covariance of [B, D], divided by D.

    The covariance is unbiased, so B must be at least 2.
    """
    num_rows, dim = x.shape
    centered = x - x.mean(dim=0)
    squared = (centered.T @ centered / (num_rows - 1)).square()
    return (squared.sum() - squared.diagonal().sum()) / dim


@with_full_precision
def covariance_loss(x: Tensor, y: Tensor) -> Tensor:
    """Compute the covariance penalty of two views [B, D], summed over the views."""
    return single_view_covariance_loss(x) + single_view_covariance_loss(y)


@with_full_precision
def nt_xent_loss(x: Tensor, y: Tensor, *, temperature: float) -> Tensor:
    """Compute the normalized temperature-scaled cross-entropy (NT-Xent) of two views [B, D].

    Each of the 2B rows must find its other view among the 2B - 1 other rows. Logits are cosines divided by
    the temperature, and the loss is the mean over 2B rows: equation 1 of Chen et al., "A Simple Framework for
    Contrastive Learning of Visual Representations" (ICML 2020, arXiv:2002.05709).

    Raises:
        InvalidInputError: The temperature is not above 0.
    """
    if not temperature > 0:
        raise InvalidInputError(f"temperature is {temperature}; it must be above 0")
    rows = functional.normalize(torch.cat([x, y]), dim=1)
    logits = (rows @ rows.T / temperature).fill_diagonal_(float("-inf"))
    others = torch.arange(len(rows), device=rows.device).roll(len(x))
    return functional.cross_entropy(logits, others)


@with_full_precision
def cross_entropy_loss(logits: Tensor, categories: Tensor) -> Tensor:
    """Compute the mean negative log-likelihood of categories [B] under the softmax of logits [B, N]."""
    return functional.cross_entropy(logits, categories)


@with_full_precision
def cosine_distance_loss(x: Tensor, y: Tensor) -> Tensor:
    """Compute the mean of 1 - cosine between corresponding rows of [B, D], from 0 to 2."""
    return 1 - functional.cosine_similarity(x, y, dim=1).mean()


@with_full_precision
def quaternion_mse_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Compute the mean squared error of quaternions [B, 4] up to their sign: q and -q are the same rotation.

    It is the mean over the batch of ``min(|p - q|^2, |p + q|^2) / 4``, which equals the plain mean squared
    error where the sign is right.
    """
    same = (predicted - target).square().sum(dim=1)
    opposite = (predicted + target).square().sum(dim=1)
    return torch.minimum(same, opposite).mean() / 4


def sum_weighted_terms(weighted: Mapping[str, tuple[float, Tensor]]) -> dict[str, Tensor]:
    """Return what ``Method.loss`` returns: "loss", the weighted sum of the terms, and the terms themselves.

    Args:
        weighted: Weight and scalar term, by the term's name.
    """
    total = torch.stack([weight * term for weight, term in weighted.values()]).sum()
    return {"loss": total, **{name: term for name, (_, term) in weighted.items()}}


def _to_full_precision(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
