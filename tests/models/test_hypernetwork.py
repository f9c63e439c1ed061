import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from turntable.models.hypernetwork import Hypernetwork


class LargestTensor(TorchDispatchMode):
    """Watches every tensor that any operation, forward or backward, makes."""

    numel = 0

    def __torch_dispatch__(self, function, kinds, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.numel = max(self.numel, result.numel())
        return result


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Hypernetwork(dim=24).double()


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(10, 24, generator=generator, dtype=torch.float64)
    z = torch.nn.functional.normalize(torch.randn(10, 4, generator=generator, dtype=torch.float64), dim=1)
    return x, z


def test_it_equals_a_matrix_for_every_sample(network, inputs):
    x, z = inputs
    one_by_one = torch.bmm(network.matrices(z), x.unsqueeze(2)).squeeze(2)
    assert (network(x, z) - one_by_one).abs().max() < 1e-12


def test_the_matrices_are_the_weighted_sum_of_blocks(network, inputs):
    _, z = inputs
    blocks = network.weight.split(24)
    by_hand = sum(z[3, k] * blocks[k] for k in range(4))
    assert torch.allclose(network.matrices(z)[3], by_hand)


def test_it_is_linear_in_both_and_odd_in_the_sign(network, inputs):
    x, z = inputs
    assert torch.allclose(network(x, -z), -network(x, z))
    assert torch.allclose(network(2 * x, z + z.flip(0)), 2 * network(x, z) + 2 * network(x, z.flip(0)))


def test_gradients_equal_finite_differences():
    torch.manual_seed(0)
    network = Hypernetwork(dim=3, transformation_dim=2).double()
    x = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    z = torch.rand(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (x, z))


def test_a_batch_of_one_keeps_its_axes():
    assert Hypernetwork(dim=1)(torch.ones(1, 1), torch.ones(1, 4)).shape == (1, 1)


def test_no_matrix_a_sample_is_ever_made():
    batch, dim = 512, 64
    network = Hypernetwork(dim)
    x = torch.randn(batch, dim, requires_grad=True)
    with LargestTensor() as largest:
        network(x, torch.randn(batch, 4)).square().sum().backward()
    assert batch * dim <= largest.numel <= batch * 4 * dim  # against batch * dim * dim


@pytest.mark.parametrize(("init", "ratio"), [("torch", math.sqrt(512 / 12)), ("fan_in", math.sqrt(1 / 12))])
def test_the_initialisation_sets_the_length_of_the_prediction(init, ratio):
    torch.manual_seed(0)
    network = Hypernetwork(512, init=init)
    x = torch.randn(256, 512)
    z = torch.nn.functional.normalize(torch.randn(256, 4), dim=1)
    measured = (network(x, z).norm(dim=1) / x.norm(dim=1)).mean().item()
    assert measured == pytest.approx(ratio, rel=0.05)
