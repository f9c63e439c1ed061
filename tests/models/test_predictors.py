from dataclasses import replace

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models.actions import ROTATION_AND_COLOR
from turntable.models.layers import ActionEmbeddingPredictor, PredictorConfig, build_predictor
from turntable.models.layers.hypernetwork import Hypernetwork
from turntable.models.layers.predictors import MLPPredictor

CONFIG = PredictorConfig()
KINDS = {"hypernetwork": Hypernetwork, "mlp": MLPPredictor, "embedded": ActionEmbeddingPredictor}


def embeddings(rows=6, dim=5, numbers=4):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, dim, generator=generator), torch.randn(rows, numbers, generator=generator)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("action", "numbers"),
    [
        (("relative_quaternion",), 4),
        (("relative_rotation",), 9),
        (("relative_rotation_6d",), 6),
        (("relative_rotation_vector",), 3),
        (ROTATION_AND_COLOR, 6),
    ],
)
def test_each_kind_predicts_embeddings_from_every_action(kind, action, numbers):
    torch.manual_seed(0)
    predictor = build_predictor(replace(CONFIG, predictor=kind, action=action), 5)
    assert type(predictor) is KINDS[kind]
    x, z = embeddings(numbers=numbers)
    x.requires_grad_()
    z.requires_grad_()
    predicted = predictor(x, z)
    assert predicted.shape == (6, 5)
    for gradient in torch.autograd.grad(predicted.square().sum(), [x, z]):
        assert (gradient.abs().sum(dim=0) > 0).all()  # every number of both is read


@pytest.mark.parametrize("kind", ["hypernetwork", "mlp", "embedded"])
def test_the_order_of_the_rows_is_kept(kind):
    torch.manual_seed(0)
    predictor = build_predictor(replace(CONFIG, predictor=kind, num_predictor_layers=2), 5)
    x, z = embeddings()
    order = torch.tensor([3, 5, 0, 2, 4, 1])
    torch.testing.assert_close(predictor(x[order], z[order]), predictor(x, z)[order])


def test_one_layer_of_an_mlp_is_linear_in_action_and_embedding_side_by_side():
    predictor, (x, z) = MLPPredictor(5, 4), embeddings()
    [linear] = predictor.network
    expected = z @ linear.weight[:, :4].T + x @ linear.weight[:, 4:].T + linear.bias
    torch.testing.assert_close(predictor(x, z), expected)


def test_more_layers_of_an_mlp_have_relu_between_them():
    predictor = MLPPredictor(5, 4, num_layers=3)
    assert [type(layer).__name__ for layer in predictor.network] == ["Linear", "ReLU"] * 2 + ["Linear"]
    assert [layer.out_features for layer in predictor.network[::2]] == [5, 5, 5]


def test_the_embedded_action_is_normalised_over_the_batch():
    torch.manual_seed(0)
    predictor, (x, z) = ActionEmbeddingPredictor(5, 4, action_width=7), embeddings()
    torch.testing.assert_close(predictor(x, 3 * z + 1), predictor(x, z), rtol=1e-3, atol=1e-3)
    predicted = predictor(x, z)
    torch.testing.assert_close(predicted.mean(dim=0), torch.zeros(5), atol=1e-5, rtol=0)
    assert predictor.linear.in_features == 12


def test_the_options_of_the_configuration_reach_the_hypernetwork():
    config = PredictorConfig(
        num_predictor_layers=2,
        hypernetwork_init="fan_in",
        hypernetwork_bias=True,
        generated_bias=True,
        hypernetwork_width=3,
    )
    predictor = build_predictor(config, 5)
    assert [layer.weight.shape for layer in predictor.layers] == [(4 * 5, 5)] * 2  # 3 and the constant
    assert all(layer.bias is not None for layer in predictor.layers)
    assert all(layer.weight.abs().max() <= (3 * 5) ** -0.5 for layer in predictor.layers)
    plain = build_predictor(CONFIG, 5)
    assert sum(parameter.numel() for parameter in plain.parameters()) == 4 * 5 * 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predictor": "linear"}, "unknown predictor 'linear'; choose one of: hypernetwork, mlp, embedded"),
        ({"action": ()}, "the predictor has no action"),
        ({"action": ("floor_hue",)}, "there is no relative label 'floor_hue'"),
        ({"predictor": "mlp", "num_predictor_layers": 0}, "num_predictor_layers is 0"),
        ({"hypernetwork_init": "zeros"}, "init 'zeros'"),
    ],
)
def test_what_cannot_be_right_is_refused(changes, message):
    with pytest.raises(InvalidInputError, match=message):
        build_predictor(replace(CONFIG, **changes), 5)
