"""Files that spreadsheets and editors wrote are read: byte-order marks, CRLF, UTF-16, blanks."""

import json

import numpy as np
import pytest

from turntable.datasets import Recipe, load_recipe
from turntable.datasets.files import parse_json, read_user_text
from turntable.datasets.objects import read_lists, read_split
from turntable.datasets.recipes import read_shipped_recipe
from turntable.errors import InvalidInputError, RecipeError

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_text_of_any_editor_is_read(tmp_path, encoding, line_end):
    path = tmp_path / "text"
    path.write_bytes(line_end.join(["größe", "b", ""]).encode(encoding))
    assert read_user_text(path, 100) == "größe\nb\n"


def test_files_that_are_no_text_are_refused_with_the_place(tmp_path):
    path = tmp_path / "text"
    path.write_bytes("größe".encode("latin-1"))
    with pytest.raises(InvalidInputError, match=r"text: not a text file in UTF-8 \(.* at byte 2\); save it"):
        read_user_text(path, 100)
    with pytest.raises(InvalidInputError, match=r"text: larger than 3 bytes"):
        read_user_text(path, 3)
    with pytest.raises(InvalidInputError, match=r"absent: cannot be read"):
        read_user_text(tmp_path / "absent", 3)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_recipe_of_any_editor_is_read(tmp_path, encoding):
    path = tmp_path / "mine.toml"
    path.write_bytes(read_shipped_recipe("zoo").replace("\n", "\r\n").encode(encoding))
    assert load_recipe(path) == load_recipe("zoo")
    assert Recipe.from_toml("\ufeff" + read_shipped_recipe("zoo")) == load_recipe("zoo")


def test_a_recipe_that_is_not_text_names_its_file(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(RecipeError, match=r"recipe .*mine\.toml: not a text file in UTF-8"):
        load_recipe(tmp_path / "mine.toml")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_with_a_mark_is_read(encoding):
    data = json.dumps({"a": "ü"}, ensure_ascii=False).encode(encoding)
    assert parse_json(data) == parse_json(data.decode(encoding)) == {"a": "ü"}
    assert parse_json('\ufeff{"a": "ü"}') == {"a": "ü"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_list_of_objects_of_any_editor_is_read(tmp_path, encoding):
    path = tmp_path / "objects.txt"
    path.write_bytes("02691156/a\r\n 02958343/b \r\n\r\n".encode(encoding))
    assert read_lists([path], 1) == (("02691156/a", "02958343/b"),)


@pytest.mark.parametrize(
    "rows",
    [
        np.array(["\ufeff/02691156/a", "/02958343/b\r"]),
        np.array([["\ufeff02691156", " a"], ["02958343", "b "]]),
        np.array(["\ufeff/02691156/a".encode(), b"/02958343/b\r"]),
    ],
    ids=["texts", "rows", "bytes"],
)
def test_arrays_made_of_a_text_file_with_a_mark_are_read(tmp_path, rows):
    np.save(tmp_path / "val_images.npy", rows)
    assert read_split([tmp_path / "val_images.npy"]) == {"02691156/a": "val", "02958343/b": "val"}
    assert read_lists([tmp_path / "val_images.npy"], 1) == (("02691156/a", "02958343/b"),)
