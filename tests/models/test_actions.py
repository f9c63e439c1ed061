"""Actions by the one table of relative labels: as wide as the loaders' labels, and told back as they are."""

import numpy as np
import pytest
import torch

from turntable.datasets import draw_factors, load_recipe
from turntable.errors import InvalidInputError
from turntable.geometry import RELATIVE_LABELS
from turntable.loaders.fields import compute_labels, resolve_labels
from turntable.models.actions import action_from_batch, get_action_dim, invert_action

RECIPE = load_recipe("3diebench-t")
NAMES = (*(label.name for label in RELATIVE_LABELS), "floor_hue_difference", "light_hue_difference_circular")


def action(labels: np.ndarray, names: list[str]) -> torch.Tensor:
    """[B, 1, K] of pairs of views [B, 2, L]."""
    values = compute_labels(resolve_labels(names, RECIPE.schema, 2), labels)
    return action_from_batch({name: torch.from_numpy(array) for name, array in values.items()}, names)


@pytest.mark.parametrize("name", NAMES)
def test_the_action_back_is_that_of_the_views_exchanged(name: str) -> None:
    labels = draw_factors(RECIPE, "any/object", range(60)).reshape(30, 2, -1)
    there, back = action(labels, [name]), action(labels[:, ::-1], [name])
    assert there.shape == (30, 1, get_action_dim([name]))
    if name == "relative_rotation_6d":
        with pytest.raises(InvalidInputError, match="cannot be computed from 'relative_rotation_6d' alone"):
            invert_action(there, [name])
        return
    torch.testing.assert_close(invert_action(there, [name]), back, atol=1e-5, rtol=1e-5)


def test_several_labels_make_one_action() -> None:
    labels = draw_factors(RECIPE, "any/object", range(20)).reshape(10, 2, -1)
    names = ["relative_pose", "floor_hue_difference"]
    both = action(labels, names)
    assert both.shape[-1] == get_action_dim(names) == 17
    torch.testing.assert_close(
        invert_action(both, names), action(labels[:, ::-1], names), atol=1e-5, rtol=1e-5
    )
    with pytest.raises(InvalidInputError, match="no relative label 'rotation'"):
        get_action_dim(["rotation"])
