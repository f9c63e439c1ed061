import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from turntable.datasets.objects import ObjectRecord, plan_shards, split_objects

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def objects_of(category_sizes: list[int]) -> dict[str, str]:
    return {f"c{c}/{n}": f"c{c}" for c, size in enumerate(category_sizes) for n in range(size)}


def records_of(count: int) -> list[ObjectRecord]:
    return [
        ObjectRecord(f"c/{n}", "c", "val" if n % 5 == 0 else "train", "zoo", "0" * 64) for n in range(count)
    ]


@given(sizes, st.floats(0.01, 0.99), st.integers(0, 3))
def test_every_category_of_two_has_one_in_each_split(
    category_sizes: list[int], share: float, seed: int
) -> None:
    categories = objects_of(category_sizes)
    splits = split_objects(categories, share, seed)
    assert list(splits) == list(categories)
    for number, size in enumerate(category_sizes):
        counts = Counter(split for name, split in splits.items() if categories[name] == f"c{number}")
        if size == 1:
            assert counts == {"train": 1}
        else:
            assert set(counts) == {"train", "val"}
            assert abs(counts["val"] - share * size) <= 1


def test_split_depends_on_ids_not_order() -> None:
    categories = objects_of([9, 30, 2])
    shuffled = list(categories.items())
    random.Random(3).shuffle(shuffled)
    assert split_objects(dict(shuffled), 0.2, 7) == split_objects(categories, 0.2, 7)
    assert split_objects(categories, 0.2, 7) != split_objects(categories, 0.2, 8)


def test_no_fraction_holds_nothing_out() -> None:
    assert set(split_objects(objects_of([5]), 0.0, 0).values()) == {"train"}


def test_plan_holds_every_object_once_in_its_split() -> None:
    records = records_of(53)
    plans = plan_shards(records, 8, shuffle_seed=1)
    assert sorted((item for plan in plans for item in plan.objects), key=lambda item: item.id) == sorted(
        records, key=lambda item: item.id
    )
    assert all(item.split == plan.split for plan in plans for item in plan.objects)
    assert [(plan.split, plan.name, len(plan.objects)) for plan in plans] == [
        *(("train", f"shard-{n:06d}", 8) for n in range(5)),
        ("train", "shard-000005", 2),
        ("val", "shard-000000", 8),
        ("val", "shard-000001", 3),
    ]


def test_plan_is_a_shuffle_that_order_does_not_change() -> None:
    records = records_of(40)
    plan = plan_shards(records, 100, shuffle_seed=1)
    assert plan_shards(reversed(records), 100, shuffle_seed=1) == plan
    assert plan_shards(records, 100, shuffle_seed=2) != plan
    assert [item.id for item in plan[0].objects] != [item.id for item in records if item.split == "train"]


def test_records_come_back_from_their_table() -> None:
    record = records_of(1)[0]
    assert ObjectRecord.from_dict({**record.to_dict(), "more": 1}) == record
    assert record.to_dict()["key"] == "c-0"
