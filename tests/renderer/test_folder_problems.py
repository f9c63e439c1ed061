"""Tests of folders as people have them: linked, unreadable, in other encodings. Nothing is silent."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.support import with_tests
from tests.support.meshes import CUBE_OBJ, write_glb, write_shapenet_object
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer.meshes.sources import (
    FolderSource,
    ZooSource,
    find_folder_problems,
    load_mesh,
    open_source,
)
from turntable.renderer.meshes.sources.objaverse import ObjaverseSource
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def write(path, text=TRIANGLE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_bytes_path(folder, name):
    write(folder / os.fsdecode(name))


def ids(source):
    return [item.id for item in source.list_objects()]


def problems(source):
    return [(warning.kind, warning.file) for warning in find_folder_problems(source)]


# Links.


def test_a_linked_category_is_listed_once_by_its_shortest_path(tmp_path):
    write(tmp_path / "store/2024/chairs/a.obj")
    (tmp_path / "chairs").symlink_to("store/2024/chairs")
    (tmp_path / "again").symlink_to(tmp_path / "store/2024/chairs")
    source = FolderSource(tmp_path)
    assert [(item.id, item.category) for item in source.list_objects()] in (
        [("again/a", "again")],
        [("chairs/a", "chairs")],
    )
    for name in ("chairs/a", "again/a", "store/2024/chairs/a"):
        assert len(load_mesh(source, name).triangles) == 1
    assert problems(source) == []


def test_a_folder_comes_before_links_to_it(tmp_path):
    write(tmp_path / "z/a.obj")
    (tmp_path / "a").symlink_to("z")
    (tmp_path / "z/circle").symlink_to(tmp_path)
    (tmp_path / "z/itself").symlink_to("itself")
    assert ids(FolderSource(tmp_path)) == ["z/a"]


def test_a_root_that_is_a_link_is_a_root(tmp_path):
    write(tmp_path / "real/c/a.obj", "mtllib a.mtl\n" + TRIANGLE.replace("f 1", "usemtl m\nf 1"))
    write(tmp_path / "real/c/a.mtl", "newmtl m\nmap_Kd none.png\n")
    (tmp_path / "link").symlink_to("real")
    source = FolderSource(tmp_path / "link")
    assert ids(source) == ["c/a"]
    mesh = source.load("c/a")
    assert [warning.file for warning in mesh.warnings] == ["c/a.obj"]
    assert source.compute_digest("c/a", mesh) == FolderSource(tmp_path / "real").compute_digest("c/a", mesh)


def test_links_that_lead_outside_are_not_followed_and_named(tmp_path):
    write(tmp_path / "outside/b.obj")
    write(tmp_path / "set/c/a.obj")
    (tmp_path / "set/chairs").symlink_to(tmp_path / "outside")
    (tmp_path / "set/c/gone").symlink_to("nothing")
    (tmp_path / "set/c/gone.obj").symlink_to("nothing.obj")
    source = FolderSource(tmp_path / "set")
    assert ids(source) == ["c/a"]
    assert sorted(problems(source)) == [
        ("folder-outside", "chairs"),
        ("folder-unreadable", "c/gone"),
        ("folder-unreadable", "c/gone.obj"),
    ]
    with pytest.raises(MeshError, match="outside") as caught:
        load_mesh(source, "chairs/b")
    assert caught.value.reason == "outside"


@pytest.mark.parametrize("level", ["02691156", "02691156/a"])
def test_links_in_shapenet(tmp_path, level):
    for place in ("outside", "set/.store"):
        write_shapenet_object(tmp_path / place, "02691156/a")
    root = tmp_path / "set"
    write_shapenet_object(root, "02691156/b" if level.endswith("a") else "03001627/b")
    (root / level).symlink_to(root / ".store" / level)
    source = ShapeNetSource(root)
    assert "02691156/a" in ids(source)
    assert source.load("02691156/a").materials[1].texture is not None
    assert problems(source) == []
    (root / level).unlink()
    (root / level).symlink_to(tmp_path / "outside" / level)
    assert len(ids(source)) == 1
    assert problems(source) == [("folder-outside", level)]
    with pytest.raises(MeshError, match="outside"):
        source.load("02691156/a")


def test_links_among_scanned_objects(tmp_path):
    write(tmp_path / "outside/meshes/model.obj", CUBE_OBJ)
    write(tmp_path / "set/Shoe/meshes/model.obj", CUBE_OBJ)
    (tmp_path / "set/Boot").symlink_to("Shoe")
    (tmp_path / "set/Hat").symlink_to("../outside")
    source = open_source("gso", tmp_path / "set")
    assert ids(source) == ["Boot", "Shoe"]
    assert problems(source) == [("folder-outside", "Hat")]


# Permissions. Tests may run as root, for whom everything is readable.


@pytest.fixture
def forbid(monkeypatch):
    """A function after which a folder or file cannot be read."""

    def forbid(*paths):
        names, scandir, access = {str(path) for path in paths}, os.scandir, os.access

        def refuse(path="."):
            if str(path) in names:
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        monkeypatch.setattr(os, "access", lambda path, mode: str(path) not in names and access(path, mode))

    return forbid


def test_folders_and_files_that_cannot_be_read_are_named(tmp_path, forbid):
    write(tmp_path / "a/a.obj")
    write(tmp_path / "b/b.obj")
    write(tmp_path / "c/c.obj")
    forbid(tmp_path / "b", tmp_path / "c/c.obj")
    source = FolderSource(tmp_path)
    assert ids(source) == ["a/a", "c/c"]
    assert problems(source) == [("folder-unreadable", "b"), ("folder-unreadable", "c/c.obj")]
    assert "Permission denied" in str(find_folder_problems(source)[0])


def test_a_root_that_cannot_be_read_is_an_error(tmp_path, forbid):
    write(tmp_path / "a/a.obj")
    forbid(tmp_path)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        ids(FolderSource(tmp_path))


def test_models_of_shapenet_that_cannot_be_read_are_named(tmp_path, forbid):
    write_shapenet_object(tmp_path, "02691156/a")
    write_shapenet_object(tmp_path, "03001627/b")
    forbid(tmp_path / "02691156/a", tmp_path / "03001627")
    source = ShapeNetSource(tmp_path)
    assert problems(source) == [("folder-unreadable", "03001627"), ("folder-unreadable", "02691156/a")]
    assert ids(source) == ["02691156/a"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_gets_what_he_may_read(tmp_path):
    for name in ("a/a.obj", "b/b.obj", "c/c.obj"):
        write(tmp_path / name)
    write_shapenet_object(tmp_path / "shapenet", "02691156/a")
    write_shapenet_object(tmp_path / "shapenet", "02691156/b")
    (tmp_path / "b").chmod(0)
    (tmp_path / "c/c.obj").chmod(0)
    (tmp_path / "shapenet/02691156/b").chmod(0)
    for path in (tmp_path, *tmp_path.parents):
        if str(path).startswith("/tmp/pytest"):
            path.chmod(0o755)
    code = f"""
