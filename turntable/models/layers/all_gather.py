"""Gathering of a batch over all ranks, with gradients.

A loss over statistics of a batch must see the rows of all ranks and send gradients to all of them.
"""

import torch
import torch.distributed as dist
from torch import Tensor


def gather_all_ranks(x: Tensor) -> Tensor:
    """Gather the rows of all ranks, rank after rank, with gradients to all of them.

    Every rank computes the same loss over the whole batch. The gradient of a rank's rows is the sum of the
    gradients of all ranks' losses. DistributedDataParallel divides it by the number of ranks, which gives the
    gradient of one process that has the whole batch.

    Args:
        x: Rows [B, ...] of this rank; B must be the same on all ranks.

    Returns:
        All rows [num_ranks * B, ...]; in a single process, ``x`` itself.
    """
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return x
    return _AllGather.apply(x)


class _AllGather(torch.autograd.Function):
    """The autograd function of ``gather_all_ranks``: all-gather forward, all-reduce backward."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Gather the rows of all ranks."""
        del ctx
        parts = [
            torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())
        ]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        """Sum the gradients over ranks, and return those of this rank's rows."""
        del ctx
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        return total.chunk(dist.get_world_size())[dist.get_rank()]
