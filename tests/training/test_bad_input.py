"""What cannot train says so before anything is written: which method, what is missing, what to do."""

import pytest
import torch

from turntable.errors import InvalidInputError
from turntable.models import BACKBONES
from turntable.models.backbones import SmallNet
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import make_demo_config, train
from turntable.training.steps import compute_micro_batch_size, process_group
from turntable.training.steps.distributed import resolve_device


@pytest.fixture
def refused(tmp_path):
    def check(config, words):
        with pytest.raises(InvalidInputError, match=words):
            train(config, tmp_path / "run")
        assert not (tmp_path / "run").exists()

    return check


def test_one_view_of_each_object(tmp_path, refused):
    make_synthetic_dataset(tmp_path / "set", num_views=1)
    config = make_demo_config("sie", tmp_path / "set", batch_size=4)
    refused(
        config,
        r"sie cannot train on .*set: the method takes 2 views of each object, and it has 1; .*--views 2",
    )


@pytest.mark.parametrize(
    ("label", "recipe"), [("translation_1", "3diebench-t"), ("relative_nothing", "There are rotation")]
)
def test_a_label_that_the_data_lack(toy_config, refused, label, recipe):
    config = toy_config(method_config={"fields": ("view_1", label)})
    refused(config, rf"toy cannot train on .*: no (label|field) '{label.removesuffix('_1')}'.*{recipe}")


def test_sequences_where_there_are_none(toy_config, refused):
    config = toy_config(method_config={"fields": ("views",), "views": 3, "consecutive": True})
    refused(config, "takes 3 consecutive views of a sequence, and it has no sequences; .*'sequences'")


def test_sequences_that_are_too_short(toy_config, full_dataset, refused):
    config = toy_config(full_dataset, method_config={"fields": ("views",), "views": 5, "consecutive": True})
    refused(config, "it has sequences of 4")


def test_one_category(tmp_path, toy_config, refused):
    make_synthetic_dataset(tmp_path / "set", num_categories=1)
    config = toy_config(tmp_path / "set", method_config={"fields": ("view_1", "category")})
    refused(config, "all its objects have the same category")


def test_fewer_samples_than_a_batch(toy_config, refused):
    refused(
        toy_config(batch_size=64),
        r"an epoch has 18 samples \(9 x pairs_per_object 2\), fewer than batch_size 64",
    )


def test_all_that_is_missing_is_said_at_once(toy_config, refused):
    config = toy_config(batch_size=64, method_config={"fields": ("view_1", "translation_1")})
    refused(config, "no label 'translation'.*; an epoch has 18 samples")


@pytest.mark.parametrize(
    ("batch_size", "ranks", "accumulate", "near"),
    [(9, 2, 1, 8), (8, 2, 4, 16), (2, 2, 1, 4), (1024, 3, 1, 1023), (100, 8, 2, 96)],
)
def test_a_batch_that_cannot_be_shared(toy_config, batch_size, ranks, accumulate, near):
    config = toy_config(batch_size=batch_size, accumulate=accumulate)
    with pytest.raises(
        InvalidInputError, match=f"batch_size {batch_size} cannot be divided .*; give --batch-size {near} "
    ):
        compute_micro_batch_size(config, ranks)
    assert compute_micro_batch_size(toy_config(batch_size=near, accumulate=accumulate), ranks) >= 2


def test_a_batch_of_one(toy_config):
    with pytest.raises(InvalidInputError, match="batch_size is 1; it must be at least 2"):
        toy_config(batch_size=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_where_there_is_none(toy_config, refused):
    refused(toy_config(device="cuda"), "device 'cuda': torch finds no GPU here; give --device cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "meta"])
def test_a_device_that_there_is_not(name):
    with pytest.raises(InvalidInputError, match=f"device '{name}'"):
        resolve_device(name)


def test_ranks_that_cannot_meet(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with (
        pytest.raises(InvalidInputError, match=r"WORLD_SIZE is 2, but the ranks cannot meet.*torchrun"),
        process_group("cpu"),
    ):
        pytest.fail("they met")


def test_images_that_are_too_small_for_the_backbone(dataset, refused):
    config = make_demo_config("sie", dataset, batch_size=4, image_size=16)
    refused(config, "images of 11 px are too small for SmallNet")


def test_images_at_which_the_backbone_fails(dataset, refused, monkeypatch):
    class Picky(SmallNet):
        def forward(self, x):
            raise RuntimeError("kernel larger than input")

    monkeypatch.setitem(BACKBONES, "small", Picky)
    config = make_demo_config("sie", dataset, batch_size=4)
    refused(config, r"32 px, .* do not fit the backbone small \(kernel larger")
