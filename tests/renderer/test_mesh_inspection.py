"""Inspection of a folder of meshes: what a run would leave out or show otherwise is told beforehand."""

import json
from itertools import pairwise

import pytest

from tests.support.meshes import write_glb
from turntable import cli
from turntable.errors import InvalidInputError
from turntable.renderer.meshes import WARNING_KINDS
from turntable.renderer.meshes.sources import FolderSource
from turntable.renderer.runs import format_inspection, inspect_meshes
from turntable.renderer.runs.mesh_inspection import select_even_sample

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


@pytest.fixture
def meshes(tmp_path):
    folder = tmp_path / "cat"
    folder.mkdir()
    (folder / "good.obj").write_text(TRIANGLE)
    (folder / "faceless.obj").write_text("v 0 0 0\nv 1 0 0\n")
    write_glb(folder / "cut.glb")
    (folder / "cut.glb").write_bytes((folder / "cut.glb").read_bytes()[:300])
    for number in range(5):
        (folder / f"no-mtl-{number}.obj").write_text("mtllib gone.mtl\n" + TRIANGLE)
    (tmp_path / "chair.fbx").write_bytes(b"Kaydara FBX Binary")
    return tmp_path


def inspect(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", *map(str, arguments)])
    captured = capsys.readouterr()
    return ended.value.code, captured.out.splitlines(), captured.err


def test_it_tells_what_would_be_left_out_and_what_shown_otherwise(meshes, capsys):
    status, lines, _ = inspect(capsys, meshes)
    assert status == 0
    assert "loaded: all 8 objects" in lines
    assert "would be left out: 2" in lines
    assert "  no faces: 1: cat/faceless" in lines
    assert "  cut off: 1: cat/cut" in lines
    assert "would be shown otherwise than their files say: 5" in lines
    at = lines.index(f"  file-missing: 5 warnings of 5 objects: {WARNING_KINDS['file-missing']}")
    assert [line.split(":")[0] for line in lines[at + 1 : at + 5]] == [
        "    cat/no-mtl-0",
        "    cat/no-mtl-1",
        "    cat/no-mtl-2",
        "about the folder",
    ]
    assert lines[at + 5].startswith("  format-unsupported: 1 warning: ")
    assert "chair.fbx" in lines[at + 6]


def test_of_many_objects_an_even_sample_is_loaded_and_said_so(meshes, capsys):
    _, lines, _ = inspect(capsys, meshes, "--objects", 4)
    assert "loaded: 4 of 8 objects, at even distances in the list (--objects N loads N)" in lines
    assert "would be left out: 1" in lines  # cut, good, no-mtl-1 and no-mtl-3 of the sorted list
    assert "would be shown otherwise than their files say: 2" in lines
    _, lines, _ = inspect(capsys, meshes, "--objects", 0)
    assert "loaded: 0 of 8 objects (--objects N loads N)" in lines
    assert not any(line.startswith("would be") for line in lines)


def test_a_sample_is_even_and_without_repetition():
    ids = [f"{number:05}" for number in range(10_007)]
    chosen = [int(name) for name in select_even_sample(ids, 1_000)]
    steps = {later - earlier for earlier, later in pairwise(chosen)}
    assert (len(chosen), steps) == (1_000, {10, 11})
    assert select_even_sample(ids, 10_007) == select_even_sample(ids, 10**9) == ids
    assert select_even_sample([], 5) == []


def test_options_for_meshes_are_refused_elsewhere(meshes, capsys):
    status, _, err = inspect(capsys, "zoo", "--objects", 3)
    assert status == 2
    assert "--objects is for folders of meshes, and zoo is none" in err
    status, _, err = inspect(capsys, meshes, "--objects", -1)
    assert (status, "--objects -1: give a number of objects, 0 for none" in err) == (2, True)
    status, _, err = inspect(capsys, meshes, "--source", "objaverse", "--objects", 0)
    assert status == 0


def test_a_folder_of_formats_that_are_not_read_says_which(tmp_path, capsys):
    (tmp_path / "chair.fbx").write_bytes(b"Kaydara FBX Binary")
    status, lines, err = inspect(capsys, tmp_path)
    assert status == 2
    assert any("chair.fbx" in line for line in lines)
    assert "holds no mesh files" in err


def test_the_same_findings_from_python(meshes):
    told = []
    found = inspect_meshes(FolderSource(meshes), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (8, 8)
    assert {item.object: item.reason for item in found.left_out} == {
        "cat/cut": "cut off",
        "cat/faceless": "no faces",
    }
    assert {item.object for item in found.warnings} == {f"cat/no-mtl-{number}" for number in range(5)}
    assert len(format_inspection(found)) > 5
    with pytest.raises(InvalidInputError, match="--objects -5"):
        inspect_meshes(FolderSource(meshes), -5)


def test_names_and_messages_of_files_are_escaped(tmp_path):
    (tmp_path / "a.obj").write_text("mtllib \x1b[2Jgone.mtl\n" + TRIANGLE)
    lines = format_inspection(inspect_meshes(FolderSource(tmp_path)))
    assert "\x1b" not in json.dumps(lines, ensure_ascii=False)
    assert any("gone.mtl" in line for line in lines)
