"""Batches over all ranks: a loss over a batch's statistics must see the whole of it, and teach all of it."""

import torch
import torch.distributed as dist
from torch import Tensor


def gathered(x: Tensor) -> Tensor:
    """The rows of all ranks, rank after rank, with gradients to all of them; without ranks, the rows given.

    Every rank computes the same loss over the whole batch, and each rank's gradient is the sum of what all
    ranks' losses say of its rows. Divided by the number of ranks, as DistributedDataParallel does, it is the
    gradient of one process that has the whole batch.

    Args:
        x: [B, ...], B the same on all ranks.

    Returns:
        [ranks * B, ...].
    """
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return x
    return _Gather.apply(x)


class _Gather(torch.autograd.Function):
    """All rows forward; backward, the sum over ranks of the gradients of one's own."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Collect."""
        del ctx
        parts = [
            torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(dist.get_world_size())
        ]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> Tensor:
        """Add up, and keep one's own rows."""
        del ctx
        total = gradients[0].contiguous()
        dist.all_reduce(total)
        return total.chunk(dist.get_world_size())[dist.get_rank()]
