"""Batch norm over all ranks, with the outputs, gradients and statistics of one process with the whole batch.

On CUDA this is torch's SyncBatchNorm. It does not accept tensors on the CPU (torch 2.13: "SyncBatchNorm
expected input tensor to be on GPU or XPU or privateuseone"), so there each rank gathers the means and
variances of all ranks. The gathering is differentiable, so that autograd computes the backward pass.
"""

from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from turntable.models.layers import gather_all_ranks

M = TypeVar("M", bound=nn.Module)


def convert_sync_batch_norm(module: M) -> M | nn.Module:
    """Replace every batch norm of a module by one that takes its statistics over all ranks in training.

    Parameters, buffers and their names stay the same, so that weights still fit. In a single process and in
    ``eval()`` mode, nothing changes. All ranks must have the same number of rows.

    Args:
        module: Module whose batch norms are replaced in place.

    Returns:
        The module; if it is a batch norm itself, its replacement.
    """
    if isinstance(module, _BatchNorm):
        return module if isinstance(module, _SYNC_BATCH_NORMS) else _make_sync_batch_norm(module)
    for name, child in module.named_children():
        setattr(module, name, convert_sync_batch_norm(child))
    return module


class SharedBatchNorm(_BatchNorm):
    """A batch norm of maps or vectors [B, C, ...] over the batch of all ranks, on the CPU."""

    @classmethod
    def from_batch_norm(cls, norm: _BatchNorm) -> "SharedBatchNorm":
        """Return a shared batch norm with the same parameters and buffers as ``norm``, not copies of them."""
        shared = cls(norm.num_features, norm.eps, norm.momentum, affine=False, track_running_stats=False)
        shared.affine, shared.track_running_stats = norm.affine, norm.track_running_stats
        for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            setattr(shared, name, getattr(norm, name))
        return shared.train(norm.training)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Normalize [B, C, ...], with B rows on each rank."""
        return (
            self._normalize_over_ranks(input)
            if self.training and _count_ranks() > 1
            else super().forward(input)
        )

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        if input.ndim < 2:
            raise ValueError(f"batch norm is over [B, C, ...], not {list(input.shape)}")

    def _normalize_over_ranks(self, x: Tensor) -> Tensor:
        full = x if x.dtype == torch.float64 else x.float()
        others = [axis for axis in range(x.ndim) if axis != 1]
        variances, means = (part for part in torch.var_mean(full, others, correction=0))
        statistics = gather_all_ranks(torch.stack([means, variances])[None])  # [num_ranks, 2, C]
        mean = statistics[:, 0].mean(dim=0)
        # Law of total variance for parts of equal size: mean of the variances plus variance of the means.
        variance = statistics[:, 1].mean(dim=0) + statistics[:, 0].var(dim=0, correction=0)
        self._update_running_stats(mean.detach(), variance.detach(), x.numel() // x.shape[1] * _count_ranks())
        shape = [-1 if axis == 1 else 1 for axis in range(x.ndim)]
        scale = torch.rsqrt(variance + self.eps)
        y = (full - mean.view(shape)) * scale.view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)

    def _update_running_stats(self, mean: Tensor, variance: Tensor, num_rows: int) -> None:
        """Update the running statistics; as in torch, their variance is the unbiased one."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        weight = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), weight)
        unbiased = variance * (num_rows / max(1, num_rows - 1))
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), weight)


_SYNC_BATCH_NORMS = (SharedBatchNorm, nn.SyncBatchNorm)


def _make_sync_batch_norm(norm: _BatchNorm) -> nn.Module:
    tensors = [*norm.parameters(), *norm.buffers()]
    if tensors and tensors[0].is_cuda:
        return nn.SyncBatchNorm.convert_sync_batchnorm(norm)
    return SharedBatchNorm.from_batch_norm(norm)


def _count_ranks() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
