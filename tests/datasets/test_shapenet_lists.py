from pathlib import Path

import numpy as np
import pytest

from turntable.datasets import ObjectRecord
from turntable.datasets.files import JsonFields
from turntable.datasets.objects import EMPTY_CARS, find_stream_positions, make_shapenet_lists, read_lists
from turntable.datasets.objects.shapenet_lists import NUM_SHAPENET_V2_FOLDERS, cut_list, read_list
from turntable.errors import InvalidInputError

IDS = ("02691156/1a04", "02691156/u1f-2b", "02958343/3c33")


@pytest.mark.parametrize(
    "table",
    [
        np.array([id_.split("/") for id_ in IDS]),
        np.array([f"/{id_}" for id_ in IDS]),
        np.array(IDS),
        np.array([f"/{id_}".encode() for id_ in IDS]),
    ],
)
def test_lists_are_read_in_every_form_they_are_published_in(tmp_path: Path, table: np.ndarray) -> None:
    np.save(tmp_path / "all_objects.npy", table)
    assert read_list(tmp_path / "all_objects.npy") == IDS


def test_lists_of_text(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(f"/{id_} " for id_ in IDS) + "\n\n", encoding="utf-8")
    assert read_list(path) == IDS


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (np.array([["a", "b"]], dtype=object), "cannot be read as an array of text"),
        (np.zeros(3), "not a list of text"),
        (np.array([["a", "b", "c"]]), "3 columns, not the two"),
        (np.array(["a/b", "../../etc/passwd"]), r"entry 2 is '../../etc/passwd', not synset/id"),
        (np.array(["a"]), "entry 1 is 'a'"),
        (np.array([], dtype=str), "holds no object"),
    ],
)
def test_lists_that_are_none(tmp_path: Path, table: np.ndarray, words: str) -> None:
    path = tmp_path / "list.npy"
    np.save(path, table, allow_pickle=True)
    with pytest.raises(InvalidInputError, match=words):
        read_list(path)


def test_files_that_are_missing_or_damaged(tmp_path: Path) -> None:
    (tmp_path / "cut.npy").write_bytes(b"\x93NUMPY")
    (tmp_path / "not.txt").write_bytes(b"\xff")
    for name in ("cut.npy", "none.npy", "none.txt"):
        with pytest.raises(InvalidInputError, match=f"{name}: cannot be read"):
            read_list(tmp_path / name)
    with pytest.raises(InvalidInputError, match=r"not\.txt: not a text file in UTF-8 .*; give the lists"):
        read_list(tmp_path / "not.txt")


def test_chunks_come_from_files_a_folder_or_one_list(tmp_path: Path) -> None:
    for number, id_ in enumerate(IDS):
        np.save(tmp_path / f"all_objects_chunk_{number}.npy", np.array([id_]))
    np.save(tmp_path / "all.npy", np.array(IDS))
    expected = tuple((id_,) for id_ in IDS)
    assert read_lists([tmp_path], 3) == expected
    assert read_lists([tmp_path / f"all_objects_chunk_{n}.npy" for n in range(3)], 3) == expected
    assert read_lists([tmp_path / "all.npy"], 3) == expected
    with pytest.raises(InvalidInputError, match="2 lists of objects for 3 chunks"):
        read_lists([tmp_path / "all.npy"] * 2, 3)
    with pytest.raises(InvalidInputError, match=r"all_objects_chunk_3\.npy: cannot be read"):
        read_lists([tmp_path], 4)


@pytest.mark.parametrize(("length", "chunks"), [(52_491, 12), (7, 3), (3, 5), (12, 12), (5, 1)])
def test_lists_are_cut_as_numpy_cuts(length: int, chunks: int) -> None:
    ids = [str(n) for n in range(length)]
    assert [list(chunk) for chunk in cut_list(ids, chunks)] == [
        part.tolist() for part in np.array_split(np.array(ids), chunks)
    ]


def test_places_count_the_objects_that_took_numbers() -> None:
    lists = [("a/1", EMPTY_CARS[0], "a/2"), (EMPTY_CARS[1], "b/1", "b/2")]
    assert find_stream_positions(lists, 40) == {
        "a/1": (40, 0),
        "a/2": (40, 1),
        "b/1": (41, 0),
        "b/2": (41, 1),
    }
    with pytest.raises(InvalidInputError, match="a/1 is in the lists of objects twice"):
        find_stream_positions([("a/1",), ("a/1",)], 0)


def test_a_whole_shapenet_stands_in_for_the_lists() -> None:
    assert len(set(EMPTY_CARS)) == 19
    assert list(EMPTY_CARS) == sorted(EMPTY_CARS)
    found = [f"{number % 55:08d}/{number:032x}" for number in range(NUM_SHAPENET_V2_FOLDERS - 19)]
    lists = make_shapenet_lists(reversed(found), 12)
    whole = [id_ for part in lists for id_ in part]
    assert len(lists) == 12
    assert whole == sorted([*found, *EMPTY_CARS])
    assert make_shapenet_lists([*found, *EMPTY_CARS], 12) == lists
    places = find_stream_positions(lists, 0)
    assert len(places) == 52_472
    assert {seed for seed, _ in places.values()} == set(range(12))
    with pytest.raises(
        InvalidInputError, match=r"52,491 objects .* but there are 52,490 here.*: give the lists"
    ):
        make_shapenet_lists(found[1:], 1)


def test_an_object_remembers_its_place() -> None:
    record = ObjectRecord("a/1", "a", "train", "shapenet", "0" * 64, stream=(3, 14))
    table = record.to_dict()
    assert table["stream"] == [3, 14]
    assert ObjectRecord.from_fields(JsonFields(table)) == record
    plain = ObjectRecord("a/1", "a", "train", "shapenet", "0" * 64)
    assert "stream" not in plain.to_dict()
    assert ObjectRecord.from_fields(JsonFields(plain.to_dict())) == plain
