"""Tests of links that lead out of the folder of meshes, into folders that the user names for them."""

import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.support.meshes import write_glb, write_shapenet_object
from turntable import cli
from turntable.datasets import load_recipe
from turntable.datasets.draws import ObjectQuery
from turntable.errors import InvalidInputError, MeshError
from turntable.renderer.meshes.sources import (
    MeshSource,
    SymmetrySource,
    find_duplicates,
    find_folder_problems,
    load_mesh,
    open_source,
    survey_folder,
)
from turntable.renderer.online import take_inventory
from turntable.training import TrainConfig, make_demo_config

TRIANGLE = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nusemtl red\nf 1/1 2/2 3/3\n"
MTL = "newmtl red\nmap_Kd skin.png\n"
SYNSET = "02691156"
MODEL = f"{SYNSET}/10155655850468db78d106ce0a280f87"


def write_category(folder: Path, texture: str = "skin.png", mtl: str = MTL) -> Path:
    """A category of one mesh with a material and a texture; its folder."""
    (folder / texture).parent.mkdir(parents=True, exist_ok=True)
    (folder / "a.obj").write_text(TRIANGLE)
    (folder / "a.mtl").write_text(mtl)
    Image.new("RGB", (4, 4), (200, 30, 60)).save(folder / texture)
    return folder


