"""How VICReg puts its terms together; the terms themselves are tested with the other losses."""

from dataclasses import replace

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import losses
from turntable.models.image_methods import VICReg, VICRegConfig
from turntable.models.image_methods.vicreg import SEQ_JEPA_SETTINGS

NARROW = VICRegConfig(projector_widths=(32, 32, 16))


@pytest.mark.parametrize(
    ("config", "weights"), [(NARROW, (10, 10, 1)), (replace(NARROW, **SEQ_JEPA_SETTINGS), (25, 25, 1))]
)
def test_the_loss_is_that_of_the_formula(build, pairs, config, weights):
    made = build(VICReg, config).eval()
    x, y = (made.projector(h) for h in made.represent_pair(pairs))
    terms = {
        "invariance": losses.invariance_loss(x, y),
        "variance": losses.variance_loss(x, y),
        "covariance": losses.covariance_loss(x, y),
    }
    found = made.loss(pairs)
    loss = sum(weight * term for weight, term in zip(weights, terms.values(), strict=True))
    torch.testing.assert_close(found, {"loss": loss, **terms})
    assert made.reads == ("view_1", "view_2")


def test_no_view_is_the_first(build, pairs):
    made = build(VICReg, NARROW)
    swapped = {**pairs, "view_1": pairs["view_2"], "view_2": pairs["view_1"]}
    torch.testing.assert_close(made.loss(swapped), made.loss(pairs))


@pytest.mark.parametrize("share", [-0.1, 0.99, 1.0, 1.5, float("nan")])
def test_some_dimension_must_be_held_alike(build, share):
    message = f"free_fraction is {share}; it must be at least 0, and leave at least one of 16"
    with pytest.raises(InvalidInputError, match=message):
        build(VICReg, replace(NARROW, free_fraction=share))
