"""Batch norm over all ranks: outputs, gradients and running statistics of one process with the whole batch.

On CUDA torch's own does this. It refuses the tensors of CPU ranks (torch 2.13: "SyncBatchNorm expected input
tensor to be on GPU or XPU or privateuseone"), so there each rank gathers every rank's mean and variance.
Gradients pass through the gathering: the backward pass needs no formula.
"""

from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from turntable.models.layers import gathered

M = TypeVar("M", bound=nn.Module)


def synchronised(module: M) -> M | nn.Module:
    """Have every batch norm in a module take its statistics over all ranks as it trains.

    Parameters, buffers and their names stay the same: weights fit as before. Without ranks, and in ``eval()``
    mode, nothing changes. All ranks must have equally many rows.

    Args:
        module: Its batch norms are replaced; all else is left as it is.

    Returns:
        The module; its replacement if it is a batch norm itself.
    """
    if isinstance(module, _BatchNorm):
        return module if isinstance(module, _SYNCHRONISED) else _replacement(module)
    for name, child in module.named_children():
        setattr(module, name, synchronised(child))
    return module


class SharedBatchNorm(_BatchNorm):
    """A batch norm over maps or vectors [B, C, ...] whose batch is that of all ranks."""

    @classmethod
    def of(cls, norm: _BatchNorm) -> "SharedBatchNorm":
        """With another batch norm's parameters and buffers, the very same ones."""
        shared = cls(norm.num_features, norm.eps, norm.momentum, affine=False, track_running_stats=False)
        shared.affine, shared.track_running_stats = norm.affine, norm.track_running_stats
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            setattr(shared, name, getattr(norm, name))
        return shared.train(norm.training)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalise [B, C, ...], B rows of each rank."""
        return self._over_ranks(input) if self.training and _ranks() > 1 else super().forward(input)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        if input.ndim < 2:
            raise ValueError(f"batch norm is over [B, C, ...], not {list(input.shape)}")

    def _over_ranks(self, x: Tensor) -> Tensor:
        full = x if x.dtype == torch.float64 else x.float()
        others = [axis for axis in range(x.ndim) if axis != 1]
        variances, means = (part for part in torch.var_mean(full, others, correction=0))
        every = gathered(torch.stack([means, variances])[None])  # [ranks, 2, C]
        mean = every[:, 0].mean(dim=0)
        variance = every[:, 1].mean(dim=0) + every[:, 0].var(dim=0, correction=0)
        self._follow(mean.detach(), variance.detach(), x.numel() // x.shape[1] * _ranks())
        shape = [-1 if axis == 1 else 1 for axis in range(x.ndim)]
        scale = torch.rsqrt(variance + self.eps)
        y = (full - mean.view(shape)) * scale.view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)

    def _follow(self, mean: Tensor, variance: Tensor, rows: int) -> None:
        """Move the running statistics, whose variance is the unbiased one."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        unbiased = variance * (rows / max(1, rows - 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), share)


_SYNCHRONISED = (SharedBatchNorm, nn.SyncBatchNorm)


def _replacement(norm: _BatchNorm) -> nn.Module:
    held = [*norm.parameters(), *norm.buffers()]
    if held and held[0].is_cuda:
        return nn.SyncBatchNorm.convert_sync_batchnorm(norm)
    return SharedBatchNorm.of(norm)


def _ranks() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
