"""Epochs: the same with any engine and any number of workers and ranks, and resumed at any batch."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.batches import Batch, all_equal, equal, joined
from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, Fixed, Loader, Pairs, draw_validation_pairs, select_all_views
from turntable.testing.datasets import make_synthetic_dataset

ENGINES = [
    (0, "ring"),
    (1, "ring"),
    (2, "ring"),
    (3, "ring"),
    (4, "ring"),
    (1, "dataloader"),
    (2, "dataloader"),
]


@pytest.mark.slow
def test_any_engine_and_number_of_workers_gives_equal_batches(dataset: Dataset) -> None:
    runs: list[list[Batch]] = []
    for workers, engine in ENGINES:
        loader = Loader(
            dataset.path,
            BatchConfig(
                split="train", sampler=Pairs(2), batch_size=4, seed=3, num_workers=workers, last_batch="pad"
            ),
            engine=engine,
        )
        runs.append([batch for epoch in (0, 1, 5) for batch in loader.iter_batches(epoch)])
        loader.close()
    assert len(runs[0]) == 3 * -(-13 * 2 // 4)
    for other in runs[1:]:
        assert all_equal(runs[0], other)


def test_epochs_follow_one_another_and_seeds_differ(dataset: Dataset) -> None:
    loader = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=13))
    first, second = (next(iter(list(loader))) for _ in range(2))
    assert not equal(first, second)
    loader.set_epoch(0)
    assert equal(next(iter(loader)), first)
    assert equal(next(iter(loader)), second)  # who counts batches never asks for the end
    assert equal(next(loader.iter_batches(1)), second)
    several = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4))
    assert equal(next(iter(several)), next(iter(several)))  # left in its midst, an epoch begins again
    other = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=13, seed=1))
    assert not torch.equal(first["object_index"], next(iter(other))["object_index"])
    assert sorted(first["object_index"].tolist()) == list(range(13))


@pytest.mark.parametrize(("workers", "engine"), [(0, "ring"), (2, "ring"), (2, "dataloader")])
def test_an_epoch_resumes_at_any_batch(dataset: Dataset, workers: int, engine) -> None:
    loader = Loader(
        dataset.path,
        BatchConfig(split="train", sampler=Pairs(), batch_size=2, num_workers=workers, last_batch="short"),
        engine=engine,
    )
    whole = list(loader.iter_batches(4))
    assert len(whole) == len(loader) == 7
    assert len(whole[-1]["category"]) == 1
    stopped = loader.iter_batches(4)
    assert equal(next(stopped), whole[0])  # left in the middle, as by a signal
    for start in (1, 3, 6):
        assert all_equal(list(loader.iter_batches(4, start_batch=start)), whole[start:])
    assert list(loader.iter_batches(4, start_batch=7)) == []
    with pytest.raises(InvalidInputError, match="start_batch 8: an epoch has 7 batches"):
        loader.iter_batches(4, start_batch=8)


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_state_goes_on_to_the_bit_on_other_ranks_workers_and_engines(
    dataset: Dataset, data: st.DataObject
) -> None:
    def make(world: int) -> list[Loader]:
        workers, engine = data.draw(st.sampled_from([(0, "ring"), (2, "ring"), (1, "dataloader")]))
        return [
            Loader(
                dataset.path,
                BatchConfig(
                    split="train",
                    sampler=Pairs(2, 2),
                    batch_size=12,
                    seed=5,
                    num_workers=workers,
                    rank=rank,
                    world_size=world,
                ),
                window_shards=2,
                engine=engine,
            )
            for rank in range(world)
        ]

    def steps(loaders: list[Loader]) -> list[Batch]:
        """Return the global batches of the rest of an epoch."""
        return [joined(list(step)) for step in zip(*loaders, strict=True)]

    before, after = (make(data.draw(st.sampled_from([1, 2, 3]))) for _ in range(2))
    epoch = data.draw(st.integers(0, 2))
    for loader in before:
        loader.set_epoch(epoch)
    whole = steps(before)
    assert len(whole) == 13 * 4 // 12
    assert [loader.state_dict()["epoch"] for loader in before] == [epoch + 1] * len(before)
    stop = data.draw(st.integers(0, len(whole) - 1))
    iterators = [loader.iter_batches(epoch) for loader in before]
    for _ in range(stop):
        for iterator in iterators:
            next(iterator)
    states = [loader.state_dict() for loader in before]
    assert all(state == states[0] for state in states)
    assert states[0]["samples"] == stop * 12
    for loader in after:
        loader.load_state_dict(pickle.loads(pickle.dumps(states[0])))
    assert all_equal(steps(after), whole[stop:])
    following = steps(before)  # the first ones, left in their midst, have begun the epoch again
    assert all_equal(following, whole)
    assert all_equal(steps(after), steps(before))
    for loader in before + after:
        loader.close()


@pytest.mark.parametrize("world", [1, 2, 3, 8])
@pytest.mark.parametrize("workers", [0, 1, pytest.param(4, marks=pytest.mark.slow)])
def test_ranks_show_each_object_as_often_as_promised_and_nothing_twice(
    dataset: Dataset, world: int, workers: int
) -> None:
    ranks = [
        Loader(
            dataset.path,
            BatchConfig(
                split="train",
                sampler=Pairs(8),
                batch_size=8 // world * world,
                num_workers=workers,
                last_batch="pad",
                rank=rank,
                world_size=world,
            ),
        )
        for rank in range(world)
    ]
    batches = [list(loader) for loader in ranks]
    assert len({len(own) for own in batches}) == 1
    together = joined([batch for own in batches for batch in own])
    real = ~together["padding"]
    assert (np.bincount(together["object_index"][real].numpy()) == 8).all()
    alone = joined(
        list(Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(8), batch_size=13 * 8)))
    )
    names = ("object_index", "view_index_1", "view_index_2")
    shown = sorted(zip(*(together[name][real].tolist() for name in names), strict=True))
    assert shown == sorted(zip(*(alone[name].tolist() for name in names), strict=True))
    for loader in ranks:
        loader.close()


@pytest.mark.parametrize("world", [2, 3, 6])
def test_the_batch_of_all_ranks_together_is_the_same_whatever_their_number(
    dataset: Dataset, world: int
) -> None:
    config = BatchConfig(sampler=Pairs(3), batch_size=6, seed=2)
    alone = Loader(dataset.path, config)
    ranks = [Loader(dataset.path, replace(config, rank=rank, world_size=world)) for rank in range(world)]
    assert [loader.rank_batch_size for loader in ranks] == [6 // world] * world
    assert {loader.batch_size for loader in ranks} == {alone.batch_size} == {alone.rank_batch_size} == {6}
    assert len({len(loader) for loader in (alone, *ranks)}) == 1
    for whole, parts in zip(alone, zip(*ranks, strict=True), strict=True):
        assert equal(joined(list(parts)), whole)


def test_fixed_pairs_come_in_their_order_in_every_epoch(dataset: Dataset) -> None:
    pairs = draw_validation_pairs(select_all_views([4], 6), 5, seed=0)
    loader = Loader(
        dataset.path, BatchConfig(split="val", sampler=Fixed(pairs), batch_size=8, last_batch="short")
    )
    for epoch in (0, 1):
        batch = joined(list(loader.iter_batches(epoch)))
        assert batch["object_index"].tolist() == pairs.objects.tolist()
        assert batch["view_index_1"].tolist() == pairs.views[:, 0].tolist()
        assert batch["view_index_2"].tolist() == pairs.views[:, 1].tolist()


def test_states_of_something_else_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    state = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4)).state_dict()
    other = make_synthetic_dataset(tmp_path, num_objects=9, num_views=6, image_size=16)
    for loader, told in [
        (
            Loader(other.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4)),
            "the state is of other data: its fingerprint is",
        ),
        (
            Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4, seed=1)),
            "of another seed: its seed is 0, this loader's is 1",
        ),
        (
            Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(2), batch_size=4)),
            "of another split, sampler, filter or window_shards",
        ),
        (
            Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4), window_shards=2),
            "of another split, sampler",
        ),
    ]:
        with pytest.raises(InvalidInputError, match=told):
            loader.load_state_dict(state)
    loader = Loader(dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=4))
    for bad in ({}, {**state, "samples": -1}, {**state, "samples": 99}, {**state, "epoch": "x"}):
        with pytest.raises(InvalidInputError, match=r"not the state of a loader|an epoch has 13"):
            loader.load_state_dict(bad)
    Loader(
        dataset.path, BatchConfig(split="train", sampler=Pairs(), batch_size=1, num_workers=2)
    ).load_state_dict(state)


def test_shuffling_mixes_shards_and_classes_as_well_as_chance(tmp_path: Path) -> None:
    """Compare the distinct shards and categories in a batch of 32 with those of independent draws."""
    made = make_synthetic_dataset(
        tmp_path,
        num_objects=640,
        num_categories=20,
        num_views=2,
        image_size=8,
        objects_per_shard=8,
        val_fraction=0.0,
    )
    with made.open_split("train") as split:
        classes = split.category_indices
    rng = np.random.default_rng(0)

    def distinct(order: np.ndarray, of: np.ndarray) -> float:
        return float(np.mean([len(set(of[part])) for part in order[: len(order) // 32 * 32].reshape(-1, 32)]))

    ideal = np.concatenate([rng.permutation(640) for _ in range(20)])
    for window in (None, 40):
        loader = Loader(
            made.path, BatchConfig(split="train", sampler=Pairs(20), batch_size=32), window_shards=window
        )
        order = loader.get_samples(0).objects
        for of in (np.arange(640) // 8, classes):
            reach = distinct(ideal, of)
            assert distinct(order, of) > (0.98 if window is None else 0.8) * reach
