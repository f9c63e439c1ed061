"""The predictor of SIE: a linear map of embeddings whose matrix is a linear function of the action.

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

HypernetworkInit = Literal["torch", "fan_in"]
"""Initializations of the generating weights; see ``Hypernetwork``."""


class GeneratedWeights(NamedTuple):
    """The weights of one generated layer, different for each sample: B x E x E numbers."""

    matrix: Tensor
    """Matrices [B, E, E]."""
    bias: Tensor | None
    """Biases [B, E]; None if the layer has none."""


class GeneratedLayer(nn.Module):
    """A layer that applies ``W(c) = sum_k c_k M_k`` to an embedding without computing a W for each sample.

    The paper's linear layer generates W(c): B matrices of E x E. Since ``W(c) x = sum_k c_k (M_k x)``, one
    matrix product gives all ``M_k x``, and a weighted sum gives the same prediction from only B x K x E
    numbers. A generated bias ``sum_k c_k m_k`` is the bias of that matrix product.
    """

    def __init__(self, dim: int, code_dim: int, *, bias: bool, bound: float) -> None:
        super().__init__()
        self.dim, self.code_dim = dim, code_dim
        self.weight = nn.Parameter(torch.empty(code_dim * dim, dim).uniform_(-bound, bound))
        """Matrices M_1 to M_K, one below the other: [K * E, E]."""
        self.bias = nn.Parameter(torch.empty(code_dim * dim).uniform_(-bound, bound)) if bias else None
        """Vectors m_1 to m_K, one after the other: [K * E]."""

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Compute ``W(code) x`` [B, E] of x [B, E] and code [B, K]."""
        products_BKE = functional.linear(x, self.weight, self.bias).view(-1, self.code_dim, self.dim)
        return (products_BKE * code.unsqueeze(2)).sum(dim=1)

    def generate_weights(self, code: Tensor) -> GeneratedWeights:
        """Compute the weights W(code) themselves, for code [B, K]."""
        matrix = code @ self.weight.view(self.code_dim, -1)
        bias = None if self.bias is None else code @ self.bias.view(self.code_dim, -1)
        return GeneratedWeights(matrix.view(-1, self.dim, self.dim), bias)


class Hypernetwork(nn.Module):
    """The map ``W(z) x`` with a matrix W(z) that is linear in the action z.

    In SIE there is no bias anywhere, so ``W(-z) = -W(z)``: the two quaternions of a rotation give predictions
    of opposite sign, and the rule for the sign of quaternions matters. Each option of the reference code
    breaks this antisymmetry; all are off by default, here and there.
    """

    def __init__(
        self,
        dim: int,
        action_dim: int = 4,
        init: HypernetworkInit = "torch",
        *,
        num_layers: int = 1,
        bias: bool = False,
        generated_bias: bool = False,
        hidden_width: int | None = None,
    ) -> None:
        """Build the network with fresh weights.

        Args:
            dim: Width E of the embedding.
            action_dim: Number of values K of an action; 4 for a quaternion.
            init: "torch" initializes like the generating linear layer of the reference code, U(-1/sqrt(K),
                1/sqrt(K)): for a unit quaternion the prediction starts sqrt(E / 12) times as long as the
                embedding, 9 times at E = 1024. "fan_in" divides the bound by sqrt(E), so that the length does
                not depend on the width.
            num_layers: Number of generated layers, with ReLU between them.
            bias: True if the generating linear layers have biases: ``W(z) = M_0 + sum_k z_k M_k``.
            generated_bias: True if each generated layer has a bias, generated like its matrix.
            hidden_width: Width of two hidden layers with ReLU between the action and the matrices, which are
                then linear in the output of the second one ("deep" in the reference, with width K). None for
                no hidden layers.

        Raises:
            InvalidInputError: A value is unknown or out of range.
        """
        super().__init__()
        _check_sizes(init, num_layers, hidden_width)
        self.dim, self.action_dim = dim, action_dim
        self.hidden = (
            None if hidden_width is None else _build_hidden_layers(action_dim, hidden_width, bias=bias)
        )
        self.has_bias_matrix = bias
        fan_in = action_dim if hidden_width is None else hidden_width
        bound = 1 / math.sqrt(fan_in * dim if init == "fan_in" else fan_in)
        self.layers = nn.ModuleList(
            GeneratedLayer(dim, fan_in + bias, bias=generated_bias, bound=bound) for _ in range(num_layers)
        )

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """Predict the embeddings of the views after an action.

        Args:
            x: Embeddings [B, E].
            z: Actions [B, K].

        Returns:
            Predictions ``W(z_b) x_b``, [B, E].
        """
        code = self._compute_code(z)
        x = self.layers[0](x, code)
        for layer in self.layers[1:]:
            x = layer(functional.relu(x), code)
        return x

    def generate_weights(self, z: Tensor) -> list[GeneratedWeights]:
        """Compute the generated weights themselves for actions [B, K], for inspection: they are large."""
        code = self._compute_code(z)
        return [layer.generate_weights(code) for layer in self.layers if isinstance(layer, GeneratedLayer)]

    def _compute_code(self, z: Tensor) -> Tensor:
        """Compute the vectors [B, K or K + 1] in which the matrices are linear.

        A bias of the generating layer is the matrix that belongs to a constant 1.
        """
        code = z if self.hidden is None else self.hidden(z)
        return functional.pad(code, (0, 1), value=1.0) if self.has_bias_matrix else code


def _build_hidden_layers(action_dim: int, width: int, *, bias: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise((action_dim, width, width)):
        layers += [nn.Linear(before, after, bias=bias), nn.ReLU()]
    return nn.Sequential(*layers)


def _check_sizes(init: str, num_layers: int, hidden_width: int | None) -> None:
    check_choice("hypernetwork_init", init, get_args(HypernetworkInit))
    if num_layers < 1:
        raise InvalidInputError(f"a hypernetwork generates {num_layers} layers; it must be at least 1")
    if hidden_width is not None and hidden_width < 1:
        raise InvalidInputError(
            f"hypernetwork hidden width is {hidden_width}; it must be at least 1, or None"
        )
