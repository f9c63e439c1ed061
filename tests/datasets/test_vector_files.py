"""Vectors of a split in plain files: what is written comes back, and what is wrong is refused."""

import hashlib
import json
import pickle

import numpy as np
import pytest

from turntable.datasets import ViewVectors, digest_ids, read_vectors, write_vectors
from turntable.errors import IntegrityError, InvalidInputError

VALUES = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
FINGERPRINT = "f" * 64
WORDS = ("val", "equivariant", "sie", FINGERPRINT, digest_ids(["chair/1", "chair/2"]))


def vectors(values=VALUES, **changes):
    names = ("split", "part", "method", "fingerprint", "objects")
    return ViewVectors(values, **{**dict(zip(names, WORDS, strict=True)), **changes})


@pytest.fixture
def folder(tmp_path):
    return write_vectors(tmp_path / "vectors", vectors())


def restated(folder, **changes):
    """Rewrite the description with other values; None leaves one out."""
    path = folder / "vectors.json"
    table = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in table.items() if value is not None}))


def test_what_is_written_comes_back_mapped_and_read_only(folder):
    found = read_vectors(folder, FINGERPRINT, verify=True)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.values.dtype == np.float32
    assert (found.split, found.part, found.method, found.fingerprint, found.objects) == WORDS
    assert not found.values.flags.writeable
    assert not found.values.flags.owndata


def test_the_array_is_plain_and_its_digest_stands_beside_it(folder):
    np.testing.assert_array_equal(np.load(folder / "vectors.npy", allow_pickle=False, mmap_mode="r"), VALUES)
    stated = json.loads((folder / "vectors.json").read_text())
    assert stated["sha256"] == hashlib.sha256((folder / "vectors.npy").read_bytes()).hexdigest()
    assert stated["shape"] == [2, 3, 4]


@pytest.mark.parametrize(
    "values", [VALUES.astype(">f8"), np.asfortranarray(VALUES), VALUES[:, ::1, ::-1][..., ::-1]]
)
def test_any_array_of_numbers_becomes_the_same_file(folder, tmp_path, values):
    other = write_vectors(tmp_path / "other", vectors(values))
    assert (other / "vectors.npy").read_bytes() == (folder / "vectors.npy").read_bytes()


def test_vectors_are_written_over_others(folder):
    write_vectors(folder, vectors(VALUES[:1] + 1, part="invariant"))
    found = read_vectors(folder, verify=True)
    np.testing.assert_array_equal(found.values, VALUES[:1] + 1)
    assert found.part == "invariant"
    assert sorted(path.name for path in folder.iterdir()) == ["vectors.json", "vectors.npy"]


def test_a_writing_that_is_cut_off_leaves_no_description_of_another_array(folder, monkeypatch):
    def full(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("turntable.datasets.vector_files.write_array", full)
    with pytest.raises(KeyboardInterrupt):
        write_vectors(folder, vectors(VALUES + 1))
    with pytest.raises(InvalidInputError, match="there are no vectors"):
        read_vectors(folder)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"values": VALUES[0]}, "give \\[N, V, D\\]"),
        ({"values": VALUES[:0]}, "give \\[N, V, D\\]"),
        ({"values": VALUES + np.nan}, "NaN or infinity"),
        ({"part": "../up"}, "use names of letters"),
        ({"split": ""}, "use names of letters"),
        ({"fingerprint": "abc"}, "64 hexadecimal digits"),
        ({"objects": "abc"}, "64 hexadecimal digits"),
        ({"method": "a\x1bb"}, "printable"),
        ({"method": "a" * 201}, "printable"),
    ],
)
def test_vectors_that_cannot_be_right_are_not_written(tmp_path, wrong, words):
    with pytest.raises(InvalidInputError, match=words):
        write_vectors(tmp_path / "vectors", vectors(**wrong))
    assert not (tmp_path / "vectors").exists()


def test_a_folder_without_vectors_says_how_to_make_some(tmp_path):
    with pytest.raises(InvalidInputError, match="evaluate RUN DATASET --vectors"):
        read_vectors(tmp_path)


def test_vectors_of_another_data_set_are_refused(folder):
    with pytest.raises(IntegrityError, match=r"vectors of another data set .*--vectors on this one"):
        read_vectors(folder, "e" * 64)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format_version": 2}, "format_version is 2; this version reads 1"),
        ({"split": None}, "split is missing"),
        ({"part": "../up"}, "part is"),
        ({"method": 3}, "method is 3"),
        ({"fingerprint": "F" * 64}, "fingerprint is"),
        ({"shape": [2, 3]}, "shape is a list"),
        ({"shape": [2, 3, 0]}, "shape.2 is 0"),
        ({"shape": [2, 3, 5]}, "holds float32 \\(2, 3, 4\\), vectors.json says float32 \\(2, 3, 5\\)"),
        ({"shape": [2, 10**6, 4]}, "views"),
        ({"sha256": "no"}, "sha256 is"),
        ({"more": 1}, "unknown: more"),
    ],
)
def test_a_description_that_cannot_be_right_is_refused(folder, changes, words):
    restated(folder, **changes)
    with pytest.raises(IntegrityError, match=words) as refused:
        read_vectors(folder)
    assert "write the vectors again" in str(refused.value)


@pytest.mark.parametrize("text", ["", "[1]", "{", "[" * 10_000, '{"shape": NaN}'])
def test_a_description_of_nothing_is_refused(folder, text):
    (folder / "vectors.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"vectors\.json: "):
        read_vectors(folder)


def saved(array, **how):
    def save(path):
        with path.open("wb") as file:
            np.save(file, array, **how)

    return save


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(path.read_bytes() + b"\0"),
        lambda path: path.write_bytes(pickle.dumps(VALUES)),
        saved(VALUES.astype(object), allow_pickle=True),
        saved(VALUES.astype(np.float64)),
        saved(VALUES.astype(">f4")),
        saved(np.asfortranarray(VALUES)),
        saved(VALUES[0]),
    ],
    ids=range(10),
)
def test_an_array_that_is_not_what_was_written_is_refused(folder, damage):
    damage(folder / "vectors.npy")
    with pytest.raises(IntegrityError, match=r"vectors\.npy: .*write the vectors again"):
        read_vectors(folder)


def test_one_wrong_number_is_found_where_it_is_looked_for(folder):
    path = folder / "vectors.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert read_vectors(folder).values.shape == VALUES.shape
    with pytest.raises(IntegrityError, match="not those that were written"):
        read_vectors(folder, verify=True)


@pytest.mark.parametrize("name", ["vectors.npy", "vectors.json"])
def test_a_link_that_leads_out_is_followed_only_where_that_is_allowed(folder, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (folder / name).rename(tmp_path / "elsewhere" / name)
    (folder / name).symlink_to(tmp_path / "elsewhere" / name)
    with pytest.raises(IntegrityError, match="a link that leads out"):
        read_vectors(folder)
    found = read_vectors(folder, verify=True, links_under=[tmp_path / "elsewhere"])
    np.testing.assert_array_equal(found.values, VALUES)


def test_a_pipe_is_no_file(folder):
    import os

    (folder / "vectors.npy").unlink()
    os.mkfifo(folder / "vectors.npy")
    with pytest.raises(IntegrityError, match="no ordinary file"):
        read_vectors(folder)


def test_the_order_of_objects_changes_their_digest():
    assert digest_ids(["a", "b"]) != digest_ids(["b", "a"]) != digest_ids(["ba"])
