"""Arguments of wrong types and values: errors that name the argument, what was given, and what is wanted."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import RandomSampler

from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.loaders import (
    Augmentation,
    BatchConfig,
    Fixed,
    Fresh,
    ItemDataset,
    Loader,
    OnlineLoader,
    Pairs,
    Samples,
    Sequences,
    Singles,
    Tuples,
    Views,
    ViewSelection,
    draw_validation_pairs,
    get_augmentation,
    read_pairs,
    select_all_views,
    write_pairs,
)

WHOLE = "must be a whole number"
SELECTION = select_all_views([4], 6)
FOUR = Samples(np.arange(4), np.zeros((4, 1), dtype=np.int64))


def make_online(**changes: Any) -> OnlineLoader:
    """Make a loader of rendered views; arguments are checked before any process is started."""
    return OnlineLoader(**{"recipe": "zoo", "config": BatchConfig(sampler=Fresh(), batch_size=1), **changes})


CASES: list[tuple[Callable[[], object], str]] = [
    # Numbers of a config: of wrong types, wrong signs, and those that Python takes for others.
    *[
        (lambda name=name, value=value: BatchConfig(**{name: value}), rf"{name} {text}: {WHOLE}")
        for name in ("batch_size", "seed", "num_workers", "max_corrupt_views")
        for value, text in ((8.0, "8.0"), (None, "None"), (True, "True"), ("8", "'8'"), ([8], r"\[8\]"))
    ],
    *[
        (lambda name=name: BatchConfig(**{name: 1.5}), rf"{name} 1.5: {WHOLE}")
        for name in ("image_size", "rank", "world_size")
    ],
    (lambda: BatchConfig(batch_size=torch.tensor(8)), rf"batch_size tensor\(8\): {WHOLE}"),
    (lambda: BatchConfig(num_workers=-1), "num_workers -1: must be at least 0"),
    (lambda: BatchConfig(batch_size=-8), "batch_size -8: must be at least 1"),
    # Other values of a config.
    (lambda: BatchConfig(split=None), "split None: give its name, such as 'train'"),
    (lambda: BatchConfig(split=b"train"), "split b'train': give its name"),
    (lambda: BatchConfig(split=["train"]), r"split \['train'\]: give its name"),
    (lambda: BatchConfig(pin_memory="no"), "pin_memory 'no': must be True or False"),
    (lambda: BatchConfig(sampler=Pairs), r"sampler <class .*Pairs'>: give a sampler, such as Pairs\(\)"),
    (
        lambda: BatchConfig(sampler=RandomSampler(range(3))),
        r"sampler <torch.*RandomSampler.*: give a sampler",
    ),
    (lambda: BatchConfig(augmentation=Augmentation), "augmentation <class .*: give an Augmentation"),
    (lambda: BatchConfig(last_batch=None), "last_batch None: use one of drop, pad, short"),
    # Samplers.
    (lambda: Pairs(1.5), rf"Pairs.visits 1.5: {WHOLE}"),
    (lambda: Pairs(True), rf"Pairs.visits True: {WHOLE}"),
    (lambda: Pairs(pairs_per_visit="2"), rf"Pairs.pairs_per_visit '2': {WHOLE}"),
    (lambda: Pairs(0), "Pairs.visits 0: must be at least 1"),
    (lambda: Tuples(None), rf"Tuples.views None: {WHOLE}"),
    (lambda: Tuples(2, tuples_per_visit=-1), "Tuples.tuples_per_visit -1: must be at least 1"),
    (lambda: Singles(2.0), rf"Singles.visits 2.0: {WHOLE}"),
    (lambda: Sequences(0), "Sequences.views 0: must be at least 1"),
    (lambda: Fresh(samples_per_visit=None), rf"Fresh.samples_per_visit None: {WHOLE}"),
    (lambda: Views("no"), "Views.shuffled 'no': must be True or False"),
    (lambda: Fixed("pairs.json"), "Fixed.fixed_samples 'pairs.json': give Samples"),
    (lambda: Fixed([(0, 1, 2)]), r"Fixed.fixed_samples \[\(0, 1, 2\)\]: give Samples"),
    (
        lambda: Samples([0.5], [[1]]),
        r"Samples.objects \[0.5\]: must be an array of whole numbers with 1 axis",
    ),
    (lambda: Samples([0], [1]), r"Samples.views \[1\]: must be an array of whole numbers with 2 axes"),
    (lambda: Samples([0, 1], [[1, 2], [3]]), "Samples.views .*: must be an array of whole numbers"),
    (lambda: Samples([0, 1], [[1, 2]]), "Samples: 2 objects, but views of 1"),
    # Selections and lists of pairs.
    (lambda: select_all_views(4, 6), "objects_per_shard 4: must be an array of whole numbers"),
    (lambda: select_all_views([4], 6.0), rf"num_views 6.0: {WHOLE}"),
    (lambda: select_all_views([4], 6, None), rf"sequence_length None: {WHOLE}"),
    (lambda: ViewSelection([0], [0, 2], [0, 1, 2], [0]), "ViewSelection of 1 objects: .*lengths do not fit"),
    (lambda: ViewSelection([0], [0, 2], ["a", "b"], [0]), "ViewSelection.views .*: must be an array"),
    (lambda: draw_validation_pairs([4], 5, 0), r"selection \[4\]: give a ViewSelection"),
    (lambda: draw_validation_pairs(SELECTION, 5.0, 0), rf"pairs_per_object 5.0: {WHOLE}"),
    (lambda: draw_validation_pairs(SELECTION, 5, None), rf"seed None: {WHOLE}"),
    (lambda: write_pairs("pairs.json", [1], None, "val"), r"samples \[1\]: give Samples"),
    (lambda: write_pairs("pairs.json", FOUR, "my-set", "val"), "dataset 'my-set': give a Dataset"),
    (lambda: read_pairs("pairs.json", "my-set"), "dataset 'my-set': give a Dataset"),
    # Augmentations.
    (lambda: Augmentation(hue="0.1"), "hue '0.1': must be a number"),
    (lambda: Augmentation(flip_probability=True), "flip_probability True: must be a number"),
    (lambda: Augmentation(brightness=float("nan")), "brightness nan: must be at least 0"),
    (lambda: Augmentation(crop_scale=0.5), "crop_scale 0.5: give two numbers"),
    (lambda: Augmentation(crop_scale="ab"), "crop_scale 'ab': give two numbers"),
    (lambda: Augmentation(blur_sigma_px=(None, 1)), r"blur_sigma_px \(None, 1\): give two numbers"),
    (lambda: Augmentation.simclr("strong"), "strength 'strong': must be a number"),
    (lambda: Augmentation.color_only(None), "strength None: must be a number"),
    (lambda: get_augmentation(None), "unknown augmentation None; choose one of: simclr"),
    # Loaders of rendered views.
    (lambda: make_online(recipe=None), "recipe None: give a name"),
    (lambda: make_online(meshes=3), "meshes 3: give the path of a folder"),
    (lambda: make_online(config="train"), "'train' is not a BatchConfig"),
    (lambda: make_online(config=BatchConfig(sampler=Pairs())), r"sampler Pairs.*: OnlineLoader needs Fresh"),
    (lambda: make_online(objects=2.5), "objects 2.5: give a list of texts"),
    (lambda: make_online(objects=True), "objects True: give a list of texts"),
    (lambda: make_online(objects=0), "objects 0: must be at least 1"),
    (lambda: make_online(objects="cube"), "objects 'cube': give a list of texts"),
    (lambda: make_online(objects=[1, 2]), r"objects \[1, 2\]: each must be a text"),
    (lambda: make_online(split_files="val_images.npy"), "split_files 'val_images.npy': give a list of paths"),
    (lambda: make_online(links_under="/data"), "links_under '/data': give a list of paths"),
    (lambda: make_online(links_under=[3]), r"links_under \[3\]: each must be a path"),
    (lambda: make_online(window_objects=2.0), rf"window_objects 2.0: {WHOLE}, or None for all"),
    (lambda: make_online(window_objects=0), "window_objects 0: must be at least 1, or None for all"),
    (lambda: make_online(load_seconds="120"), "load_seconds '120': must be a number"),
    (lambda: make_online(load_seconds=-1), "load_seconds -1: must be above 0"),
    (lambda: make_online(load_memory=0), "load_memory 0: must be above 0"),
    (lambda: make_online(load_memory=float("nan")), "load_memory nan: must be above 0"),
    (lambda: make_online(through_jpeg="yes"), "through_jpeg 'yes': must be True or False"),
    (lambda: make_online(backend=None), "backend None: give its name"),
    (lambda: make_online(device=0), "device 0: give its name"),
    (lambda: make_online(quality=3), "quality"),
    (lambda: make_online(source="shapes"), "source"),
    (lambda: ItemDataset("my-set"), "loader 'my-set': give a Loader"),
]


@pytest.mark.parametrize(("make", "told"), CASES, ids=[told[:40] for _, told in CASES])
def test_a_wrong_argument_is_named(make: Callable[[], object], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        make()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"where": ["floor_hue < 0.5"]}, r"where \['floor_hue < 0.5'\]: give a condition as text"),
        ({"where": True}, "where True: give a condition as text"),
        ({"window_shards": 1.5}, rf"window_shards 1.5: {WHOLE}, or None for all"),
        ({"window_shards": "all"}, rf"window_shards 'all': {WHOLE}, or None for all"),
        ({"window_shards": True}, rf"window_shards True: {WHOLE}"),
        ({"engine": None}, "unknown engine None; choose one of: ring, dataloader"),
        ({"config": {"batch_size": 4}}, r"\{'batch_size': 4\} is not a BatchConfig"),
        ({"config": BatchConfig}, "is not a BatchConfig"),
    ],
)
def test_a_wrong_argument_of_a_loader_is_named(dataset: Dataset, arguments: dict, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        Loader(dataset.path, **{"config": BatchConfig(batch_size=4), **arguments})


@pytest.mark.parametrize("epoch", [1.5, -1, None, True, "1", np.float64(1)])
def test_an_epoch_is_a_whole_number(dataset: Dataset, epoch: Any) -> None:
    loader = Loader(dataset.path, BatchConfig(batch_size=4))
    items = ItemDataset(loader)
    for call in (
        loader.set_epoch,
        loader.get_samples,
        loader.iter_batches,
        lambda number: loader.load_batch(number, np.arange(2)),
        items.set_epoch,
        loader.as_iterable_dataset().set_epoch,
    ):
        with pytest.raises(InvalidInputError, match=r"epoch .*must be (a whole number|at least 0)"):
            call(epoch)
    with pytest.raises(InvalidInputError, match="positions 3: must be an array of whole numbers with 1 axis"):
        loader.load_batch(0, 3)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers(dataset: Dataset) -> None:
    """Compare with plain numbers, also in the state, whose hash has the text of the sampler."""
    plain = Loader(dataset.path, BatchConfig(sampler=Pairs(2), batch_size=4, seed=3, num_workers=0))
    config = BatchConfig(
        sampler=Pairs(np.int64(2)), batch_size=np.uint8(4), seed=np.int32(3), num_workers=np.int64(0)
    )
    loader = Loader(dataset.path, config, window_shards=None)
    loader.set_epoch(np.int64(1))  # type: ignore[arg-type]
    plain.set_epoch(1)
    assert json.dumps(loader.state_dict()) == json.dumps(plain.state_dict())
    assert repr(config) == repr(BatchConfig(sampler=Pairs(2), batch_size=4, seed=3, num_workers=0))
    batch = loader.load_batch(np.int64(1), [0, 1])  # type: ignore[arg-type]
    assert torch.equal(batch["view_1"], plain.load_batch(1, np.arange(2))["view_1"])
    assert repr(Views(np.bool_(False))) == repr(Views(False))  # type: ignore[arg-type]


def test_fixed_samples_are_views_that_there_are(dataset: Dataset) -> None:
    for views in ([[0, 6]], [[-1, 0]]):
        loader = Loader(dataset.path, BatchConfig(sampler=Fixed(Samples([0], views)), batch_size=1))
        with pytest.raises(InvalidInputError, match="fixed samples have objects or views that this split"):
            loader.get_samples(0)
