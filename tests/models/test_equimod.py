from dataclasses import replace

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.actions import ROTATION_AND_COLOR
from turntable.models.image_methods import (
    EquiModSimCLR,
    EquiModSimCLRConfig,
    EquiModVICReg,
    EquiModVICRegConfig,
)
from turntable.models.image_methods.equimod import SEQ_JEPA_SETTINGS, SplitEmbeddings

SIMCLR = (EquiModSimCLR, EquiModSimCLRConfig(projector_widths=(8, 8, 4)))
VICREG = (EquiModVICReg, EquiModVICRegConfig(projector_widths=(8, 8, 4)))
BOTH = pytest.mark.parametrize("kind", [SIMCLR, VICREG], ids=["simclr", "vicreg"])


@pytest.fixture
def make(build):
    return lambda kind, **changes: build(kind[0], replace(kind[1], **changes))


def embeddings(rows=7, dim=4):
    """x_i, x_e, y_i, y_e and predictions, float64 [rows, dim]."""
    return np.random.default_rng(0).normal(scale=0.6, size=(5, rows, dim))


def combined(method, arrays):
    return method.compute_terms(SplitEmbeddings(*map(torch.from_numpy, arrays)))


def nt_xent(x, y, temperature):
    """Of each of 2 N normalised rows: how surely the other view is found among the other 2 N - 1."""
    rows = np.concatenate([x, y])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    count, total = len(rows), 0.0
    for i in range(count):
        scores = {j: rows[i] @ rows[j] / temperature for j in range(count) if j != i}
        total -= scores[(i + len(x)) % count] - np.log(sum(np.exp(score) for score in scores.values()))
    return total / count


def vicreg(x, y, predicted):
    """10 MSE(predicted, y) + 10 V(x, y) + C(x, y)."""

    def hinge(v):
        return np.maximum(0, 1 - np.sqrt(v.var(axis=0, ddof=1) + 1e-4)).mean()

    def penalty(v):
        return (np.cov(v.T)[~np.eye(v.shape[1], dtype=bool)] ** 2).sum() / v.shape[1]

    spread = (hinge(x) + hinge(y)) / 2
    return 10 * ((predicted - y) ** 2).mean() + 10 * spread + penalty(x) + penalty(y)


def test_the_papers_numbers_are_the_defaults(build):
    simclr, vicreg = EquiModSimCLRConfig(), EquiModVICRegConfig()
    assert simclr.projector_widths == vicreg.projector_widths == (2048, 2048, 2048)
    assert (simclr.temperature, simclr.equivariance_factor) == (0.1, 1)
    assert (vicreg.invariance_weight, vicreg.variance_weight, vicreg.covariance_weight) == (10, 10, 1)
    method = build(EquiModSimCLR, simclr)
    projector = sum(weight.numel() for weight in method.equivariant_projector.parameters())
    assert projector == pytest.approx(9.45e6, rel=0.005)
    assert sum(weight.numel() for weight in method.predictor.parameters()) == 4 * 2048**2


@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_simclrs_equals_its_formula_in_numpy(make, factor):
    arrays = embeddings()
    x_i, _, y_i, y_e, predicted = arrays
    expected = nt_xent(x_i, y_i, 0.1) + factor * nt_xent(predicted, y_e, 0.1)
    terms = combined(make(SIMCLR, equivariance_factor=factor), arrays)
    assert terms["loss"].item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("factor", [1.0, 0.3])
def test_vicregs_equals_its_formula_in_numpy(make, factor):
    arrays = embeddings()
    x_i, x_e, y_i, y_e, predicted = arrays
    expected = vicreg(x_i, y_i, x_i) + factor * vicreg(x_e, y_e, predicted)
    terms = combined(make(VICREG, equivariance_factor=factor), arrays)
    assert terms["loss"].item() == pytest.approx(expected, rel=1e-12)


@BOTH
def test_gradients_equal_finite_differences(make, kind):
    method = make(kind)
    inputs = [torch.from_numpy(array).requires_grad_() for array in embeddings(rows=4, dim=3)]
    assert torch.autograd.gradcheck(
        lambda *parts: method.compute_terms(SplitEmbeddings(*parts))["loss"], inputs
    )


@BOTH
def test_it_does_not_see_the_order_of_the_pairs(make, pairs, kind):
    method = make(kind)
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    mixed = method.loss({name: values[order] for name, values in pairs.items()})
    for name, term in method.loss(pairs).items():
        torch.testing.assert_close(mixed[name], term, rtol=1e-4, atol=1e-5)


def perfect(method, pairs):
    """SplitEmbeddings whose second views are where the predictor's matrices take the first ones."""
    x_i, x_e, y_i, _, _ = torch.from_numpy(embeddings(rows=6)).float()
    [(matrices, _)] = method.predictor.generate_weights(pairs["relative_quaternion"])
    y_e = torch.stack([matrix @ x for matrix, x in zip(matrices, x_e, strict=True)])
    return SplitEmbeddings(x_i, x_e, y_i, y_e, method.predict(x_e, pairs["relative_quaternion"]))


