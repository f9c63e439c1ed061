"""A method reads labels, outputs and clouds by the names that batches have, and trains."""

from pathlib import Path

import pytest

from turntable.errors import InvalidInputError
from turntable.models import SampleSpec
from turntable.training import train
from turntable.training.steps.data_loading import make_sampler

SETS = Path(__file__).parents[1] / "fixtures" / "sets"
SMALL = {"batch_size": 2, "epochs": 1, "pairs_per_object": 2}


@pytest.mark.parametrize(
    ("name", "reads", "shapes"),
    [
        ("points", ("view_1", "points_1", "points_2", "object_points"), {"points_1": (2, 64, 6)}),
        ("outputs", ("view_1", "depth_1", "mask_2", "floor_hue_2"), {"depth_1": (2, 1, 32, 32)}),
        ("outputs", ("view_1", "coordinates_2", "relative_pose"), {"coordinates_2": (2, 3, 32, 32)}),
    ],
)
def test_what_a_method_reads_is_in_its_batches(toy_config, toys, tmp_path, name, reads, shapes):
    train(toy_config(SETS / name, **SMALL, method_config={"fields": reads}), tmp_path / "run")
    (toy,) = toys
    assert toy.batches
    for batch in toy.batches:
        assert set(reads) <= batch.keys()
        assert {field: tuple(batch[field].shape) for field in shapes} == shapes


def test_what_the_data_do_not_keep_is_said_before_anything_is_written(toy_config, tmp_path):
    reads = ("view_1", "depth_2", "points_1", "translation_1")
    with pytest.raises(InvalidInputError) as caught:
        train(toy_config(SETS / "points", **SMALL, method_config={"fields": reads}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert "--outputs rgb,depth" in str(caught.value)
    assert "'3diebench-t' is a recipe that does" in str(caught.value)
    assert "--points" not in str(caught.value)


def test_single_views_are_one_of_each_object_a_visit():
    sampler = make_sampler(SampleSpec(num_views=1), num_visits=3)
    assert (sampler.views, sampler.naming) == (1, "single")
    assert repr(sampler) == "Singles(visits=3)"