import os
from pathlib import Path
from turntable.renderer.meshes.sources import FolderSource, find_folder_problems, load_mesh
from turntable.renderer.meshes.sources.shapenet import ShapeNetSource
from turntable.errors import MeshError
os.setuid(65534)
root = Path({str(tmp_path)!r})
for source in (FolderSource(root), ShapeNetSource(root / "shapenet")):
    print([item.id for item in source.list_objects()])
    print([(warning.kind, warning.file) for warning in find_folder_problems(source)])
try:
    load_mesh(FolderSource(root), "c/c")
except MeshError as error:
    print(error.reason, "Permission denied" in str(error), flush=True)
os._exit(0)  # what counts the lines of tests may not write as this user
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=with_tests(), check=False
    )
    for path in (tmp_path / "b", tmp_path / "shapenet/02691156/b"):
        path.chmod(0o755)
    assert done.stderr == ""
    listed, told, shapenet, shapenet_told, refused = done.stdout.splitlines()
    assert listed == "['a/a', 'c/c', 'shapenet/02691156/a/models/model_normalized']"
    assert "('folder-unreadable', 'b')" in told
    assert "('folder-unreadable', 'c/c.obj')" in told
    assert shapenet == "['02691156/a']"
    assert shapenet_told == "[('folder-unreadable', '02691156/b')]"
    assert refused == "unreadable True"


# Names.


def test_names_in_latin_1_are_read(tmp_path):
    write_bytes_path(tmp_path, b"b\xe4r.obj")
    write_bytes_path(tmp_path, b"m\xf6bel/st\xfchle/a.obj")
    write(tmp_path / "grün/é.obj")
    source = FolderSource(tmp_path)
    assert ids(source) == ["bär", "grün/é", "möbel/stühle/a"]
    assert [item.category for item in source.list_objects()] == ["unsorted", "grün", "möbel"]
    for name in ids(source):
        mesh = load_mesh(source, name)
        assert len(source.compute_digest(name, mesh)) == 64
        assert source.find_mesh_file(name).is_file()
        source.get_license(name)
    assert problems(source) == []


def test_files_beside_a_mesh_in_a_latin_1_folder_are_read(tmp_path):
    write_shapenet_object(tmp_path, "x/a")
    (tmp_path / "x").rename(tmp_path / os.fsdecode(b"\xe4"))
    mesh = load_mesh(FolderSource(tmp_path), "ä/a/models/model_normalized")
    assert mesh.warnings == ()
    assert mesh.materials[1].texture is not None


