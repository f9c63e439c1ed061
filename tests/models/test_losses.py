import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import losses

GOLDEN = json.loads((Path(__file__).parent / "golden" / "lightly.json").read_text())
TERMS = {
    "invariance": losses.invariance_loss,
    "variance": losses.variance_loss,
    "covariance": losses.covariance_loss,
    "nt_xent": partial(losses.nt_xent_loss, temperature=0.5),
    "cosine_distance": losses.cosine_distance_loss,
    "double_cover": losses.quaternion_mse_loss,
}
"""All that compare two batches, [B, 4]."""
ALL = pytest.mark.parametrize("term", TERMS.values(), ids=TERMS)


def pair(rows, dim, dtype=torch.float64):
    """The inputs of golden/make_lightly.py."""
    count = np.arange(rows * dim, dtype=np.float64).reshape(rows, dim)
    x, y = 0.9 * np.sin(1.7 * count + 1), 0.8 * np.cos(2.3 * count)
    return torch.from_numpy(x).to(dtype), torch.from_numpy(y).to(dtype)


@ALL
def test_gradients_are_those_that_finite_differences_find(term):
    x, y = (v.clone().requires_grad_() for v in pair(6, 4))
    assert torch.autograd.gradcheck(term, (x, y))


@ALL
def test_the_order_of_rows_does_not_matter_if_it_is_one_order(term):
    x, y = pair(8, 4)
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    assert term(x[order], y[order]).item() == pytest.approx(term(x, y).item(), rel=1e-12)


@pytest.mark.parametrize("name", ["invariance", "nt_xent", "cosine_distance", "double_cover"])
def test_terms_that_compare_views_notice_when_those_of_other_rows_are_taken(name):
    x = pair(8, 4)[0]
    y = x + 0.01
    assert TERMS[name](x, y.roll(1, 0)).item() > 1.1 * TERMS[name](x, y).item()


@ALL
def test_terms_are_computed_in_full_precision_under_autocast(term):
    x, y = pair(32, 4, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = term(x, y)
    assert inside.dtype == torch.float32
    assert inside.item() == term(x, y).item()
    assert term(x.bfloat16(), y.bfloat16()).dtype == torch.float32


@ALL
def test_single_precision_is_near_double_and_double_stays(term):
    x, y = pair(64, 4)
    exact = term(x, y)
    assert exact.dtype == torch.float64
    assert term(x.float(), y.float()).item() == pytest.approx(exact.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["invariance", "cosine_distance", "double_cover"])
def test_means_over_rows_do_not_see_a_batch_twice(name):
    x, y = pair(7, 4)
    twice = TERMS[name](torch.cat([x, x]), torch.cat([y, y]))
    assert twice.item() == pytest.approx(TERMS[name](x, y).item(), rel=1e-12)


def test_statistics_divide_by_one_row_fewer_than_there_are():
    x, y = pair(5, 4)
    xx, yy = torch.cat([x, x]), torch.cat([y, y])
    # All squares are there twice; 9 of 10 rows count where 4 of 5 did.
    ratio = 2 * 4 / 9
    assert losses.covariance_loss(xx, yy).item() == pytest.approx(
        ratio**2 * losses.covariance_loss(x, y).item()
    )
    hinge = torch.relu(1 - torch.sqrt(ratio * x.var(dim=0) + 1e-4)).mean()
    assert losses.variance_hinge_loss(xx).item() == pytest.approx(hinge.item())


@pytest.mark.parametrize("case", GOLDEN["vicreg"])
def test_vicreg_equals_lightlys(case):
    x, y = pair(case["rows"], case["dim"])
    invariance, variance, covariance = case["weights"]
    value = (
        invariance * losses.invariance_loss(x, y)
        + variance * losses.variance_loss(x, y)
        + covariance * losses.covariance_loss(x, y)
    )
    assert value.item() == pytest.approx(case["loss"], rel=1e-12)


def test_vicregs_terms_equal_their_closed_forms_in_numpy():
    x, y = pair(9, 5)
    a, b = x.numpy(), y.numpy()
    assert losses.invariance_loss(x, y).item() == pytest.approx(np.mean((a - b) ** 2))
    hinge = [np.maximum(0, 1 - np.sqrt(v.var(axis=0, ddof=1) + 1e-4)).mean() for v in (a, b)]
    assert losses.variance_loss(x, y).item() == pytest.approx(np.mean(hinge))
    off_diagonal = ~np.eye(5, dtype=bool)
    squares = sum((np.cov(v.T)[off_diagonal] ** 2).sum() for v in (a, b))
    assert losses.covariance_loss(x, y).item() == pytest.approx(squares / 5)


def test_vicregs_terms_are_blind_to_a_shift():
    x, y = pair(8, 4)
    for term in (losses.invariance_loss, losses.variance_loss, losses.covariance_loss):
        assert term(x + 3, y + 3).item() == pytest.approx(term(x, y).item())


def test_the_hinge_is_silent_above_one_and_full_on_a_collapse():
    spread = torch.tensor([[-2.0, -5.0], [2.0, 5.0], [0.0, 1.0]])
    assert losses.variance_hinge_loss(spread).item() == 0
    assert losses.variance_hinge_loss(torch.ones(4, 3)).item() == pytest.approx(1 - 1e-2)


@pytest.mark.parametrize("case", GOLDEN["nt_xent"])
def test_nt_xent_equals_lightlys(case):
    found = losses.nt_xent_loss(*pair(case["rows"], case["dim"]), temperature=case["temperature"])
    assert found.item() == pytest.approx(case["loss"], rel=1e-12)


def literal_nt_xent(x, y, temperature):
    """Row by row, in numpy."""
    rows = np.concatenate([x, y])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    total = 0.0
    for i in range(len(rows)):
        cosines = {k: rows[i] @ rows[k] / temperature for k in range(len(rows)) if k != i}
        other = (i + len(x)) % len(rows)
        total -= cosines[other] - np.log(sum(np.exp(value) for value in cosines.values()))
    return total / len(rows)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_nt_xent_is_that_of_the_formula(temperature):
    x, y = np.random.default_rng(0).normal(size=(2, 7, 5))
    found = losses.nt_xent_loss(torch.from_numpy(x), torch.from_numpy(y), temperature=temperature)
    assert found.item() == pytest.approx(literal_nt_xent(x, y, temperature), rel=1e-12)


def test_nt_xent_of_rows_at_right_angles_and_of_rows_that_are_one():
    same = torch.eye(5, dtype=torch.float64)
    right = math.log(math.exp(1 / 0.1) + 2 * 4) - 1 / 0.1  # the other view, and 8 at right angles
    assert losses.nt_xent_loss(same, same, temperature=0.1).item() == pytest.approx(right)
    one = torch.ones(5, 3)
    assert losses.nt_xent_loss(one, one, temperature=0.1).item() == pytest.approx(math.log(9))


def test_nt_xent_of_a_batch_twice_has_every_other_row_twice_and_itself_once():
    x, y = pair(4, 3)
    rows = torch.nn.functional.normalize(torch.cat([x, y]), dim=1)
    scores = (rows @ rows.T / 0.5).exp()
    others = 2 * (scores.sum(dim=1) - scores.diagonal()) + math.exp(1 / 0.5)
    expected = (others.log() - (rows * rows.roll(4, 0)).sum(dim=1) / 0.5).mean()
    found = losses.nt_xent_loss(torch.cat([x, x]), torch.cat([y, y]), temperature=0.5)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)


