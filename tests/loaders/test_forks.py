"""Forks of a process while its loaders run: each process goes on by itself, however the other one ends."""

import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import with_tests
from tests.support.batches import all_equal
from tests.support.processes import in_a_fork
from turntable.datasets import Dataset, load_recipe
from turntable.loaders import BatchConfig, Fresh, ItemDataset, Loader, OnlineLoader, Pairs

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
ENGINES = [(0, "ring"), (1, "ring"), (2, "dataloader")]


def make_loader(dataset: Dataset, workers: int, engine: Any) -> Loader:
    config = BatchConfig(sampler=Pairs(2), batch_size=3, num_workers=workers)
    return Loader(dataset.path, config, engine=engine)


@pytest.mark.parametrize(("workers", "engine"), ENGINES)
def test_both_processes_go_on_with_an_iteration(dataset: Dataset, workers: int, engine: str) -> None:
    first, second = (list(make_loader(dataset, 0, "ring").iter_batches(epoch)) for epoch in range(2))
    loader = make_loader(dataset, workers, engine)
    running = iter(loader)
    part = [next(running)]

    def look() -> bool:
        rest = list(running)
        after = list(loader)
        loader.close()
        return all_equal(rest, first[1:]) and all_equal(after, second)

    assert in_a_fork(look)
    part.append(next(running))
    assert in_a_fork(lambda: all_equal(list(loader.iter_batches(1)), second))
    assert all_equal(part + list(running), first)
    assert all_equal(list(loader), second)
    loader.close()


@pytest.mark.parametrize(("workers", "engine"), ENGINES)
def test_a_process_of_multiprocessing_has_a_loader_of_its_own(
    dataset: Dataset, workers: int, engine: str
) -> None:
    first, second = (list(make_loader(dataset, 0, "ring").iter_batches(epoch)) for epoch in range(2))
    loader = make_loader(dataset, workers, engine)
    running = iter(loader)
    part = [next(running)]
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(
        target=lambda: sender.send([batch["object_index"].tolist() for batch in loader.iter_batches(1)])
    )
    child.start()
    assert receiver.poll(60)
    assert receiver.recv() == [batch["object_index"].tolist() for batch in second]
    child.join(60)
    assert child.exitcode == 0
    assert all_equal(part + list(running), first)
    loader.close()


EXITS = """
import gc, os, sys
from turntable.loaders import BatchConfig, Loader, Pairs

loader = Loader(sys.argv[1], BatchConfig(sampler=Pairs(20), batch_size=2, num_workers=2), engine=sys.argv[2])
whole = len(loader)
running = iter(loader)
next(running)
child = os.fork()
if child == 0:
    if sys.argv[3] == "deleted":
        del loader, running
        gc.collect()
    elif sys.argv[3] == "closed":
        loader.close()
    sys.exit(0)  # with all that Python and libraries do at their end
assert os.waitpid(child, 0)[1] == 0
print(whole, 1 + len(list(running)), len(list(loader)))
"""


@pytest.mark.parametrize("engine", ["ring", "dataloader"])
@pytest.mark.parametrize("end", ["deleted", "closed", "kept"])
def test_the_end_of_a_fork_harms_no_worker_of_its_parent(
    dataset: Dataset, engine: str, end: str, tmp_path: Path
) -> None:
    script = tmp_path / "trainer.py"
    script.write_text(EXITS)
    command = [sys.executable, str(script), str(dataset.path), engine, end]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=with_tests())
    assert (done.stdout.split(), done.stderr) == (["130"] * 3, "")


def test_items_and_open_splits_are_read_in_both_processes(dataset: Dataset) -> None:
    items = ItemDataset(make_loader(dataset, 0, "ring"))
    expected = [items[index] for index in range(5)]
    with dataset.open_split("train") as split:
        views = [split.read_jpeg(row, 1) for row in range(split.num_objects)]

        def look() -> bool:
            read = [split.read_jpeg(row, 1) for row in range(split.num_objects)]
            return read == views and all_equal([items[index] for index in range(5)], expected)

        assert in_a_fork(look)
        assert [split.read_jpeg(row, 1) for row in range(split.num_objects)] == views
    assert all_equal([items[index] for index in range(5)], expected)


def test_a_filter_is_evaluated_in_a_fork(dataset: Dataset) -> None:
    def count() -> int:
        return Loader(dataset.path, BatchConfig(batch_size=1), where="floor_hue < 0.5").num_objects

    expected = count()  # DuckDB has its threads from here on
    assert in_a_fork(lambda: count() == expected)
    assert count() == expected


@pytest.mark.slow
def test_renderers_of_a_fork_are_its_own() -> None:
    recipe = load_recipe("zoo").replace(views=4, image_size_px=16, quality="fast", val_fraction=0)
    loader = OnlineLoader(
        recipe, None, BatchConfig(sampler=Fresh(1), batch_size=1), objects=3, backend="embree"
    )
    whole = list(loader.iter_batches(0))
    running = loader.iter_batches(0)
    part = [next(running)]
    assert in_a_fork(lambda: all_equal(list(running), whole[1:]))
    assert all_equal(part + list(running), whole)
    loader.close()