def test_a_perfect_predictor_leaves_the_contrast_of_identical_pairs(make, pairs):
    method = make(SIMCLR)
    of = perfect(method, pairs)
    identical = losses.nt_xent_loss(of.y_e, of.y_e, temperature=0.1)
    terms = method.compute_terms(of)
    torch.testing.assert_close(terms["equivariance"], identical)
    wrong = method.compute_terms(of._replace(predicted=method.predict(of.x_e, -pairs["relative_quaternion"])))
    assert wrong["equivariance"] > terms["equivariance"] + 1


def test_a_perfect_predictor_leaves_no_equivariance_term_of_vicregs(make, pairs):
    method = make(VICREG)
    assert method.compute_terms(perfect(method, pairs))["equivariance"] < 1e-12


def test_predictions_of_vicregs_need_not_vary(make):
    arrays = embeddings()
    arrays[4] = arrays[3]  # all is right, and so is all of this
    same = combined(make(VICREG), arrays)
    _, x_e, _, y_e, _ = arrays
    arrays[3:] = y_e.mean(axis=0)
    constant = combined(make(VICREG), arrays)
    assert same["equivariance"] == constant["equivariance"] == 0
    x_spread = np.maximum(0, 1 - np.sqrt(x_e.var(axis=0, ddof=1) + 1e-4)).mean()
    assert constant["equivariant_variance"].item() == pytest.approx((x_spread + 0.99) / 2)
    assert set(constant) == {
        "loss", "invariance", "variance", "covariance",
        "equivariance", "equivariant_variance", "equivariant_covariance",
    }  # fmt: skip


@BOTH
def test_the_embeddings_learn_from_their_own_terms(make, pairs, kind):
    method = make(kind)
    method.loss(pairs)["equivariance"].backward()
    assert all(weight.grad is None for weight in method.invariant_projector.parameters())
    assert method.predictor.layers[0].weight.grad.abs().sum() > 0
    assert method.backbone.reduce.weight.grad.abs().sum() > 0
    method.zero_grad()
    method.loss(pairs)["invariance"].backward()
    for part in (method.equivariant_projector, method.predictor):
        assert all(weight.grad is None for weight in part.parameters())


@BOTH
def test_the_loss_predicts_as_evaluation_does(make, pairs, kind):
    method = make(kind).eval()
    x, y = method.embed(pairs["view_1"]), method.embed(pairs["view_2"])
    assert x.representation.shape == (6, 512)
    assert (x.invariant.shape, x.equivariant.shape, x.source.shape) == ((6, 0), (6, 0), (6, 4))
    predicted = method.predict(x.source, pairs["relative_quaternion"])
    term = (
        losses.nt_xent_loss(predicted, y.target, temperature=0.1)
        if kind is SIMCLR
        else losses.invariance_loss(predicted, y.target)
    )
    torch.testing.assert_close(method.loss(pairs)["equivariance"], term)


@BOTH
def test_the_loss_is_over_the_rows_of_all_ranks(make, pairs, kind, monkeypatch):
    seen = []

    def two_ranks(x):
        seen.append(torch.cat([x, 2 * x]))
        return seen[-1]

    monkeypatch.setattr("turntable.models.image_methods.equimod.gather_all_ranks", two_ranks)
    method = make(kind)
    torch.testing.assert_close(method.loss(pairs), method.compute_terms(SplitEmbeddings(*seen)))
    assert [rows.shape for rows in seen] == [(12, 4)] * 5


@BOTH
@pytest.mark.parametrize("predictor", ["mlp", "embedded"])
def test_another_predictor_changes_the_prediction_alone(make, pairs, kind, predictor):
    ours, other = make(kind).loss(pairs), make(kind, predictor=predictor).loss(pairs)
    assert {name for name in ours if ours[name] != other[name]} == {"loss", "equivariance"}


@BOTH
def test_the_action_may_tell_colours_too(make, pairs, kind):
    method = make(kind, action=ROTATION_AND_COLOR)
    assert method.reads == ("view_1", "view_2", *ROTATION_AND_COLOR)
    loss = method.loss(pairs)["equivariance"]
    for label in ROTATION_AND_COLOR:
        assert method.loss({**pairs, label: -pairs[label]})["equivariance"] != loss


def test_seq_jepas_version(build, pairs):
    method = build(EquiModSimCLR, EquiModSimCLRConfig(**SEQ_JEPA_SETTINGS))
    assert method.predictor.linear.weight.shape == (128, 256)
    x = method.embed(pairs["view_1"]).source  # normalised over the batch, in training mode
    torch.testing.assert_close(x.mean(dim=0), torch.zeros(128), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.var(dim=0, unbiased=False), torch.ones(128), atol=0.05, rtol=0)
    terms = method.loss(pairs)
    assert terms["loss"] == terms["invariance"] + terms["equivariance"]


@BOTH
def test_a_batch_of_one_is_refused(make, pairs, kind):
    with pytest.raises(InvalidInputError, match="at least 2"):
        make(kind).loss({name: values[:1] for name, values in pairs.items()})