def test_of_two_names_that_are_one_the_latin_1_one_is_left_out(tmp_path):
    write_bytes_path(tmp_path, b"b\xe4r.obj")
    write(tmp_path / "bär.obj", TRIANGLE + "v 1 1 0\nf 2 3 4\n")
    source = FolderSource(tmp_path)
    assert ids(source) == ["bär"]
    assert len(source.load("bär").triangles) == 2
    assert problems(source) == [("name-undecodable", "bär.obj")]


def test_names_that_cannot_be_printed_are_named(tmp_path):
    write(tmp_path / "a.obj")
    write(tmp_path / "b\x1b[2J.obj")
    write_bytes_path(tmp_path, b"c\x85.obj")
    assert problems(FolderSource(tmp_path)) == [
        ("name-undecodable", "b\\x1b[2J"),
        ("name-undecodable", "c\\x85"),
    ]


def test_latin_1_names_of_other_sources(tmp_path):
    write(tmp_path / os.fsdecode(b"gso/B\xe4r/meshes/model.obj"), CUBE_OBJ)
    source = open_source("gso", tmp_path / "gso")
    assert ids(source) == ["Bär"]
    assert len(source.load("Bär").triangles) == 12
    written = write_glb(tmp_path / "ob/glbs/000-000/a.glb")
    written.rename(written.with_name(os.fsdecode(b"\xe4.GLB")))
    source = ObjaverseSource(tmp_path / "ob")
    assert ids(source) == ["ä"]
    assert len(source.load("ä").triangles) == 12


def test_suffixes_in_any_case(tmp_path):
    names = ["Bad.Obj", "b.OBJ", "c/d.oBj", "e.PLY", "f.PlY", "g.sTl", "h.Off"]
    for name in names:
        write(tmp_path / name)
    write_glb(tmp_path / "i.glb").rename(tmp_path / "i.gLB")
    source = FolderSource(tmp_path)
    assert ids(source) == ["Bad", "b", "c/d", "e", "f", "g", "h", "i"]
    for name in ("Bad", "b", "c/d", "i"):
        assert len(load_mesh(source, name).triangles)
    for name in ids(source):
        assert source.find_mesh_file(name).is_file()
    write(tmp_path / "bad.oBJ")
    write(tmp_path / "Bad.obj")
    assert [name for name in ids(source) if "ad" in name] == ["Bad.Obj", "Bad.obj", "bad"]
    assert source.find_mesh_file("Bad.Obj").name == "Bad.Obj"


def test_shapenets_glb_files_in_any_case(tmp_path):
    write_glb(tmp_path / "airplane/aa.glb").rename(tmp_path / "airplane/aa.GLB")
    write_glb(tmp_path / "airplane/bb/bb.glb").rename(tmp_path / "airplane/bb/bb.Glb")
    source = ShapeNetSource(tmp_path)
    assert ids(source) == ["02691156/aa", "02691156/bb"]
    assert all(len(source.load(name).triangles) == 12 for name in ids(source))


def test_formats_that_are_not_read_are_counted(tmp_path):
    write(tmp_path / "a.obj")
    for name in ("b.fbx", "c.FBX", "d.dae", "e.ply.gz", "f.step", "._g.fbx", "h.png", "i.mtl", "j.blend1"):
        write(tmp_path / name)
    found = find_folder_problems(FolderSource(tmp_path))
    assert [(warning.kind, warning.file) for warning in found] == [
        ("format-unsupported", "d.dae"),
        ("format-unsupported", "b.fbx"),
        ("format-unsupported", "e.ply.gz"),
        ("format-unsupported", "f.step"),
    ]
    assert "2 files end in .fbx" in found[1].detail


def test_a_source_of_ones_own_has_no_problems_unless_it_has_a_root(tmp_path):
    assert find_folder_problems(ZooSource(3)) == ()

    class Own:
        root = tmp_path

    (tmp_path / "lost").symlink_to("/nowhere/at/all")
    assert problems(Own()) == [("folder-outside", "lost")]
    Own.root = str(tmp_path)
    assert find_folder_problems(Own()) == ()


def test_problems_without_end_are_counted(tmp_path):
    write(tmp_path / "a.obj")
    for number in range(150):
        (tmp_path / f"link{number}").symlink_to("/nowhere/at/all")
    found = find_folder_problems(FolderSource(tmp_path))
    assert len(found) == 101
    assert found[-1].detail == "and 50 more"


def test_duplicates_are_found_through_links_inside_the_root(tmp_path):
    from turntable.renderer.meshes.sources import find_duplicates

    write(tmp_path / "store/a.obj")
    (tmp_path / "c").mkdir()
    (tmp_path / "c/b.obj").symlink_to("../store/a.obj")
    source = FolderSource(tmp_path)
    assert find_duplicates(source, source.list_objects()) == (("c/b", "store/a"),)
    np.testing.assert_array_equal(source.load("c/b").positions, source.load("store/a").positions)
