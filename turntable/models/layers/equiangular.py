"""Equiangular basis vectors: a classifier whose weights are fixed, nearly orthogonal directions.

Shen, Sun and Wei, "Equiangular Basis Vectors" (CVPR 2023, arXiv:2303.11637). Each category has a direction,
and the predicted category is that of the direction nearest to the embedding. The embedding may have fewer
dimensions than there are categories.

The paper minimizes relu(|cos| - 0.002) over all pairs, which finds orthogonal vectors where they exist. For
more vectors than dimensions it leaves some pairs close together, so here the largest cosine is minimized.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from turntable.errors import InvalidInputError

_NUM_STEPS = 2000
_MAX_COSINE = 0.002
"""Largest cosine at which vectors count as orthogonal; the descent stops there."""


class EquiangularHead(nn.Module):
    """A linear map to [B, dim], and the cosines to one fixed vector per category, over a temperature."""

    basis: Tensor

    def __init__(
        self, dim_in: int, num_categories: int, dim: int | None = None, temperature: float = 0.07
    ) -> None:
        """Build the head with fresh weights.

        Args:
            dim_in: Width of the representations.
            num_categories: Number of categories N.
            dim: Width of the vectors; by default N, which lets them be orthogonal.
            temperature: Divisor of the cosines.
        """
        super().__init__()
        self.linear = nn.Linear(dim_in, num_categories if dim is None else dim)
        self.temperature = temperature
        vectors = make_equiangular_vectors(num_categories, self.linear.out_features)
        self.register_buffer("basis", vectors, persistent=False)

    def forward(self, representation: Tensor) -> Tensor:
        """Compute logits [B, N] of representations [B, dim_in]."""
        directions = functional.normalize(self.linear(representation).float(), dim=1)
        return directions @ self.basis.T / self.temperature


@cache
def make_equiangular_vectors(num_vectors: int, dim: int, seed: int = 0) -> Tensor:
    """Make unit vectors [num_vectors, dim] whose pairwise cosines are as close to 0 as possible.

    Up to ``dim`` vectors can be orthogonal. Of more vectors, the largest cosine is at least the Welch bound
    sqrt((num_vectors - dim) / (dim (num_vectors - 1))); gradient descent comes close to it.

    Args:
        num_vectors: Number of vectors, at least 1.
        dim: Width of the vectors, at least 1.
        seed: Seed of the vectors from which the descent starts.

    Raises:
        InvalidInputError: A number is below 1.
    """
    if num_vectors < 1 or dim < 1:
        raise InvalidInputError(f"{num_vectors} vectors of {dim} numbers: both must be at least 1")
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(num_vectors, dim, generator=generator, dtype=torch.float64)
    if num_vectors <= dim:
        return torch.linalg.qr(start.T)[0].T.float()
    return _spread_vectors(functional.normalize(start, dim=1)).float()


def _spread_vectors(vectors: Tensor) -> Tensor:
    """Move vectors until the largest cosine between them is minimal, by descent on a soft maximum."""
    vectors = vectors.clone().requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=0.02)
    best, lowest = vectors.detach().clone(), float("inf")
    for step in range(_NUM_STEPS):
        unit = functional.normalize(vectors, dim=1)
        cosines = (unit @ unit.T).fill_diagonal_(0.0).abs()
        worst = cosines.max().item()
        if worst < lowest:
            best, lowest = unit.detach().clone(), worst
        if worst <= _MAX_COSINE:
            break
        # The soft maximum starts flat, so that all pairs move, and ends sharp, so that the closest pair does.
        sharpness = 10.0 * 50.0 ** (step / _NUM_STEPS)
        optimizer.zero_grad(set_to_none=True)
        (torch.logsumexp(sharpness * cosines.flatten(), dim=0) / sharpness).backward()
        optimizer.step()
    return best
