from hypothesis import strategies as st

from turntable.datasets import ObjectRecord
from turntable.datasets.files import JsonFields
from turntable.datasets.objects import plan_shards

sizes = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def objects_of(category_sizes: list[int]) -> dict[str, str]:
    return {f"c{c}/{n}": f"c{c}" for c, size in enumerate(category_sizes) for n in range(size)}


def records_of(count: int) -> list[ObjectRecord]:
    return [
        ObjectRecord(f"c/{n}", "c", "val" if n % 5 == 0 else "train", "zoo", "0" * 64) for n in range(count)
    ]


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
    assert ObjectRecord.from_fields(JsonFields({**record.to_dict(), "more": 1})) == record
    assert record.to_dict()["key"] == "c-0"
