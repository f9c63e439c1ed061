"""The predictor of SIE: a linear map of embeddings whose matrix is linear in the transformation."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Init = Literal["torch", "fan_in"]


class Hypernetwork(nn.Module):
    """Apply ``W(z) = sum_k z_k M_k`` to an embedding, without ever forming one W a sample.

    Garrido, Najman and LeCun, "Self-supervised learning of split invariant equivariant representations"
    (ICML 2023, arXiv:2302.10283), section 3. There a linear layer generates W(z): B matrices of E x E.
    Since ``W(z) x = sum_k z_k (M_k x)``, all ``M_k x`` come from one matrix product and the rest is a
    weighted sum: the same prediction from B x K x E numbers.

    There is no bias, so ``W(-z) = -W(z)``: of the two quaternions of one rotation, one gives the negative of
    the other's prediction. The labels' sign rule matters.
    """

    def __init__(self, dim: int, transformation_dim: int = 4, init: Init = "torch") -> None:
        """Make the matrices.

        Args:
            dim: E, the width of the embedding.
            transformation_dim: K, the numbers that describe a transformation; 4 for a quaternion.
            init: "torch" as the generating linear layer would be initialised, U(-1/sqrt(K), 1/sqrt(K)): for a
                unit quaternion the prediction starts sqrt(E / 12) times as long as the embedding, 9 times
                at E = 1024. "fan_in" divides the bound by sqrt(E), which ends that dependence on the width.
        """
        super().__init__()
        self.dim = dim
        self.transformation_dim = transformation_dim
        bound = 1 / math.sqrt(transformation_dim)
        if init == "fan_in":
            bound /= math.sqrt(dim)
        self.weight = nn.Parameter(torch.empty(transformation_dim * dim, dim).uniform_(-bound, bound))
        """[K * E, E]: M_1 above M_2 above ... M_K."""

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Predict the embeddings of the transformed views.

        Args:
            x: [B, E] embeddings.
            z: [B, K] transformations.

        Returns:
            [B, E] ``W(z_b) x_b``.
        """
        products_BKE = functional.linear(x, self.weight).view(-1, self.transformation_dim, self.dim)
        return (products_BKE * z.unsqueeze(2)).sum(dim=1)

    def matrices(self, z: Tensor) -> Tensor:
        """The matrices W(z) [B, E, E] themselves, for inspection: large."""
        return torch.einsum("bk,kji->bji", z, self.weight.view(self.transformation_dim, self.dim, self.dim))
