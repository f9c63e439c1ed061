from dataclasses import replace

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models.actions import ROTATION_AND_COLOR
from turntable.models.image_methods import SIE, SIEConfig
from turntable.models.image_methods.sie import SEQ_JEPA_SETTINGS

TINY = SIEConfig(projector_widths=(8, 8, 4))


@pytest.fixture
def make(build):
    return lambda **changes: build(SIE, replace(TINY, **changes))


def embeddings(rows=7, dim=4, seed=0):
    """x_i, x_e, y_i, y_e and predictions, float64 [rows, dim]."""
    return np.random.default_rng(seed).normal(scale=0.6, size=(5, rows, dim))


def formula(x_i, x_e, y_i, y_e, predicted, sim=10.0, factor=0.45, std=10.0, cov=1.0, std_predicted=10.0):
    """The loss, written out."""
    rows, dim = x_i.shape
    x, y = np.hstack([x_i, x_e]), np.hstack([y_i, y_e])

    def hinge(v):
        spread = np.sqrt(((v - v.mean(axis=0)) ** 2).sum(axis=0) / (rows - 1) + 1e-4)
        return np.maximum(0, 1 - spread).mean()

    def penalty(v):
        centred = v - v.mean(axis=0)
        matrix = centred.T @ centred / (rows - 1)
        return sum(matrix[i, j] ** 2 for i in range(2 * dim) for j in range(2 * dim) if i != j) / (2 * dim)

    return (
        sim * ((x_i - y_i) ** 2).mean()
        + factor * sim * ((predicted - y_e) ** 2).mean()
        + std * (hinge(x) + hinge(y)) / 2
        + std_predicted * hinge(predicted) / 2
        + cov * (penalty(x) + penalty(y))
    )


def combined(method, arrays):
    return method.compute_terms(*map(torch.from_numpy, arrays))


def test_the_papers_numbers_are_the_defaults(build):
    config = SIEConfig()
    assert (
        config.invariance_weight,
        config.equivariance_factor,
        config.variance_weight,
        config.covariance_weight,
    ) == (10, 0.45, 10, 1)
    assert (config.equivariant_dim, config.projector_widths) == (256, (1024, 1024, 1024))
    method = build(SIE, config)
    assert sum(weight.numel() for weight in method.predictor.parameters()) == 4 * 1024**2
    projector = sum(weight.numel() for weight in method.equivariant_projector.parameters())
    assert projector == pytest.approx(2.37e6, rel=0.005)


def test_it_equals_its_formula_in_numpy(make):
    arrays = embeddings()
    assert combined(make(), arrays)["loss"].item() == pytest.approx(formula(*arrays), rel=1e-12)


def test_seq_jepas_version_has_other_weights(make):
    arrays = embeddings()
    expected = formula(*arrays, sim=25, factor=1, std=25, cov=1, std_predicted=25)
    assert combined(make(**SEQ_JEPA_SETTINGS), arrays)["loss"].item() == pytest.approx(expected, rel=1e-12)


def test_single_precision_is_near_double(make):
    arrays, method = embeddings(rows=64, dim=16), make()
    single = combined(method, arrays.astype(np.float32))["loss"].item()
    assert single == pytest.approx(formula(*arrays), rel=1e-5)


def test_gradients_equal_finite_differences(make):
    method = make()
    inputs = [torch.from_numpy(array).requires_grad_() for array in embeddings(rows=5, dim=3)]
    assert torch.autograd.gradcheck(lambda *parts: method.compute_terms(*parts)["loss"], inputs)


def test_it_does_not_see_the_order_of_the_pairs(make, pairs):
    method = make()
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    mixed = {name: values[order] for name, values in pairs.items()}
    for name, term in method.loss(pairs).items():
        torch.testing.assert_close(method.loss(mixed)[name], term, rtol=1e-4, atol=1e-5)


