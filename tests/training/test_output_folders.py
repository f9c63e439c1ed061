"""Folders that a run must not be written to, and a run's folder that a data set must not be written to."""

import json

import pytest

from turntable.datasets import load_recipe
from turntable.errors import InvalidInputError
from turntable.renderer import generate
from turntable.renderer.meshes.sources import ZooSource
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import train


@pytest.fixture
def own_set(tmp_path):
    make_synthetic_dataset(tmp_path / "set")
    return tmp_path / "set"


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("set", "set is a data set; give a folder of its own for the run"),
        ("set/train", r"set/train lies in .*set, which is a data set"),
        ("set/runs/a", r"set/runs/a lies in .*set, which is a data set; .* such as runs/a .--out"),
    ],
)
def test_a_data_set_is_no_place_for_a_run(toy_config, own_set, tmp_path, out, words):
    before = content(own_set)
    with pytest.raises(InvalidInputError, match=words):
        train(toy_config(own_set), tmp_path / out)
    assert content(own_set) == before


def test_a_link_into_a_data_set_is_seen_through_and_a_way_out_of_one_is_free(toy_config, own_set, tmp_path):
    (tmp_path / "link").symlink_to(own_set / "train")
    with pytest.raises(InvalidInputError, match="which is a data set"):
        train(toy_config(own_set), tmp_path / "link" / "run")
    train(toy_config(own_set), own_set / ".." / "run")
    assert (tmp_path / "run" / "weights.pt").exists()


def test_a_data_set_in_the_making_is_no_place_either(toy_config, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("plan.json", "journal-1-of-2.jsonl"):
        (tmp_path / "out" / name).write_text("{}")
    with pytest.raises(InvalidInputError, match="out is a data set"):
        train(toy_config(), tmp_path / "out")


def test_a_folder_with_other_files_is_refused_with_their_names(toy_config, tmp_path):
    for name in ("thesis.tex", "a", "b", "c\x1b[2J"):
        (tmp_path / name).write_text("mine")
    with pytest.raises(
        InvalidInputError, match=r"is not empty \(a, b, c\\x1b\[2J and 1 more\) and holds no run"
    ):
        train(toy_config(), tmp_path)
    assert len(content(tmp_path)) == 4


def test_a_file_is_no_folder(toy_config, tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(InvalidInputError, match="run is a file; give a new folder"):
        train(toy_config(), tmp_path / "run")


def test_an_empty_folder_and_what_a_killed_run_left_are_fine(toy_config, tmp_path):
    for name in ("run.lock", ".config.json.1234.tmp"):
        (tmp_path / name).write_text("")
    assert (train(toy_config(), tmp_path) / "weights.pt").exists()


def test_a_manifest_of_something_else_is_no_data_set(toy_config, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"name": "a web app"}))
    assert (train(toy_config(), tmp_path / "runs" / "a") / "weights.pt").exists()


def test_a_run_is_no_place_for_a_data_set(toy_config, tmp_path):
    run = train(toy_config(), tmp_path / "run")
    before = content(run)
    with pytest.raises(
        InvalidInputError, match="run holds a training run; choose another --out for the data set"
    ):
        generate(load_recipe("zoo").replace(views=1, image_size_px=16), ZooSource(2), run)
    assert content(run) == before
