"""Tests of the root of the search for files: nothing outside is opened, and it is listed once."""

import os

import pytest

from tests.support.textured_objects import RED, load, write_image, write_object
from turntable.renderer.meshes import Limits
from turntable.renderer.meshes.sources import FolderSource, load_mesh


@pytest.mark.parametrize("name", ["../outside/oak.png", "{out}/oak.png", "../../oak.png", "/etc/passwd"])
def test_what_lies_outside_is_not_opened_and_said_to_lie_there(tmp_path, name):
    write_image(tmp_path / "outside/oak.png")
    write_object(tmp_path / "set/a.obj", name.format(out=tmp_path / "outside"))
    mesh = load_mesh(FolderSource(tmp_path / "set"), "a")
    (warning,) = mesh.warnings
    assert warning.kind == "file-outside"
    assert "lies outside --meshes and is not opened" in warning.detail
    assert mesh.materials[-1].texture is None


@pytest.mark.parametrize("link", ["oak.png", "tex", "OAK.png"])
def test_links_that_leave_the_root_are_not_followed(tmp_path, link):
    write_image(tmp_path / "outside/oak.png")
    root = tmp_path / "set"
    write_object(root / "a.obj", "tex/oak.png" if link == "tex" else "oak.png")
    target = tmp_path / "outside" if link == "tex" else tmp_path / "outside/oak.png"
    (root / link).symlink_to(target)
    assert load(root, "a") == (None, ["file-outside"])


def test_links_that_stay_inside_are_followed(tmp_path):
    write_image(tmp_path / "store/oak.png")
    write_object(tmp_path / "c/a.obj", "oak.png")
    (tmp_path / "c/oak.png").symlink_to("../store/oak.png")
    assert load(tmp_path, "c/a") == (RED, [])


def test_the_search_opens_no_folder_outside_the_root(tmp_path, monkeypatch):
    write_image(tmp_path / "outside/oak.png")
    root = tmp_path / "set"
    (root / "c/tex").mkdir(parents=True)
    scanned, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: scanned.append(str(path)) or scandir(path))
    for name in ("../OUTSIDE/oak.png", "tex/../../outside/OAK.png", f"{tmp_path}/Outside/oak.png"):
        write_object(root / "c/a.obj", name)
        assert load(root, "c/a")[0] is None
    assert scanned
    assert [path for path in scanned if not path.startswith(str(root))] == []


def test_a_root_of_too_many_files_is_searched_around_the_object_alone(tmp_path):
    write_image(tmp_path / "textures/oak.png")
    write_image(tmp_path / "c/deep/elm.png")
    write_object(tmp_path / "c/a.obj", "oak.png")
    write_object(tmp_path / "c/b.obj", "elm.png")
    few = Limits(listed_entries=8)
    assert load(tmp_path, "c/a") == (RED, ["file-elsewhere"])
    assert load(tmp_path, "c/a", limits=few) == (None, ["file-missing"])
    (warning,) = load_mesh(FolderSource(tmp_path, limits=few), "c/a").warnings
    assert "too many files to search" in warning.detail
    assert load(tmp_path, "c/b", limits=few) == (RED, ["file-elsewhere"])


def test_a_root_is_listed_once_for_all_objects(tmp_path, monkeypatch):
    for number in range(20):
        write_object(tmp_path / f"c{number}/a.obj", f"oak{number}.png")
        write_image(tmp_path / f"textures/oak{number}.png")
    scanned, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: scanned.append(str(path)) or scandir(path))
    assert {load(tmp_path, f"c{number}/a")[0] for number in range(20)} == {RED}
    monkeypatch.undo()
    # The tree once, and once more the folder of each object, to look for its name in another case.
    assert len(scanned) == 22 + 20


def test_a_new_listing_of_the_objects_sees_new_files(tmp_path):
    source = FolderSource(tmp_path)
    write_object(tmp_path / "c/a.obj", "oak.png")
    assert source.load("c/a").materials[-1].texture is None
    write_image(tmp_path / "textures/oak.png")
    source.list_objects()
    assert source.load("c/a").materials[-1].texture is not None
