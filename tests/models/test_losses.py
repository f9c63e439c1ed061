import json
from pathlib import Path

import numpy as np
import pytest
import torch

from turntable.models import losses

GOLDEN = json.loads((Path(__file__).parent / "golden" / "vicreg.json").read_text())


def pair(rows, dim, dtype=torch.float64):
    """The inputs of golden/make_vicreg.py."""
    count = np.arange(rows * dim, dtype=np.float64).reshape(rows, dim)
    x, y = 0.9 * np.sin(1.7 * count + 1), 0.8 * np.cos(2.3 * count)
    return torch.from_numpy(x).to(dtype), torch.from_numpy(y).to(dtype)


@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_vicreg_equals_lightlys(case):
    x, y = pair(case["rows"], case["dim"])
    invariance, variance, covariance = case["weights"]
    value = (
        invariance * losses.invariance(x, y)
        + variance * losses.variance(x, y)
        + covariance * losses.covariance(x, y)
    )
    assert value.item() == pytest.approx(case["loss"], rel=1e-12)


def test_the_terms_equal_their_closed_forms_in_numpy():
    x, y = pair(9, 5)
    a, b = x.numpy(), y.numpy()
    assert losses.invariance(x, y).item() == pytest.approx(np.mean((a - b) ** 2))
    hinge = [np.maximum(0, 1 - np.sqrt(v.var(axis=0, ddof=1) + 1e-4)).mean() for v in (a, b)]
    assert losses.variance(x, y).item() == pytest.approx(np.mean(hinge))
    off_diagonal = ~np.eye(5, dtype=bool)
    squares = sum((np.cov(v.T)[off_diagonal] ** 2).sum() for v in (a, b))
    assert losses.covariance(x, y).item() == pytest.approx(squares / 5)


def test_the_hinge_is_silent_above_one_and_full_on_a_collapse():
    spread = torch.tensor([[-2.0, -5.0], [2.0, 5.0], [0.0, 1.0]])
    assert losses.variance_hinge(spread).item() == 0
    assert losses.variance_hinge(torch.ones(4, 3)).item() == pytest.approx(1 - 1e-2)


def test_terms_are_blind_to_the_order_of_rows_and_to_a_shift():
    x, y = pair(8, 4)
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    for term in (losses.invariance, losses.variance, losses.covariance):
        assert term(x[order], y[order]).item() == pytest.approx(term(x, y).item())
        assert term(x + 3, y + 3).item() == pytest.approx(term(x, y).item())


@pytest.mark.parametrize(
    "term",
    [losses.invariance, losses.variance, losses.covariance, losses.double_cover],
    ids=lambda t: t.__name__,
)
def test_gradients_equal_finite_differences(term):
    x, y = (v.clone().requires_grad_() for v in pair(6, 4))
    assert torch.autograd.gradcheck(term, (x, y))


@pytest.mark.parametrize("term", [losses.variance, losses.covariance, losses.invariance])
def test_terms_are_computed_in_full_precision_under_autocast(term):
    x, y = pair(32, 8, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = term(x, y)
    assert inside.dtype == torch.float32
    assert inside.item() == term(x, y).item()
    assert term(x.bfloat16(), y.bfloat16()).dtype == torch.float32


def test_double_cover_counts_both_quaternions_of_a_rotation():
    target = torch.nn.functional.normalize(pair(10, 4)[0], dim=1)
    guess = target + 0.01
    assert losses.double_cover(-target, target).item() == 0
    assert losses.double_cover(guess, target).item() == pytest.approx(losses.invariance(guess, target).item())
    assert losses.double_cover(guess, -target).item() == pytest.approx(
        losses.double_cover(guess, target).item()
    )


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
    found = losses.nt_xent(torch.from_numpy(x), torch.from_numpy(y), temperature=temperature)
    assert found.item() == pytest.approx(literal_nt_xent(x, y, temperature), rel=1e-12)


def test_nt_xent_knows_the_other_view_and_not_the_order():
    x, y = torch.randn(2, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    order = torch.randperm(6)
    loss = losses.nt_xent(x, y, temperature=0.5)
    torch.testing.assert_close(losses.nt_xent(x[order], y[order], temperature=0.5), loss)
    torch.testing.assert_close(losses.nt_xent(y, x, temperature=0.5), loss)
    torch.testing.assert_close(losses.nt_xent(3 * x, y, temperature=0.5), loss)
    assert losses.nt_xent(x, x, temperature=0.1) < losses.nt_xent(x, y, temperature=0.1)
    assert losses.nt_xent(x, x.roll(1, 0), temperature=0.1) > losses.nt_xent(x, x, temperature=0.1)


def test_cosine_distance_goes_from_zero_to_two():
    x = torch.randn(4, 3)
    assert losses.cosine_distance(x, 2 * x).item() == pytest.approx(0, abs=1e-6)
    assert losses.cosine_distance(x, -x).item() == pytest.approx(2)


@pytest.mark.parametrize(
    "term",
    [
        losses.variance,
        losses.covariance,
        losses.invariance,
        losses.cosine_distance,
        lambda x, y: losses.nt_xent(x, y, temperature=0.5),
    ],
)
def test_gradients_are_those_that_finite_differences_find(term):
    generator = torch.Generator().manual_seed(0)
    x, y = (0.5 * torch.randn(5, 3, dtype=torch.float64, generator=generator) for _ in range(2))
    assert torch.autograd.gradcheck(term, (x.requires_grad_(), y.requires_grad_()))


@pytest.mark.parametrize(
    "term", [losses.variance, losses.covariance, lambda x, y: losses.nt_xent(x, y, temperature=0.1)]
)
def test_single_precision_is_near_double_also_under_autocast(term):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 64, 32, dtype=torch.float64, generator=generator)
    exact = term(x, y).item()
    assert term(x.float(), y.float()).item() == pytest.approx(exact, rel=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        found = term(x.float(), y.float())
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(exact, rel=1e-4)
