"""The epochs of items in other processes: workers that stay, of torch and torchdata, forked and spawned."""

import multiprocessing
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch.utils.data import DataLoader

from tests.support.processes import in_a_fork
from turntable.datasets import Dataset
from turntable.errors import InvalidInputError
from turntable.loaders import BatchConfig, ItemDataset, Loader, Pairs
from turntable.processes import SharedNumber

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
Make = Callable[..., Any]


def make_items(dataset: Dataset, seed: int = 1) -> ItemDataset:
    return ItemDataset(Loader(dataset.path, BatchConfig(sampler=Pairs(), batch_size=13, seed=seed)))


def list_samples(batches: Any) -> list[list[int]]:
    names = ("object_index", "view_index_1", "view_index_2")
    return [row for batch in batches for row in zip(*(batch[name].tolist() for name in names), strict=True)]


def read_epochs(dataset: Dataset, count: int) -> list[list[list[int]]]:
    loader = make_items(dataset)._loader
    return [list_samples(loader.iter_batches(epoch)) for epoch in range(count)]


def make_stateful(*arguments: Any, **more: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchdata.stateful_dataloader import StatefulDataLoader

        return StatefulDataLoader(*arguments, **more)


START_METHODS = ["fork", *(pytest.param(name, marks=pytest.mark.slow) for name in ("spawn", "forkserver"))]


@pytest.mark.parametrize("start", START_METHODS)
@pytest.mark.parametrize("make", [DataLoader, make_stateful])
def test_workers_that_stay_see_each_new_epoch(dataset: Dataset, make: Make, start: str) -> None:
    items = make_items(dataset)
    batches = make(items, batch_size=4, num_workers=1, persistent_workers=True, multiprocessing_context=start)
    found = []
    for epoch in (0, 1, 2, 1):
        items.set_epoch(epoch)
        found.append(list_samples(batches))
    first, second, third = read_epochs(dataset, 3)
    assert found == [first, second, third, second]
    assert len({tuple(samples) for samples in map(tuple, found)}) == 3


def test_a_state_of_torchdata_has_the_epoch(dataset: Dataset) -> None:
    items = make_items(dataset)
    items.set_epoch(2)
    batches = make_stateful(items, batch_size=4, num_workers=1)
    running = iter(batches)
    next(running)
    state = pickle.loads(pickle.dumps(batches.state_dict()))
    resumed = make_stateful(again := make_items(dataset), batch_size=4, num_workers=1)
    resumed.load_state_dict(state)
    assert list_samples(resumed) == read_epochs(dataset, 3)[2][4:]
    assert again.epoch == 2
    del running, batches, resumed


def test_states_of_items_are_checked(dataset: Dataset) -> None:
    items, other = make_items(dataset), make_items(dataset, seed=2)
    items.set_epoch(3)
    again = make_items(dataset)
    again.load_state_dict(items.state_dict())
    assert again.epoch == 3
    with pytest.raises(InvalidInputError, match="of another seed"):
        other.load_state_dict(items.state_dict())
    for epoch in (-1, 1.5, None, True):
        with pytest.raises(InvalidInputError, match=r"epoch .*must be"):
            items.set_epoch(epoch)  # type: ignore[arg-type]
    assert items.epoch == 3


def test_a_copy_for_later_has_the_epoch_of_now(dataset: Dataset) -> None:
    items = make_items(dataset)
    items.set_epoch(1)
    kept = pickle.loads(pickle.dumps(items))
    items.set_epoch(2)
    assert (kept.epoch, items.epoch) == (1, 2)
    kept.set_epoch(5)
    assert items.epoch == 2


def wait_for(number: SharedNumber, sender: Any) -> None:
    while (value := number.get()) == 0:
        pass
    sender.send(value)


@pytest.mark.parametrize("start", START_METHODS)
def test_a_shared_number_is_seen_in_a_process_that_runs(start: str) -> None:
    number, context = SharedNumber(0), multiprocessing.get_context(start)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=wait_for, args=(number, sender), daemon=True)
    process.start()
    number.set(-(2**40))
    assert receiver.poll(60)
    assert receiver.recv() == -(2**40)
    process.join(60)


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_fork_sets_the_number_too_and_it_leaves_nothing_open() -> None:
    def set_and_read() -> int:
        number = SharedNumber(1)
        assert in_a_fork(lambda: number.set(7) is None)
        return number.get()

    before = count_descriptors()
    assert set_and_read() == 7
    assert count_descriptors() == before
