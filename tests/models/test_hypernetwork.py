import itertools
import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from turntable.errors import InvalidInputError
from turntable.models.layers.hypernetwork import Hypernetwork

OPTIONS = [
    {"num_layers": layers, "bias": bias, "generated_bias": generated_bias, "hidden_width": hidden_width}
    for layers, bias, generated_bias, hidden_width in itertools.product(
        (1, 3), (False, True), (False, True), (None, 4, 16)
    )
]


def option_name(options):
    return "-".join(f"{key}={value}" for key, value in options.items())


class LargestTensor(TorchDispatchMode):
    """Watches every tensor that any operation, forward or backward, makes."""

    numel = 0

    def __torch_dispatch__(self, function, kinds, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.numel = max(self.numel, result.numel())
        return result


def make(**options):
    torch.manual_seed(0)
    return Hypernetwork(dim=24, **options).double()


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(10, 24, generator=generator, dtype=torch.float64)
    z = torch.nn.functional.normalize(torch.randn(10, 4, generator=generator, dtype=torch.float64), dim=1)
    return x, z


def one_by_one(network, x, z):
    """Each sample through matrices of its own, as the reference has it."""
    rows = []
    for sample, action in zip(x, z, strict=True):
        for number, (matrix, bias) in enumerate(network.generate_weights(action[None])):
            sample = sample if number == 0 else sample.relu()
            sample = matrix[0] @ sample + (0 if bias is None else bias[0])
        rows.append(sample)
    return torch.stack(rows)


@pytest.mark.parametrize("options", OPTIONS, ids=option_name)
def test_it_equals_a_matrix_for_every_sample(options, inputs):
    network = make(**options)
    assert (network(*inputs) - one_by_one(network, *inputs)).abs().max() < 1e-12
    network, inputs = network.float(), [value.float() for value in inputs]
    difference = (network(*inputs) - one_by_one(network, *inputs)).abs().max()
    assert difference < 1e-5 * network(*inputs).abs().max().clamp(min=1)


@pytest.mark.parametrize("options", OPTIONS, ids=option_name)
def test_gradients_equal_those_of_a_matrix_for_every_sample(options, inputs):
    network = make(**options)
    weights = [inputs[0].requires_grad_(), *network.parameters()]
    ours = torch.autograd.grad(network(*inputs).square().sum(), weights)
    theirs = torch.autograd.grad(one_by_one(network, *inputs).square().sum(), weights)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_the_matrix_is_the_sum_of_blocks_that_the_action_weighs(inputs):
    network, (_, z) = make(), inputs
    [(matrices, bias)] = network.generate_weights(z)
    blocks = network.layers[0].weight.split(24)
    assert bias is None
    assert torch.allclose(matrices[3], sum(z[3, k] * blocks[k] for k in range(4)))


def test_biases_are_what_an_action_of_zeros_leaves(inputs):
    x, z = inputs
    zeros = torch.zeros_like(z)
    network = make(bias=True, generated_bias=True)
    layer = network.layers[0]
    torch.testing.assert_close(network(x, zeros), x @ layer.weight[-24:].T + layer.bias[-24:])
    assert make(generated_bias=True)(x, zeros).abs().max() == 0
    assert make(hidden_width=4)(x, zeros).abs().max() == 0


def test_it_is_linear_in_both_and_odd_in_the_sign(inputs):
    network, (x, z) = make(), inputs
    assert torch.allclose(network(x, -z), -network(x, z))
    assert torch.allclose(network(2 * x, z + z.flip(0)), 2 * network(x, z) + 2 * network(x, z.flip(0)))


@pytest.mark.parametrize(
    "options", [{"bias": True}, {"num_layers": 2}, {"hidden_width": 16}], ids=option_name
)
def test_options_end_the_oddness(options, inputs):
    network, (x, z) = make(**options), inputs
    assert (network(x, -z) + network(x, z)).abs().max() > 0.1


def test_a_generated_bias_alone_stays_odd_in_the_action_but_not_in_the_embedding(inputs):
    network, (x, z) = make(generated_bias=True), inputs
    torch.testing.assert_close(network(x, -z), -network(x, z))
    assert (network(-x, z) + network(x, z)).abs().max() > 0.1


def test_gradients_equal_finite_differences():
    torch.manual_seed(0)
    network = Hypernetwork(dim=3, action_dim=2).double()
    x = torch.rand(4, 3, dtype=torch.float64, requires_grad=True)
    z = torch.rand(4, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (x, z))


def test_a_batch_of_one_keeps_its_axes():
    assert Hypernetwork(dim=1)(torch.ones(1, 1), torch.ones(1, 4)).shape == (1, 1)


@pytest.mark.parametrize(
    "options", [{}, {"bias": True, "generated_bias": True}, {"num_layers": 2}], ids=option_name
)
def test_no_matrix_a_sample_is_ever_made(options):
    batch, dim = 512, 64
    network = Hypernetwork(dim, **options)
    x = torch.randn(batch, dim, requires_grad=True)
    with LargestTensor() as largest:
        network(x, torch.randn(batch, 4)).square().sum().backward()
    codes = 5 if options.get("bias") else 4
    assert batch * dim <= largest.numel <= batch * codes * dim  # against batch * dim * dim


@pytest.mark.parametrize(("init", "ratio"), [("torch", math.sqrt(512 / 12)), ("fan_in", math.sqrt(1 / 12))])
def test_the_initialisation_sets_the_length_of_the_prediction(init, ratio):
    torch.manual_seed(0)
    network = Hypernetwork(512, init=init)
    x = torch.randn(256, 512)
    z = torch.nn.functional.normalize(torch.randn(256, 4), dim=1)
    measured = (network(x, z).norm(dim=1) / x.norm(dim=1)).mean().item()
    assert measured == pytest.approx(ratio, rel=0.05)


def test_what_cannot_be_right_is_refused():
    with pytest.raises(InvalidInputError, match="hypernetwork_init 'kaiming'; choose one of: torch, fan_in"):
        Hypernetwork(4, init="kaiming")
    with pytest.raises(InvalidInputError, match="generates 0 layers"):
        Hypernetwork(4, num_layers=0)
    with pytest.raises(InvalidInputError, match="hidden width is 0"):
        Hypernetwork(4, hidden_width=0)
