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
