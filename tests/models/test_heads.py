import pytest
import torch
from torch.nn.functional import relu

from turntable.errors import InvalidInputError
from turntable.models.layers import (
    build_action_embedding,
    build_mlp,
    build_projector,
    build_projector_with_norm,
)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def normalised(x):
    """Over the batch, as a fresh batch norm does it."""
    return (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, correction=0) + 1e-5)


def drawn(module, seed=0):
    """With every weight and bias drawn, so that none is 0 or 1."""
    torch.manual_seed(seed)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    return module.double()


@pytest.fixture
def x():
    return torch.randn(9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_heads_have_as_many_parameters_as_the_papers():
    assert num_parameters(build_projector(512, (2048, 2048, 2048))) == 9_449_472
    assert num_parameters(build_projector(256, (1024, 1024, 1024))) == 2_365_440
    assert num_parameters(build_mlp(1024, 1024, 1024, 4)) == 2_103_300  # AugSelf's regressor
    weights = 512 * 2048 + 2048 * 128
    assert num_parameters(build_projector_with_norm(512, (2048, 128))) == weights + 2 * 2048  # of one norm
    assert num_parameters(build_action_embedding(4, 128)) == 4 * 128


def test_the_projector_is_that_of_the_formula(x):
    head = drawn(build_projector(5, (7, 6, 3)))
    first, norm_1, _, second, norm_2, _, last = head
    y = relu(normalised(x @ first.weight.T + first.bias) * norm_1.weight + norm_1.bias)
    y = relu(normalised(y @ second.weight.T + second.bias) * norm_2.weight + norm_2.bias)
    torch.testing.assert_close(head(x), y @ last.weight.T)


def test_the_projector_with_norm_is_that_of_the_formula(x):
    head = drawn(build_projector_with_norm(5, (7, 6, 3)))
    first, norm_1, _, second, norm_2, _, last, _ = head
    y = relu(normalised(x @ first.weight.T) * norm_1.weight + norm_1.bias)
    y = relu(normalised(y @ second.weight.T) * norm_2.weight + norm_2.bias)
    torch.testing.assert_close(head(x), normalised(y @ last.weight.T))


def test_an_embedded_action_is_linear_and_normalised(x):
    head = drawn(build_action_embedding(5, 8))
    torch.testing.assert_close(head(x), normalised(x @ head[0].weight.T))


def test_an_action_without_numbers_cannot_be_embedded():
    with pytest.raises(InvalidInputError, match="no action to embed; give labels, such as rel"):
        build_action_embedding(0, 8)


def test_an_mlp_is_that_of_the_formula_and_linear_if_it_has_two_widths(x):
    head = drawn(build_mlp(5, 7, 6, 3))
    first, _, second, _, last = head
    y = relu(relu(x @ first.weight.T + first.bias) @ second.weight.T + second.bias)
    torch.testing.assert_close(head(x), y @ last.weight.T + last.bias)
    (only,) = line = drawn(build_mlp(5, 3))
    torch.testing.assert_close(line(x), x @ only.weight.T + only.bias)
