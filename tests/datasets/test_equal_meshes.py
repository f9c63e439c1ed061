from turntable.datasets import ObjectRecord
from turntable.datasets.objects import DuplicateCounts, count_duplicates


def record(name: str, mesh: str, category: str = "chair", split: str = "train") -> ObjectRecord:
    return ObjectRecord(name, category, split, "folder", mesh)


def test_objects_that_share_a_mesh_are_counted():
    records = [
        record("a", "1"),
        record("b", "1"),
        record("c", "2"),
        record("d", "2", category="sofa"),
        record("e", "2", split="val"),
        record("f", "3"),
        record("g", ""),
        record("h", ""),
    ]
    assert count_duplicates(records) == DuplicateCounts(
        num_objects=5, num_meshes=2, num_conflicting=3, num_divided=3
    )
    assert count_duplicates(records[5:]) == DuplicateCounts(0, 0, 0, 0)
