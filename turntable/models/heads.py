"""Heads: the small networks on top of a representation."""

from itertools import pairwise

from torch import nn


def projector(dim: int, widths: tuple[int, int, int]) -> nn.Sequential:
    """The three-layer expander of VICReg and SIE, from [B, dim] to [B, widths[2]].

    Linear, batch norm, ReLU; once more; then a linear layer without bias, which the centred variance and
    covariance terms could not see.
    """
    first, second, last = widths
    return nn.Sequential(
        nn.Linear(dim, first),
        nn.BatchNorm1d(first),
        nn.ReLU(inplace=True),
        nn.Linear(first, second),
        nn.BatchNorm1d(second),
        nn.ReLU(inplace=True),
        nn.Linear(second, last, bias=False),
    )


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them, from [B, widths[0]] to [B, widths[-1]]; two widths: linear."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])