def test_no_equivariance_term_where_the_predictor_is_right(make, pairs):
    method = make()
    x_i, x_e, y_i, _, _ = torch.from_numpy(embeddings(rows=6)).float()
    [(matrices, _)] = method.predictor.generate_weights(pairs["relative_quaternion"])
    y_e = torch.stack([matrix @ x for matrix, x in zip(matrices, x_e, strict=True)])
    predicted = method.predict(x_e, pairs["relative_quaternion"])
    terms = method.compute_terms(x_i, x_e, y_i, y_e, predicted)
    assert terms["equivariance"].item() < 1e-12
    assert terms["invariance"].item() > 0


def test_no_var_drops_exactly_the_term_of_predictions(make):
    arrays = embeddings()
    with_term, without = combined(make(), arrays), combined(make(predicted_variance=False), arrays)
    assert without["loss"].item() == pytest.approx(formula(*arrays, std_predicted=0), rel=1e-12)
    dropped = 10 * with_term["predicted_variance"]
    torch.testing.assert_close(with_term["loss"] - without["loss"], dropped)


def test_the_halves_learn_from_their_own_terms(make, pairs):
    method = make()
    method.loss(pairs)["equivariance"].backward()
    assert all(weight.grad is None for weight in method.invariant_projector.parameters())
    assert method.predictor.layers[0].weight.grad.abs().sum() > 0
    method.zero_grad()
    method.loss(pairs)["invariance"].backward()
    assert all(weight.grad is None for weight in method.equivariant_projector.parameters())


def test_it_says_of_views_what_each_half_is_and_where_predictions_start(make, pairs):
    method = make(equivariant_dim=200).eval()
    embedding = method.embed(pairs["view_1"])
    assert torch.equal(
        torch.cat([embedding.invariant, embedding.equivariant], dim=1), embedding.representation
    )
    assert embedding.equivariant.shape == (6, 200)
    assert torch.equal(embedding.source, method.equivariant_projector(embedding.equivariant))
    assert embedding.target is embedding.source


def test_the_loss_predicts_as_evaluation_does(make, pairs):
    method = make().eval()
    x, y = method.embed(pairs["view_1"]), method.embed(pairs["view_2"])
    predicted = method.predict(x.source, pairs["relative_quaternion"])
    expected = (predicted - y.target).square().mean()
    torch.testing.assert_close(method.loss(pairs)["equivariance"], expected)


def test_the_loss_is_over_the_rows_of_all_ranks(make, pairs, monkeypatch):
    seen = []

    def two_ranks(x):
        seen.append(torch.cat([x, 2 * x]))
        return seen[-1]

    monkeypatch.setattr("turntable.models.image_methods.sie.gather_all_ranks", two_ranks)
    method = make()
    torch.testing.assert_close(method.loss(pairs), method.compute_terms(*seen))
    assert [rows.shape for rows in seen] == [(12, 4)] * 5


def test_rotation_and_colour_reads_six_numbers(make, pairs):
    method = make(action=ROTATION_AND_COLOR)
    assert method.reads == ("view_1", "view_2", *ROTATION_AND_COLOR)
    assert method.predictor.action_dim == 6
    loss = method.loss(pairs)["equivariance"]
    for label in ROTATION_AND_COLOR:
        assert method.loss({**pairs, label: -pairs[label]})["equivariance"] != loss


def test_other_representations_of_the_rotation_are_read_by_their_label(make, pairs):
    method = make(action=("relative_rotation_6d",))
    del pairs["relative_quaternion"]
    assert method.predictor.action_dim == 6
    assert torch.isfinite(method.loss(pairs)["loss"])


def test_another_predictor_changes_the_prediction_alone(make, pairs):
    ours, mlp = make().loss(pairs), make(predictor="mlp").loss(pairs)
    changed = {name for name in ours if ours[name] != mlp[name]}
    assert changed == {"loss", "equivariance", "predicted_variance"}


def flipped(pairs):
    return {**pairs, "relative_quaternion": -pairs["relative_quaternion"]}