def link(place: Path, target: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    return place


def ids(source: MeshSource) -> list[str]:
    return [item.id for item in source.list_objects()]


def digest(source: MeshSource, object_id: str) -> str:
    """The digest of an object that is read without a warning, with its texture."""
    mesh = load_mesh(source, object_id)
    assert mesh.warnings == ()
    assert any(material.texture is not None for material in mesh.materials)
    return source.compute_digest(object_id, mesh)


def digest_of_copy(name: str, root: Path, object_id: str) -> str:
    """The digest of an object in a copy of a folder without links, at another place."""
    copy = root.parent / "a/far/copy"
    shutil.copytree(root, copy)
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    return digest(open_source(name, copy), object_id)


def kinds(source: MeshSource) -> list[str]:
    return [warning.kind for warning in find_folder_problems(source)]


def test_a_linked_category_is_read_only_where_links_may_lead(tmp_path: Path) -> None:
    write_category(tmp_path / "disk/2024/chairs")
    write_category(tmp_path / "set/own")
    link(tmp_path / "set/chairs", tmp_path / "disk/2024/chairs")
    closed = open_source("folder", tmp_path / "set")
    assert ids(closed) == ["own/a"]
    (problem,) = find_folder_problems(closed)
    assert (problem.kind, problem.file) == ("folder-outside", "chairs")
    assert "--links-under" in problem.detail
    with pytest.raises(MeshError, match="--links-under"):
        load_mesh(closed, "chairs/a")

    opened = open_source("folder", tmp_path / "set", links_under=[tmp_path / "disk"])
    assert ids(opened) == ["chairs/a", "own/a"]
    assert kinds(opened) == []
    assert digest(opened, "chairs/a") == digest_of_copy("folder", tmp_path / "set", "chairs/a")
    assert find_duplicates(opened, opened.list_objects()) == (("chairs/a", "own/a"),)
    assert survey_folder(tmp_path / "set", links_under=[tmp_path / "disk"]).num_objects == 2


def test_a_linked_synset_is_read_only_where_links_may_lead(tmp_path: Path) -> None:
    write_shapenet_object(tmp_path / "disk", MODEL)
    write_shapenet_object(tmp_path / "set", "03001627/1006be65e7bc937e9141f9b58470d646")
    link(tmp_path / "set" / SYNSET, tmp_path / "disk" / SYNSET)
    closed = open_source("shapenet", tmp_path / "set")
    assert len(ids(closed)) == 1
    assert kinds(closed) == ["folder-outside"]
    with pytest.raises(MeshError, match="--links-under"):
        load_mesh(closed, MODEL)

    opened = open_source("shapenet", tmp_path / "set", links_under=[tmp_path / "disk"])
    assert MODEL in ids(opened)
    assert kinds(opened) == []
    assert digest(opened, MODEL) == digest_of_copy("shapenet", tmp_path / "set", MODEL)


def test_linked_files_are_read_only_where_links_may_lead(tmp_path: Path) -> None:
    write_category(tmp_path / "disk/store")
    for name in ("a.obj", "a.mtl", "skin.png"):
        link(tmp_path / "set/c" / name, tmp_path / "disk/store" / name)
    closed = open_source("folder", tmp_path / "set")
    with pytest.raises(MeshError, match="--links-under") as raised:
        load_mesh(closed, "c/a")
    assert raised.value.reason == "outside"
    opened = open_source("folder", tmp_path / "set", links_under=[tmp_path / "disk"])
    assert digest(opened, "c/a") == digest_of_copy("folder", tmp_path / "set", "c/a")
    # A linked texture alone.
    (tmp_path / "set/c/a.obj").unlink()
    (tmp_path / "set/c/a.obj").write_text(TRIANGLE)
    assert [warning.kind for warning in load_mesh(closed, "c/a").warnings] == ["file-outside"]
    assert load_mesh(opened, "c/a").warnings == ()


@pytest.mark.parametrize("name", ["gso", "objaverse", "shapenetsem"])
def test_every_source_reads_what_links_may_lead_to(name: str, tmp_path: Path) -> None:
    disk, root = tmp_path / "disk", tmp_path / "set"
    if name == "objaverse":
        write_glb(disk / "000-001/a.glb")
        link(root / "glbs/000-001", disk / "000-001")
    elif name == "gso":
        (disk / "Mug/meshes").mkdir(parents=True)
        (disk / "Mug/meshes/model.obj").write_text(TRIANGLE.replace("mtllib a.mtl\n", ""))
        link(root / "a", disk / "Mug")
    else:
        write_category(disk / "models")
        link(root / "models-OBJ/models", disk / "models")
    mesh_id = "a"
    assert load_mesh(open_source(name, root, links_under=[disk]), mesh_id).triangles.size
    with pytest.raises((MeshError, InvalidInputError)):
        load_mesh(open_source(name, root), mesh_id)
    opened = open_source(name, root, links_under=[disk])
    copy = open_source(name, Path(shutil.copytree(root, tmp_path / "copy")))
    mesh = load_mesh(opened, mesh_id)
    assert opened.compute_digest(mesh_id, mesh) == copy.compute_digest(mesh_id, load_mesh(copy, mesh_id))
    assert ids(opened) == ids(copy) == ["a"]


def test_a_chain_of_links_out_of_these_folders_is_not_followed(tmp_path: Path) -> None:
    write_category(tmp_path / "private")
    write_category(tmp_path / "disk/c")
    link(tmp_path / "disk/hop", tmp_path / "private")
    link(tmp_path / "disk/c/inner", tmp_path / "private")
    link(tmp_path / "set/hop", tmp_path / "disk/hop")
    link(tmp_path / "set/c", tmp_path / "disk/c")
    link(tmp_path / "set/file.obj", tmp_path / "disk/hop/a.obj")
    opened = open_source("folder", tmp_path / "set", links_under=[tmp_path / "disk"])
    assert ids(opened) == ["c/a", "file"]
    assert sorted(kinds(opened)) == ["folder-outside", "folder-outside"]
    for name in ("hop/a", "c/inner/a", "file"):
        with pytest.raises(MeshError) as raised:
            load_mesh(opened, name)
        assert raised.value.reason == "outside"


@pytest.mark.parametrize("named", ["{private}", "../../disk/secret.png", "inner/../../../disk/secret.png"])
def test_a_file_reads_nothing_of_these_folders_but_through_links(named: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    write_category(
        tmp_path / "set/c", mtl=f"newmtl red\nmap_Kd {named.format(private=disk / 'secret.png')}\n"
    )
    write_category(disk / "linked")
    Image.new("RGB", (2, 2)).save(disk / "secret.png")
    link(tmp_path / "set/c/inner", disk / "linked")
    opened = open_source("folder", tmp_path / "set", links_under=[disk])
    mesh = load_mesh(opened, "c/a")
    assert [warning.kind for warning in mesh.warnings] == ["file-outside"]
    assert not any("secret" in path.name for path in mesh.files)


def test_a_file_above_a_linked_folder_has_the_name_that_a_copy_gives_it(tmp_path: Path) -> None:
    skin = "newmtl red\nmap_Kd ../textures/skin.png\n"
    write_category(tmp_path / "disk/chairs", "../textures/skin.png", skin)
    write_category(tmp_path / "plain/chairs", "../textures/skin.png", skin)
    link(tmp_path / "set/chairs", tmp_path / "disk/chairs")
    opened = open_source("folder", tmp_path / "set", links_under=[tmp_path / "disk"])
    assert digest(opened, "chairs/a") == digest(open_source("folder", tmp_path / "plain"), "chairs/a")


def test_files_are_searched_in_linked_folders_as_in_a_copy(tmp_path: Path) -> None:
    # The texture lies elsewhere than the material says: in a folder of the linked category.
    write_category(tmp_path / "disk/chairs", "textures/skin.png")
    link(tmp_path / "disk/chairs/loop", tmp_path / "disk/chairs")
    link(tmp_path / "disk/chairs/up", tmp_path / "disk")
    link(tmp_path / "set/chairs", tmp_path / "disk/chairs")
    write_category(tmp_path / "copy/chairs", "textures/skin.png")
    opened = open_source("folder", tmp_path / "set", links_under=[tmp_path / "disk"])
    copy = open_source("folder", tmp_path / "copy")
    meshes = [load_mesh(source, "chairs/a") for source in (opened, copy)]
    assert [warning.kind for warning in meshes[1].warnings] == ["file-elsewhere"]
    assert meshes[0].warnings == meshes[1].warnings
    assert opened.compute_digest("chairs/a", meshes[0]) == copy.compute_digest("chairs/a", meshes[1])


def test_a_digest_does_not_depend_on_where_the_target_or_the_root_lies(tmp_path: Path) -> None:
    digests: set[str] = set()
    for place in ("one", "another/much/deeper"):
        write_category(tmp_path / place / "disk/sub/c")
        link(tmp_path / place / "set/real/c", tmp_path / place / "disk/sub/c")
        link(tmp_path / place / "root", tmp_path / place / "set")
        link(tmp_path / place / "set/alias", tmp_path / place / "set/real")
        for root in ("set", "root"):
            source = open_source("folder", tmp_path / place / root, links_under=[tmp_path / place / "disk"])
            digests |= {digest(source, "real/c/a"), digest(source, "alias/c/a")}
    assert len(digests) == 1


def test_sources_with_links_go_to_other_processes_as_they_are(tmp_path: Path) -> None:
    for name in ("folder", "shapenet", "shapenet-v1", "shapenetsem", "objaverse", "gso"):
        source = open_source(name, tmp_path, links_under=[str(tmp_path / "disk")])
        assert pickle.loads(pickle.dumps(source)) == source
        assert "disk" in repr(source)


def test_problems_are_told_of_a_source_whose_symmetry_is_measured(tmp_path: Path) -> None:
    write_category(tmp_path / "set/own")
    write_category(tmp_path / "disk")
    link(tmp_path / "set/out", tmp_path / "disk")
    assert kinds(SymmetrySource(open_source("folder", tmp_path / "set"))) == ["folder-outside"]
    opened = open_source("folder", tmp_path / "set", links_under=[tmp_path / "disk"])
    assert kinds(SymmetrySource(opened)) == []


def test_the_command_line_takes_the_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_category(tmp_path / "disk/chairs")
    link(tmp_path / "set/chairs", tmp_path / "disk/chairs")
    command = [
        "inspect",
        str(tmp_path / "set"),
        "--source",
        "folder",
        "--links-under",
        str(tmp_path / "disk"),
    ]
    with pytest.raises(SystemExit) as ended:
        cli.main(command)
    assert ended.value.code == 0
    assert "loaded: all 1 objects" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(command[:4])
    assert ended.value.code == 2
    assert "--links-under" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", "zoo", "--links-under", os.fspath(tmp_path)])
    assert "--links-under is for folders of meshes" in capsys.readouterr().err


def test_online_views_come_from_linked_meshes_too(tmp_path: Path) -> None:
    write_category(tmp_path / "disk/chairs")
    link(tmp_path / "set/chairs", tmp_path / "disk/chairs")
    recipe = load_recipe("3diebench").replace(source="folder", val_fraction=0.0)
    query = ObjectQuery(recipe, str(tmp_path / "set"), "train", backend="embree")
    with pytest.raises(InvalidInputError, match="no mesh files"):
        take_inventory(query)
    found = take_inventory(replace(query, links_under=(str(tmp_path / "disk"),)))
    assert (found.object_ids, found.warnings) == (("chairs/a",), ())


def test_a_run_of_training_remembers_the_folders_and_may_change_them() -> None:
    config = make_demo_config("simclr", None, online="3diebench", meshes="set", links_under=("disk",))
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(InvalidInputError, match="links_under"):
        make_demo_config("simclr", "a-set", links_under=("disk",))


def test_a_data_set_is_rendered_and_verified_with_linked_meshes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disk, folder = str(write_category(tmp_path / "disk/chairs").parent), str(tmp_path / "set")
    link(tmp_path / "set/chairs", tmp_path / "disk/chairs")
    out = str(tmp_path / "out")
    options = ["--source", "folder", "--meshes", folder, "--links-under", disk, "--backend", "embree"]
    size = ["--views", "2", "--image-size", "32", "--workers", "1"]
    for command in (["render", "3diebench", "--out", out, *size], ["verify", out, "--views", "1"]):
        with pytest.raises(SystemExit) as ended:
            cli.main([*command, *options])
        captured = capsys.readouterr()
        assert ended.value.code == 0, captured.err + captured.out
    manifest = (tmp_path / "out/manifest.json").read_text()
    assert str(tmp_path) not in manifest
    assert "links_under" not in manifest
