"""Equiangular basis vectors: a classifier whose weights are fixed directions, nearly orthogonal.

Shen, Sun and Wei, "Equiangular Basis Vectors" (CVPR 2023, arXiv:2303.11637): a category is a direction, the
answer is the direction nearest to the embedding, and no weight grows with the number of categories.

The paper minimises relu(|cos| - 0.002) over all pairs, which finds vectors that are orthogonal where there
can be such. Of more vectors than dimensions it lets some pairs lie close, so here the greatest cosine is what
is minimised.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from turntable.errors import InvalidInputError

_STEPS = 2000
_ENOUGH = 0.002
"""Cosines of at most this much are orthogonal enough."""


class EquiangularHead(nn.Module):
    """A linear map to [B, dim], and the cosines to one fixed vector a category, over a temperature."""

    basis: Tensor

    def __init__(
        self, dim_in: int, num_categories: int, dim: int | None = None, temperature: float = 0.07
    ) -> None:
        """Make the head.

        Args:
            dim_in: Of representations [B, dim_in].
            num_categories: N.
            dim: Of the vectors; by default N, where they can be orthogonal.
            temperature: By which cosines are divided.
        """
        super().__init__()
        self.linear = nn.Linear(dim_in, num_categories if dim is None else dim)
        self.temperature = temperature
        vectors = equiangular_vectors(num_categories, self.linear.out_features)
        self.register_buffer("basis", vectors, persistent=False)

    def forward(self, representation: Tensor) -> Tensor:
        """Logits [B, N] of representations [B, dim_in]."""
        directions = functional.normalize(self.linear(representation).float(), dim=1)
        return directions @ self.basis.T / self.temperature


@cache
def equiangular_vectors(count: int, dim: int, seed: int = 0) -> Tensor:
    """Unit vectors [count, dim] whose pairwise cosines are as near to 0 as gradient descent brings them.

    Up to ``dim`` vectors can be orthogonal; of more, the greatest cosine is at least the Welch bound
    sqrt((count - dim) / (dim (count - 1))).

    Args:
        count: At least 1.
        dim: At least 1.
        seed: Where the descent begins.

    Raises:
        InvalidInputError: There is nothing to make.
    """
    if count < 1 or dim < 1:
        raise InvalidInputError(f"{count} vectors of {dim} numbers: both must be at least 1")
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    if count <= dim:
        return torch.linalg.qr(start.T)[0].T.float()
    return _spread(functional.normalize(start, dim=1)).float()


def _spread(vectors: Tensor) -> Tensor:
    """Push apart those that are nearest, more and more exclusively."""
    vectors = vectors.clone().requires_grad_()
    optimizer = torch.optim.Adam([vectors], lr=0.02)
    best, least = vectors.detach().clone(), float("inf")
    for step in range(_STEPS):
        unit = functional.normalize(vectors, dim=1)
        cosines = (unit @ unit.T).fill_diagonal_(0.0).abs()
        worst = cosines.max().item()
        if worst < least:
            best, least = unit.detach().clone(), worst
        if worst <= _ENOUGH:
            break
        sharpness = 10.0 * 50.0 ** (step / _STEPS)
        optimizer.zero_grad(set_to_none=True)
        (torch.logsumexp(sharpness * cosines.flatten(), dim=0) / sharpness).backward()
        optimizer.step()
    return best
