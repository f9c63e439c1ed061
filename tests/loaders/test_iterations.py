"""Several iterations over one loader, in turn, nested, left early, in threads: the same with any engine."""

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
import torch

from tests.support.batches import all_equal, equal
from tests.support.processes import alive, children
from turntable.datasets import Dataset
from turntable.loaders import BatchConfig, ItemDataset, Loader, Pairs

ENGINES = [(0, "ring"), (1, "ring"), (2, "dataloader")]


@pytest.fixture(params=ENGINES, ids=lambda value: f"{value[1]}-{value[0]}")
def loader(request: pytest.FixtureRequest, dataset: Dataset):
    workers, engine = request.param
    made = make_loader(dataset, num_workers=workers, engine=engine)
    yield made
    made.close()


def make_loader(dataset: Dataset, engine: Any = "ring", **config: Any) -> Loader:
    return Loader(dataset.path, BatchConfig(**{"sampler": Pairs(), "batch_size": 3, **config}), engine=engine)


def read_epochs(dataset: Dataset, count: int) -> list[list[dict[str, Any]]]:
    loader = make_loader(dataset)
    return [list(loader.iter_batches(epoch)) for epoch in range(count)]


def test_two_iterations_in_turn_give_the_same_whole_epoch(dataset: Dataset, loader: Loader) -> None:
    first, second = read_epochs(dataset, 2)
    pairs = list(zip(loader, loader, strict=True))
    assert all_equal([one for one, _ in pairs], first)
    assert all_equal([two for _, two in pairs], first)
    assert loader.state_dict()["epoch"] == 1
    assert all_equal(list(loader), second)


def test_iterations_at_different_places_do_not_disturb_one_another(dataset: Dataset, loader: Loader) -> None:
    first, second, third = read_epochs(dataset, 3)
    running, other = loader.iter_batches(1), loader.iter_batches(2, start_batch=1)
    for number in range(3):
        assert equal(next(running), second[number])
        assert equal(next(other), third[number + 1])
    assert equal(next(running), second[3])
    assert list(running) == list(other) == []
    assert all_equal(list(loader.iter_batches(0)), first)


def test_inner_iterations_leave_the_outer_one_whole(dataset: Dataset, loader: Loader) -> None:
    first, second, third = read_epochs(dataset, 3)
    outer, inner = [], []
    for batch in loader:
        outer.append(batch)
        if len(outer) <= 2:
            inner.append(list(loader))
    assert all_equal(outer, first)
    assert all_equal(inner[0], first)  # the outer one has not ended its epoch
    assert all_equal(inner[1], second)
    assert all_equal(list(loader), third)


def test_the_state_is_that_of_the_iteration_that_began_last(dataset: Dataset, loader: Loader) -> None:
    first, _ = read_epochs(dataset, 2)
    running = iter(loader)
    next(running)
    latest = iter(loader)
    unused = iter(loader)  # never asked for a batch: it has not begun
    next(latest), next(running), next(running)
    state = loader.state_dict()
    assert (state["epoch"], state["samples"]) == (0, 3)
    del unused
    loader.load_state_dict(state)
    assert all_equal(list(loader), first[1:])
    assert equal(next(running), first[3])
    loader.set_epoch(1)
    assert equal(next(latest), first[1])  # of the epoch in which it began


def stop_by(error: type[Exception] | None) -> None:
    if error is not None:
        raise error


@pytest.mark.parametrize("error", [None, KeyError], ids=["break", "error"])
def test_an_iteration_that_is_left_costs_nothing(
    dataset: Dataset, loader: Loader, error: type[Exception] | None
) -> None:
    first, _ = read_epochs(dataset, 2)
    for _ in range(3):
        with suppress(KeyError):
            for batch in loader:
                assert equal(batch, first[0])
                stop_by(error)
                break
    assert all_equal(list(loader), first)
    assert len(loader._engines._idle) == 1
    assert loader._engines._lent == []


def test_workers_of_further_iterations_end_with_them(dataset: Dataset) -> None:
    loader = make_loader(dataset, num_workers=1)
    before = set(children(os.getpid()))
    iterators = [iter(loader) for _ in range(2)]
    for running in iterators:
        next(running)
    assert len(set(children(os.getpid())) - before) == 2
    del iterators, running
    gc.collect()
    assert len([pid for pid in set(children(os.getpid())) - before if alive(pid)]) == 1
    loader.close()
    assert not set(children(os.getpid())) - before


def test_an_iteration_goes_on_after_the_loader_was_closed(dataset: Dataset, loader: Loader) -> None:
    first, _ = read_epochs(dataset, 2)
    running = iter(loader)
    part = [next(running), next(running)]
    loader.close()
    assert all_equal(part + list(running), first)
    assert loader.state_dict()["epoch"] == 1


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_threads_have_iterations_of_their_own(dataset: Dataset, loader: Loader) -> None:
    epochs, found = read_epochs(dataset, 3), dict[int, list[Any]]()
    # Plain threads: Python's pools of threads do not let a process end that was forked in one of theirs.
    threads = [
        Thread(target=lambda epoch=epoch: found.update({epoch: list(loader.iter_batches(epoch))}))
        for epoch in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert all(all_equal(found[epoch], epochs[epoch]) for epoch in range(3))


def test_threads_load_items_that_are_resized(dataset: Dataset) -> None:
    """Resizing has a buffer, which two threads must not share."""
    items = ItemDataset(make_loader(dataset, image_size=12, sampler=Pairs(20)))
    expected = [items[index] for index in range(len(items))]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(items.__getitem__, range(len(items))))
    assert all_equal(found, expected)


@pytest.mark.parametrize("kind", ["device", "dtype"])
def test_defaults_of_torch_change_nothing(dataset: Dataset, loader: Loader, kind: str) -> None:
    first, second = read_epochs(dataset, 2)
    try:
        if kind == "device":
            torch.set_default_device("meta")
        else:
            torch.set_default_dtype(torch.float64)
        found = [*loader, *loader]
        item = ItemDataset(loader)[0]
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)
    assert all_equal(found, [*first, *second])
    assert torch.equal(item["view_1"], first[0]["view_1"][0])
