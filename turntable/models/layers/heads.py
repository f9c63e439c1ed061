"""Heads: the small networks on top of a representation."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from turntable.errors import InvalidInputError


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


def projector_with_norm(dim: int, widths: Sequence[int]) -> nn.Sequential:
    """The projector of seq-JEPA's baselines, from [B, dim] to [B, widths[-1]].

    Linear layers without biases, batch norm and ReLU between them, and a last batch norm without scale and
    shift: every dimension of the embedding has mean 0 and deviation 1 over the batch.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise((dim, *widths)):
        layers += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-2], nn.BatchNorm1d(widths[-1], affine=False))


def action_embedding(action_dim: int, width: int) -> nn.Sequential:
    """A linear map of actions [B, K], each dimension of its output normalised over the batch: [B, width].

    Raises:
        InvalidInputError: The action has no numbers.
    """
    if action_dim == 0:
        raise InvalidInputError("there is no action to embed; give labels, such as relative_quaternion")
    return nn.Sequential(nn.Linear(action_dim, width, bias=False), nn.BatchNorm1d(width, affine=False))


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them, from [B, widths[0]] to [B, widths[-1]]; two widths: linear."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


class RowNorm(nn.Module):
    """Batch norm of [..., D] over all axes but the last."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(dim)  # inside, so that ranks can exchange it for one that they share

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each of the D numbers over all rows."""
        return self.norm(x.flatten(0, -2)).unflatten(0, x.shape[:-1])


def mlp_with_norm(*widths: int) -> nn.Sequential:
    """Linear layers, each followed by batch norm and ReLU, from [..., widths[0]] to [..., widths[-1]].

    They have no biases of their own, which the norms would take away.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after, bias=False), RowNorm(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
