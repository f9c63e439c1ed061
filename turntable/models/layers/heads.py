"""Heads: small networks on top of a representation."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from turntable.errors import InvalidInputError


def build_projector(dim: int, widths: tuple[int, int, int]) -> nn.Sequential:
    """Build the three-layer expander of VICReg and SIE, from [B, dim] to [B, widths[2]].

    Two linear layers, each with batch norm and ReLU, and a last linear layer without bias: the variance and
    covariance terms subtract the mean, so a bias would change nothing.
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


def build_projector_with_norm(dim: int, widths: Sequence[int]) -> nn.Sequential:
    """Build the projector of seq-JEPA's baselines, from [B, dim] to [B, widths[-1]].

    Linear layers without biases, with batch norm and ReLU between them, and a last batch norm without scale
    and
    shift: every dimension of the embedding has mean 0 and standard deviation 1 over the batch.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise((dim, *widths)):
        layers += [nn.Linear(before, after, bias=False), nn.BatchNorm1d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-2], nn.BatchNorm1d(widths[-1], affine=False))


def build_action_embedding(action_dim: int, width: int) -> nn.Sequential:
    """Build a linear map from actions [B, K] to [B, width] with batch norm on its output.

    Raises:
        InvalidInputError: The action has no values.
    """
    if action_dim == 0:
        raise InvalidInputError("there is no action to embed; give labels, such as relative_quaternion")
    return nn.Sequential(nn.Linear(action_dim, width, bias=False), nn.BatchNorm1d(width, affine=False))


def build_mlp(*widths: int) -> nn.Sequential:
    """Build linear layers with ReLU between them, from [B, widths[0]] to [B, widths[-1]].

    Two widths make a single linear layer.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


class LastAxisBatchNorm(nn.Module):
    """A batch norm of [..., D] over all axes except the last."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        # A submodule and no base class, so that `convert_sync_batch_norm` finds it and replaces it.
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize each of the D columns over all rows."""
        return self.norm(x.flatten(0, -2)).unflatten(0, x.shape[:-1])


def build_mlp_with_norm(*widths: int) -> nn.Sequential:
    """Build linear layers, each with batch norm and ReLU, from [..., widths[0]] to [..., widths[-1]].

    The layers have no biases: batch norm would subtract them.
    """
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after, bias=False), LastAxisBatchNorm(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