def test_nt_xent_is_blind_to_lengths_and_to_which_view_is_first():
    x, y = pair(6, 4)
    loss = losses.nt_xent_loss(x, y, temperature=0.5)
    torch.testing.assert_close(losses.nt_xent_loss(y, x, temperature=0.5), loss)
    torch.testing.assert_close(losses.nt_xent_loss(3 * x, y, temperature=0.5), loss)


@pytest.mark.parametrize("temperature", [0.0, -0.1, math.nan])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(InvalidInputError, match=r"temperature is .*; it must be above 0"):
        losses.nt_xent_loss(*pair(4, 3), temperature=temperature)


def test_cosine_distance_goes_from_zero_to_two_row_by_row():
    x, y = pair(4, 3)
    assert losses.cosine_distance_loss(x, 2 * x).item() == pytest.approx(0, abs=1e-12)
    assert losses.cosine_distance_loss(x, -x).item() == pytest.approx(2)
    cosines = [(a @ b / (a.norm() * b.norm())).item() for a, b in zip(x, y, strict=True)]
    assert losses.cosine_distance_loss(x, y).item() == pytest.approx(1 - np.mean(cosines))


def test_double_cover_counts_both_quaternions_of_each_rotation():
    target = torch.nn.functional.normalize(pair(10, 4)[0], dim=1)
    guess = target + 0.01
    assert losses.quaternion_mse_loss(-target, target).item() == 0
    plain = losses.invariance_loss(guess, target).item()
    assert losses.quaternion_mse_loss(guess, target).item() == pytest.approx(plain)
    signs = torch.tensor([1.0, -1.0]).repeat(5)[:, None]
    assert losses.quaternion_mse_loss(guess, signs * target).item() == pytest.approx(plain)


def test_cross_entropy_is_that_of_the_formula_in_full_precision():
    logits, categories = pair(6, 4)[0], torch.tensor([0, 1, 2, 3, 0, 1])
    chosen = [math.exp(row[k]) / np.exp(row).sum() for row, k in zip(logits.numpy(), categories, strict=True)]
    expected = -np.mean(np.log(chosen))
    assert losses.cross_entropy_loss(logits, categories).item() == pytest.approx(expected, rel=1e-12)
    with torch.autocast("cpu", torch.bfloat16):
        assert losses.cross_entropy_loss(logits.float(), categories).item() == pytest.approx(
            expected, rel=1e-6
        )
    assert losses.cross_entropy_loss(logits.bfloat16(), categories).dtype == torch.float32


def test_a_loss_is_the_sum_of_its_terms_times_their_weights():
    a, b = torch.tensor(2.0), torch.tensor(3.0)
    assert losses.sum_weighted_terms({"a": (10.0, a), "b": (0.5, b)}) == {"loss": 21.5, "a": a, "b": b}
