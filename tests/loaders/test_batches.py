import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turntable.errors import InvalidInputError
from turntable.loaders.engines import BatchPlan, LastBatch
from turntable.loaders.engines.batch_plan import split_rows

SIZES = st.integers(0, 200)


def list_positions(
    samples: int, rows: int, world: int, last: LastBatch, start: int = 0
) -> list[list[np.ndarray]]:
    """Return the positions of each batch of each rank."""
    plans = [BatchPlan(rows * world, rank, world, last) for rank in range(world)]
    assert {plan.rank_batch_size for plan in plans} == {rows}
    return [list(plan.iter_positions(samples, start)) for plan in plans]


@given(SIZES, st.integers(1, 9), st.integers(1, 8), st.sampled_from(["drop", "pad"]))
def test_ranks_get_as_many_batches_and_nothing_twice(
    samples: int, batch: int, world: int, last: LastBatch
) -> None:
    ranks = list_positions(samples, batch, world, last)
    assert len({len(batches) for batches in ranks}) == 1
    assert all(len(positions) == batch for batches in ranks for positions in batches)
    together = [positions for step in zip(*ranks, strict=True) for positions in step]
    joined = np.concatenate(together) if together else np.empty(0)
    assert joined.tolist() == list(range(len(joined)))
    rest = samples - len(joined)
    assert 0 <= rest < batch * world if last == "drop" else -batch * world < rest <= 0


@given(SIZES, st.integers(1, 9), st.integers(1, 8), st.data())
def test_other_ranks_go_on_where_some_stopped(
    samples: int, batch: int, world: int, data: st.DataObject
) -> None:
    plan = BatchPlan(batch * world, 0, world)
    done = data.draw(st.integers(0, plan.count_batches(samples)))
    whole = np.arange(plan.count_batches(samples) * plan.batch_size)
    ranks = data.draw(st.sampled_from([n for n in range(1, plan.batch_size + 1) if plan.batch_size % n == 0]))
    rest = list_positions(samples, plan.batch_size // ranks, ranks, "drop", done * plan.batch_size)
    joined = [positions for step in zip(*rest, strict=True) for positions in step]
    assert np.concatenate([np.empty(0), *joined]).tolist() == whole[done * plan.batch_size :].tolist()


def test_the_last_batch_may_be_shorter_for_one_rank_alone() -> None:
    assert [len(positions) for positions in list_positions(10, 4, 1, "short")[0]] == [4, 4, 2]
    with pytest.raises(InvalidInputError, match="last_batch='short' would give several ranks unequal"):
        BatchPlan(4, 0, 2, "short")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((0,), "batch_size 0: must be at least 1"),
        ((4, 2, 2), "rank 2 of 2: must be from 0 to 1"),
        ((4, 0, 1, "cut"), "last_batch 'cut': use one of drop, pad, short"),
        ((7, 0, 2), "batch_size 7: 2 ranks cannot share it evenly; use 8"),
        ((10, 1, 4), "batch_size 10: 4 ranks cannot share it evenly; use 8"),
        ((1, 0, 3), "batch_size 1: 3 ranks cannot share it evenly; use 3"),
        ((0, 3, 2, "cut"), "batch_size 0: .*; rank 3 of 2: .*; last_batch 'cut'"),
    ],
)
def test_impossible_plans_are_refused(arguments: tuple, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        BatchPlan(*arguments)


@given(st.integers(1, 40), st.integers(1, 9))
def test_rows_are_shared_out_evenly(rows: int, workers: int) -> None:
    parts = split_rows(rows, workers)
    assert [n for part in parts for n in range(rows)[part]] == list(range(rows))
    sizes = [len(range(rows)[part]) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) == min(rows, workers)
