from dataclasses import replace

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.actions import ROTATION_AND_COLOR
from turntable.models.image_methods import (
    SIE,
    OnlyEquivarianceSimCLR,
    OnlyEquivarianceSimCLRConfig,
    OnlyEquivarianceVICReg,
    OnlyEquivarianceVICRegConfig,
    SIEConfig,
)
from turntable.models.image_methods.predictor_method import PredictedEmbeddings

SIMCLR = (OnlyEquivarianceSimCLR, OnlyEquivarianceSimCLRConfig(projector_widths=(8, 8, 4)))
VICREG = (OnlyEquivarianceVICReg, OnlyEquivarianceVICRegConfig(projector_widths=(8, 8, 4)))
BOTH = pytest.mark.parametrize("kind", [SIMCLR, VICREG], ids=["simclr", "vicreg"])


@pytest.fixture
def make(build):
    return lambda kind, **changes: build(kind[0], replace(kind[1], **changes))


def embeddings(rows=7, dim=4):
    """x, y and predictions, float64 [rows, dim]."""
    return np.random.default_rng(0).normal(scale=0.6, size=(3, rows, dim))


def combined(method, arrays):
    return method.compute_terms(PredictedEmbeddings(*map(torch.from_numpy, arrays)))


def test_the_papers_numbers_are_the_defaults(build):
    simclr, vicreg = OnlyEquivarianceSimCLRConfig(), OnlyEquivarianceVICRegConfig()
    assert simclr.projector_widths == vicreg.projector_widths == (2048, 2048, 2048)
    assert simclr.temperature == 0.1
    assert (vicreg.equivariance_weight, vicreg.variance_weight, vicreg.covariance_weight) == (10, 10, 1)
    method = build(OnlyEquivarianceVICReg, vicreg)
    assert sum(weight.numel() for weight in method.predictor.parameters()) == 4 * 2048**2


def test_simclrs_is_one_contrast(make):
    arrays = embeddings()
    _, y, predicted = map(torch.from_numpy, arrays)
    terms = combined(make(SIMCLR), arrays)
    assert terms["loss"] == terms["equivariance"] == losses.nt_xent_loss(predicted, y, temperature=0.1)
    assert combined(make(SIMCLR, temperature=0.5), arrays)["loss"] == losses.nt_xent_loss(
        predicted, y, temperature=0.5
    )


def test_vicregs_equals_its_formula_in_numpy(make):
    arrays = embeddings()
    x, y, predicted = arrays

    def hinge(v):
        return np.maximum(0, 1 - np.sqrt(v.var(axis=0, ddof=1) + 1e-4)).mean()

    def penalty(v):
        return (np.cov(v.T)[~np.eye(4, dtype=bool)] ** 2).sum() / 4

    expected = (
        10 * ((predicted - y) ** 2).mean()
        + 10 * (hinge(x) + hinge(y)) / 2
        + 10 * hinge(predicted) / 2
        + penalty(x)
        + penalty(y)
    )
    assert combined(make(VICREG), arrays)["loss"].item() == pytest.approx(expected, rel=1e-12)


def test_vicregs_terms_are_those_of_sies_equivariant_half(make, build):
    sie = build(SIE, SIEConfig(projector_widths=(8, 8, 4), equivariance_factor=1.0))
    x, y, predicted = map(torch.from_numpy, embeddings())
    nothing = x[:, :0]
    ours, theirs = combined(make(VICREG), embeddings()), sie.compute_terms(nothing, x, nothing, y, predicted)
    assert set(theirs) - set(ours) == {"invariance"}
    for name in set(ours) - {"loss"}:
        torch.testing.assert_close(ours[name], theirs[name])


@BOTH
def test_gradients_equal_finite_differences(make, kind):
    method = make(kind)
    inputs = [torch.from_numpy(array).requires_grad_() for array in embeddings(rows=4, dim=3)]
    if kind is SIMCLR:
        inputs[0] = inputs[0].detach()  # it counts by its prediction alone
    assert torch.autograd.gradcheck(
        lambda *parts: method.compute_terms(PredictedEmbeddings(*parts))["loss"], inputs
    )


@BOTH
def test_it_does_not_see_the_order_of_the_pairs(make, pairs, kind):
    method = make(kind)
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    mixed = method.loss({name: values[order] for name, values in pairs.items()})
    for name, term in method.loss(pairs).items():
        torch.testing.assert_close(mixed[name], term, rtol=1e-4, atol=1e-5)


@BOTH
def test_nothing_is_asked_to_stay(make, pairs, kind):
    """Second views that are where the predictor takes the first ones cost no more, however far that is."""
    method = make(kind)
    x = torch.from_numpy(embeddings(rows=6)[0]).float()
    [(matrices, _)] = method.predictor.generate_weights(pairs["relative_quaternion"])
    y = torch.stack([matrix @ row for matrix, row in zip(matrices, x, strict=True)])
    terms = method.compute_terms(PredictedEmbeddings(x, y, method.predict(x, pairs["relative_quaternion"])))
    least = losses.nt_xent_loss(y, y, temperature=0.1) if kind is SIMCLR else torch.tensor(0.0)
    torch.testing.assert_close(terms["equivariance"], least)
    assert (x - y).square().mean() > 0.1


@BOTH
def test_the_loss_predicts_as_evaluation_does(make, pairs, kind):
    method = make(kind).eval()
    x, y = method.embed(pairs["view_1"]), method.embed(pairs["view_2"])
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

    monkeypatch.setattr("turntable.models.image_methods.only_equivariance.gather_all_ranks", two_ranks)
    method = make(kind)
    torch.testing.assert_close(method.loss(pairs), method.compute_terms(PredictedEmbeddings(*seen)))
    assert [rows.shape for rows in seen] == [(12, 4)] * 3


@BOTH
@pytest.mark.parametrize("predictor", ["mlp", "embedded"])
def test_another_predictor_changes_the_prediction_alone(make, pairs, kind, predictor):
    ours, other = make(kind).loss(pairs), make(kind, predictor=predictor).loss(pairs)
    changed = {name for name in ours if ours[name] != other[name]}
    assert changed <= {"loss", "equivariance", "predicted_variance"}
    assert "equivariance" in changed


@BOTH
def test_the_action_may_tell_colours_too(make, pairs, kind):
    method = make(kind, action=ROTATION_AND_COLOR)
    assert method.reads == ("view_1", "view_2", *ROTATION_AND_COLOR)
    loss = method.loss(pairs)["equivariance"]
    for label in ROTATION_AND_COLOR:
        assert method.loss({**pairs, label: -pairs[label]})["equivariance"] != loss


@BOTH
def test_a_batch_of_one_is_refused(make, pairs, kind):
    with pytest.raises(InvalidInputError, match="at least 2"):
        make(kind).loss({name: values[:1] for name, values in pairs.items()})
