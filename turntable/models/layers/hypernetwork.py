"""The predictor of SIE: a linear map of embeddings whose matrix is linear in the action.

Garrido, Najman and LeCun, "Self-supervised learning of split invariant equivariant representations"
(ICML 2023, arXiv:2302.10283), section 3.
"""

import math
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from turntable.choices import check_choice
from turntable.errors import InvalidInputError

Init = Literal["torch", "fan_in"]


class Generated(NamedTuple):
    """One layer, made anew for each sample: B x E x E numbers."""

    matrix: Tensor
    """[B, E, E]."""
    bias: Tensor | None
    """[B, E]."""


class GeneratedLayer(nn.Module):
    """Apply ``W(c) = sum_k c_k M_k`` to an embedding, without ever forming one W a sample.

    The paper's linear layer generates W(c): B matrices of E x E. Since ``W(c) x = sum_k c_k (M_k x)``, all
    ``M_k x`` come from one matrix product and the rest is a weighted sum: the same prediction from B x K x E
    numbers. A generated bias ``sum_k c_k m_k`` comes along as the product's own.
    """

    def __init__(self, dim: int, code_dim: int, *, bias: bool, bound: float) -> None:
        super().__init__()
        self.dim, self.code_dim = dim, code_dim
        self.weight = nn.Parameter(torch.empty(code_dim * dim, dim).uniform_(-bound, bound))
        """[K * E, E]: M_1 above M_2 above ... M_K."""
        self.bias = nn.Parameter(torch.empty(code_dim * dim).uniform_(-bound, bound)) if bias else None
        """[K * E]: m_1, m_2 ... m_K."""

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """``W(code) x`` [B, E], of x [B, E] and code [B, K]."""
        products_BKE = functional.linear(x, self.weight, self.bias).view(-1, self.code_dim, self.dim)
        return (products_BKE * code.unsqueeze(2)).sum(dim=1)

    def generate(self, code: Tensor) -> Generated:
        """What multiplies each sample."""
        matrix = code @ self.weight.view(self.code_dim, -1)
        bias = None if self.bias is None else code @ self.bias.view(self.code_dim, -1)
        return Generated(matrix.view(-1, self.dim, self.dim), bias)


class Hypernetwork(nn.Module):
    """``W(z) x``, with a matrix W(z) linear in the action z.

    As SIE has it there is no bias anywhere, so ``W(-z) = -W(z)``: of the two quaternions of one rotation,
    one gives the negative of the other's prediction, and the labels' sign rule matters. Each of the
    reference code's options, off here as there, ends that.
    """

    def __init__(
        self,
        dim: int,
        action_dim: int = 4,
        init: Init = "torch",
        *,
        layers: int = 1,
        bias: bool = False,
        generated_bias: bool = False,
        hidden_width: int | None = None,
    ) -> None:
        """Make the matrices.

        Args:
            dim: E, the width of the embedding.
            action_dim: K, the numbers that describe an action; 4 for a quaternion.
            init: "torch" as the generating linear layer would be initialised, U(-1/sqrt(K), 1/sqrt(K)): for a
                unit quaternion the prediction starts sqrt(E / 12) times as long as the embedding, 9 times
                at E = 1024. "fan_in" divides the bound by sqrt(E), which ends that dependence on the width.
            layers: that are generated, one after the other with ReLU between them.
            bias: whether the linear layers that generate have one: ``W(z) = M_0 + sum_k z_k M_k``.
            generated_bias: whether each generated layer has one, generated like its matrix.
            hidden_width: of two hidden layers with ReLU between the action and the matrices, which are then
                linear in the second one's output ("deep" in the reference, with K); None: no hidden layers.

        Raises:
            InvalidInputError: A value cannot be right.
        """
        super().__init__()
        _check(init, layers, hidden_width)
        self.dim, self.action_dim = dim, action_dim
        self.hidden = None if hidden_width is None else _hidden(action_dim, hidden_width, bias=bias)
        self.constant = bias
        fan_in = action_dim if hidden_width is None else hidden_width
        bound = 1 / math.sqrt(fan_in * dim if init == "fan_in" else fan_in)
        self.layers = nn.ModuleList(
            GeneratedLayer(dim, fan_in + bias, bias=generated_bias, bound=bound) for _ in range(layers)
        )

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Predict the embeddings of the views after an action.

        Args:
            x: [B, E] embeddings.
            z: [B, K] actions.

        Returns:
            [B, E] ``W(z_b) x_b``.
        """
        code = self._code(z)
        x = self.layers[0](x, code)
        for layer in self.layers[1:]:
            x = layer(functional.relu(x), code)
        return x

    def generate(self, z: Tensor) -> list[Generated]:
        """The generated layers themselves, of each action: for inspection, as they are large."""
        code = self._code(z)
        return [layer.generate(code) for layer in self.layers if isinstance(layer, GeneratedLayer)]

    def _code(self, z: Tensor) -> Tensor:
        """What the matrices are linear in [B, K + 1 or K]: the generator's bias is the matrix of a 1."""
        code = z if self.hidden is None else self.hidden(z)
        return functional.pad(code, (0, 1), value=1.0) if self.constant else code


def _hidden(action_dim: int, width: int, *, bias: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise((action_dim, width, width)):
        layers += [nn.Linear(before, after, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers)


def _check(init: str, layers: int, hidden_width: int | None) -> None:
    check_choice("hypernetwork_init", init, get_args(Init))
    if layers < 1:
        raise InvalidInputError(f"a hypernetwork generates {layers} layers; it must be at least 1")
    if hidden_width is not None and hidden_width < 1:
        raise InvalidInputError(f"hypernetwork hidden width {hidden_width}: must be at least 1, or none")