def test_the_given_sign_matters(make, pairs):
    method = make()
    x = torch.from_numpy(embeddings(rows=6)[1]).float()
    z = pairs["relative_quaternion"]
    torch.testing.assert_close(method.predict(x, -z), -method.predict(x, z))
    assert method.loss(pairs)["equivariance"] != method.loss(flipped(pairs))["equivariance"]


@pytest.mark.parametrize("predictor", ["hypernetwork", "mlp"])
def test_double_cover_takes_the_nearer_of_both_predictions(make, pairs, predictor):
    arrays = torch.from_numpy(embeddings(rows=6)).float()
    target, source, z = arrays[3], arrays[1], pairs["relative_quaternion"]
    method = make(quaternion_signs="double_cover", predictor=predictor)
    one, other = method.predict(source, z), method.predict(source, -z)
    errors = torch.stack([(one - target).square().mean(dim=1), (other - target).square().mean(dim=1)])
    chosen = method.predict_towards(target, source, z)
    torch.testing.assert_close((chosen - target).square().mean(dim=1), errors.amin(dim=0))
    assert 0 < (errors[0] < errors[1]).sum() < 6  # each sign is the nearer one somewhere
    torch.testing.assert_close(method.loss(pairs), method.loss(flipped(pairs)))


def test_random_gives_either_sign_of_the_quaternion_and_leaves_the_rest(make, pairs):
    method = make(quaternion_signs="random", action=ROTATION_AND_COLOR)
    seen = []
    method.predictor.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    for _ in range(20):
        method.loss(pairs)
    actions = torch.stack(seen)  # [20, 6, 6]
    ratios = actions[..., :4] / pairs["relative_quaternion"]
    assert (ratios == ratios[..., :1]).all()
    assert ratios.unique().tolist() == [-1, 1]
    assert 0.25 < (ratios[..., 0] == 1).float().mean() < 0.75
    assert (actions[..., 4] == pairs["floor_hue_difference"]).all()
    assert (actions[..., 5] == pairs["light_hue_difference"]).all()


@pytest.mark.parametrize("quaternion_signs", ["random", "double_cover"])
def test_both_signs_change_the_prediction_alone(make, pairs, quaternion_signs):
    torch.manual_seed(1)
    ours, other = make().loss(pairs), make(quaternion_signs=quaternion_signs).loss(pairs)
    assert {name for name in ours if ours[name] != other[name]} <= {
        "loss", "equivariance", "predicted_variance",
    }  # fmt: skip
    assert ours["equivariance"] != other["equivariance"]


def test_a_reference_batch_size_divides_covariances_by_it(make):
    arrays = embeddings(rows=7)
    ours, reference = combined(make(), arrays), combined(make(reference_batch_size=10), arrays)
    torch.testing.assert_close(reference["covariance"], ours["covariance"] * (6 / 9) ** 2)
    assert {name for name in ours if ours[name] != reference[name]} == {"loss", "covariance"}
    same = combined(make(reference_batch_size=7), arrays)
    torch.testing.assert_close(same, ours)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"equivariant_dim": 512}, "between 1 and 511"),
        ({"equivariant_dim": 0}, "between 1 and 511"),
        (
            {"quaternion_signs": "either"},
            "unknown quaternion_signs 'either'; choose one of: given, random, double_cover",
        ),
        ({"quaternion_signs": "random", "action": ("relative_rotation",)}, "no quaternion"),
        ({"reference_batch_size": 1}, "at least 2 rows"),
        ({"predictor": "linear"}, "unknown predictor 'linear'"),
    ],
)
def test_what_cannot_be_right_is_refused(make, changes, message):
    with pytest.raises(InvalidInputError, match=message):
        make(**changes)


def test_a_batch_of_one_is_refused(make, pairs):
    with pytest.raises(InvalidInputError, match="at least 2"):
        make().loss({name: values[:1] for name, values in pairs.items()})
