from turntable.datasets import ObjectRecord
from turntable.datasets.objects import EqualMeshes, equal_meshes


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
    assert equal_meshes(records) == EqualMeshes(objects=5, meshes=2, conflicting=3, divided=3)
    assert equal_meshes(records[5:]) == EqualMeshes(0, 0, 0, 0)
