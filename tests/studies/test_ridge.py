"""Ridge regression from moments, beside numpy's least squares over the rows themselves."""

import numpy as np
import pytest

from turntable.errors import InvalidInputError
from turntable.studies import ridge
from turntable.studies.ridge import STRENGTHS, fit_ridge


def data(objects=40, views=5, width=6, noise=0.5, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(3, [0.1, 1, 10, 100, 1, 1][:width], (objects, views, width))
    weights = random.normal(size=(width, 2)) / x.std(axis=(0, 1))[:, None]
    return x, x @ weights + noise * random.normal(size=(objects, views, 2)) + 7


def by_rows(x, t, strength):
    """The same head by the textbook: a design with rows for the penalty."""
    x, t = x.reshape(-1, x.shape[2]), t.reshape(-1, t.shape[2])
    deviation = x.std(axis=0)
    rows = np.sqrt(strength * len(x)) * np.eye(x.shape[1])
    design = np.concatenate([(x - x.mean(axis=0)) / deviation, rows])
    wanted = np.concatenate([t - t.mean(axis=0), np.zeros((x.shape[1], t.shape[1]))])
    weights = np.linalg.lstsq(design, wanted, rcond=None)[0]
    return lambda seen: (seen - x.mean(axis=0)) / deviation @ weights + t.mean(axis=0)


@pytest.mark.parametrize("strength", [1e-6, 1e-2, 1.0])
def test_heads_are_those_of_the_textbook(monkeypatch, strength):
    monkeypatch.setattr(ridge, "STRENGTHS", (strength,))
    x, t = data()
    found = fit_ridge(x, t, [[0, 1]], np.arange(len(x)))
    seen = data(seed=1)[0].reshape(-1, 6)
    np.testing.assert_allclose(found(seen), by_rows(x, t, strength)(seen), rtol=1e-7, atol=1e-7)


def test_without_noise_nothing_is_taken_off():
    x, t = data(noise=0)
    seen = x.reshape(-1, 6)
    np.testing.assert_allclose(fit_ridge(x, t, [[0], [1]], np.arange(40))(seen), t.reshape(-1, 2), atol=1e-5)


def test_the_strength_is_the_one_that_is_best_on_objects_held_out():
    x, t = data(objects=11, views=1, noise=0.7)
    fitted = fit_ridge(x, t, [[0], [1]], np.arange(11))
    seen = data(seed=1)[0].reshape(-1, 6)
    for column in (0, 1):
        missed = []
        for strength in STRENGTHS:
            wrong = 0.0
            for fold in range(5):
                out = np.arange(11) % 5 == fold
                head = _standardized_by_all(x, t[..., [column]], out, strength)
                wrong += np.square(head(x[out].reshape(-1, 6)) - t[out][..., column].reshape(-1, 1)).sum()
            missed.append(wrong)
        best = STRENGTHS[int(np.argmin(missed))]
        assert 1e-9 < best < 1e4, "a case in which there is something to choose"
        expected = by_rows(x, t[..., [column]], best)(seen)
        np.testing.assert_allclose(fitted(seen)[:, [column]], expected, rtol=1e-6, atol=1e-6)


def _standardized_by_all(x, t, out, strength):
    """A head of the objects that are not held out, over features scaled by all."""
    flat, (kept, wanted) = x.reshape(-1, x.shape[2]), (x[~out].reshape(-1, 6), t[~out].reshape(-1, 1))
    z = (kept - flat.mean(axis=0)) / flat.std(axis=0)
    center = z.mean(axis=0)
    gram = (z - center).T @ (z - center) / len(z) + strength * np.eye(z.shape[1])
    weights = np.linalg.solve(gram, (z - center).T @ (wanted - wanted.mean(axis=0)) / len(z))
    return lambda seen: (
        ((seen - flat.mean(axis=0)) / flat.std(axis=0) - center) @ weights + wanted.mean(axis=0)
    )


def test_targets_of_a_group_share_a_strength(monkeypatch):
    x, t = data(objects=11, views=1, noise=2.0)
    t = np.concatenate([t, t[..., :1] * 1000], axis=2)  # it outweighs the second, with which it is grouped
    order = np.arange(11)
    together, alone = (fit_ridge(x, t, groups, order).weights for groups in ([[0], [1, 2]], [[0], [1], [2]]))
    fixed = {}
    for strength in STRENGTHS:
        monkeypatch.setattr(ridge, "STRENGTHS", (strength,))
        fixed[strength] = fit_ridge(x, t, [[0, 1, 2]], order).weights
    (of_third,) = (s for s, weights in fixed.items() if np.allclose(weights[:, 2], together[:, 2], rtol=1e-6))
    np.testing.assert_allclose(together[:, 1], fixed[of_third][:, 1])
    assert not np.allclose(together[:, 1], alone[:, 1])
    np.testing.assert_array_equal(together[:, [0, 2]], alone[:, [0, 2]])


def test_noise_is_left_to_the_mean():
    random = np.random.default_rng(0)
    x, t = random.normal(size=(50, 3, 20)), random.normal(size=(50, 3, 1))
    told = fit_ridge(x, t, [[0]], np.arange(50))(random.normal(size=(1000, 20)))
    assert np.abs(told - t.mean()).max() < 0.4


def test_features_that_say_nothing_change_nothing():
    x, t = data()
    order = np.arange(len(x))
    silent = np.concatenate([x, np.full((40, 5, 1), 1e6), np.zeros((40, 5, 1))], axis=2)
    seen = data(seed=1)[0].reshape(-1, 6)
    other = np.concatenate([seen, np.full((len(seen), 1), 5.0), np.ones((len(seen), 1))], axis=1)
    expected = fit_ridge(x, t, [[0, 1]], order)(seen)
    np.testing.assert_allclose(fit_ridge(silent, t, [[0, 1]], order)(other), expected, rtol=1e-9)


def test_more_features_than_rows():
    random = np.random.default_rng(0)
    x = random.normal(size=(12, 2, 100))
    found = fit_ridge(x, x[..., :1] + x[..., 1:2], [[0]], np.arange(12))
    assert np.isfinite(found(random.normal(size=(10, 100)))).all()


def test_rows_are_summed_in_pieces_and_in_the_order_that_is_given(monkeypatch):
    x, t = data()
    expected = fit_ridge(x, t, [[0, 1]], np.arange(40))
    back = fit_ridge(x[::-1], t[::-1], [[0, 1]], np.arange(40)[::-1])
    np.testing.assert_array_equal(back.weights, expected.weights)
    monkeypatch.setattr(ridge, "_MAX_NUMBERS_AT_ONCE", 1)
    np.testing.assert_allclose(fit_ridge(x, t, [[0, 1]], np.arange(40)).weights, expected.weights, rtol=1e-9)


def test_one_object_cannot_be_held_out():
    x, t = data(objects=1)
    with pytest.raises(InvalidInputError, match="at least two objects"):
        fit_ridge(x, t, [[0, 1]], np.arange(1))


def test_two_objects_are_enough():
    x, t = data(objects=2)
    assert np.isfinite(fit_ridge(x, t, [[0, 1]], np.arange(2)).weights).all()
