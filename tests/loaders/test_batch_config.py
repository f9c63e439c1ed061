"""The configuration of batches: its values, and the errors for wrong ones, all in one message."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest

from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Pairs


def test_a_config_is_frozen_and_equal_by_its_values() -> None:
    names = ["rotation"]
    config = BatchConfig(sampler=Pairs(2), batch_size=np.int64(8), fields=names)
    names.append("factors")
    assert config.fields == ("rotation",)
    assert config == BatchConfig(sampler=Pairs(2), batch_size=8, fields=("rotation",))
    assert BatchConfig(fields=iter(("rotation", "factors"))).fields == ("rotation", "factors")  # type: ignore[arg-type]
    assert replace(config, seed=1) != config
    with pytest.raises(FrozenInstanceError):
        config.seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"batch_size": 2.5}, "batch_size 2.5: must be a whole number"),
        ({"batch_size": True}, "batch_size True: must be a whole number"),
        ({"batch_size": None}, "batch_size None: must be a whole number"),
        ({"seed": "0"}, "seed '0': must be a whole number"),
        ({"world_size": 2}, "give rank and world_size together, or neither"),
        ({"rank": -1, "world_size": 2}, "rank -1 of 2: must be from 0 to 1"),
        ({"rank": 0, "world_size": 0}, "rank 0 of 0"),
        (
            {"batch_size": 7, "rank": 0, "world_size": 4},
            "batch_size 7: 4 ranks cannot share it evenly; use 8",
        ),
        ({"last_batch": "cut"}, "last_batch 'cut': use one of drop, pad, short"),
        ({"last_batch": "short", "rank": 0, "world_size": 2}, "would give several ranks unequal batches"),
        ({"sampler": "pairs"}, r"sampler 'pairs': give a sampler, such as Pairs\(\)"),
        ({"fields": "rotation"}, r"fields 'rotation': give a list of names, such as \['rotation'\]"),
        ({"sampler": Pairs}, r"sampler <class .*Pairs'>: give a sampler, such as Pairs\(\)"),
        ({"fields": 3}, "fields 3: give a list of names"),
        ({"fields": ["rotation", 3]}, r"fields \['rotation', 3\]: each must be a name"),
        ({"quaternion_sign": "plus"}, "quaternion sign 'plus' is unknown"),
        ({"augmentation": "simclr"}, r"augmentation 'simclr': give an Augmentation"),
        ({"max_corrupt_views": -1}, "max_corrupt_views -1: must be at least 0"),
        ({"output": "jax"}, "output 'jax': use 'torch' or 'numpy'"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        BatchConfig(**values)


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        BatchConfig(batch_size=0, num_workers=-1, image_size=0, last_batch="cut", output="jax")  # type: ignore[arg-type]
    said = str(caught.value).split("; ")
    names = [fault.split(" ")[0] for fault in said]
    assert names == ["batch_size", "last_batch", "num_workers", "image_size", "output"]


def test_ranks_that_are_found_must_share_the_batch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turntable.loaders.batch_config.resolve_ranks", lambda *_: (1, 2))
    plan = BatchConfig(batch_size=6).make_plan()
    assert (plan.rank_batch_size, plan.rank, plan.batch_size) == (3, 1, 6)
    with pytest.raises(InvalidInputError, match="batch_size 5: 2 ranks cannot share it evenly; use 4"):
        BatchConfig(batch_size=5).make_plan()
