"""Tests of the survey of hostile folders: it ends soon and opens nothing outside the folder."""

import gzip
import os

import pytest

from turntable import cli
from turntable.errors import InvalidInputError
from turntable.renderer.meshes.sources import format_survey, survey_folder
from turntable.renderer.meshes.sources.gso import GsoSource
from turntable.renderer.meshes.sources.objaverse import ObjaverseSource
from turntable.renderer.meshes.sources.shapenetsem import ShapeNetSemSource

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


def write(path, text=TRIANGLE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_pipes_devices_and_circles_are_no_meshes(tmp_path):
    write(tmp_path / "a.obj")
    os.mkfifo(tmp_path / "b.obj")
    (tmp_path / "c.obj").symlink_to("/dev/zero")
    (tmp_path / "d.obj").symlink_to("d.obj")
    (tmp_path / "e").symlink_to(tmp_path)
    assert survey_folder(tmp_path).num_objects == 1


def test_links_to_elsewhere_are_not_read_to_be_compared(tmp_path, monkeypatch):
    from turntable.renderer.meshes.sources import duplicates

    outside = write(tmp_path / "outside.obj")
    for name in ("a", "b"):
        write(tmp_path / f"set/{name}.obj")
        (tmp_path / f"set/link-{name}.obj").symlink_to(outside)
    read, digest = [], duplicates.compute_file_sha256
    monkeypatch.setattr(
        duplicates, "compute_file_sha256", lambda path: read.append(path.name) or digest(path)
    )
    assert survey_folder(tmp_path / "set").duplicates == (("a", "b"),)
    assert sorted(read) == ["a.obj", "b.obj"]


def test_files_that_are_too_large_to_load_are_not_read_to_be_compared(tmp_path):
    for name in ("a", "b"):
        with (tmp_path / f"{name}.obj").open("wb") as file:
            file.truncate(2**40)
    assert survey_folder(tmp_path).duplicates == ()


def test_folders_without_end_are_refused(tmp_path):
    write(tmp_path / "/".join("a" * 32) / "b.obj")
    assert survey_folder(tmp_path).num_objects == 1
    write(tmp_path / "/".join("a" * 100) / "b.obj")
    with pytest.raises(InvalidInputError, match="33 deep within one another"):
        survey_folder(tmp_path)


def test_a_category_is_one_row(tmp_path):
    write(tmp_path / "evil\nsource: zoo\x1b[2J" / "a.obj")
    rows = format_survey(survey_folder(tmp_path))
    assert "  evil\\nsource: zoo\\x1b[2J: 1" in rows
    assert all(row.isprintable() for row in rows)


@pytest.mark.parametrize("name", ["\x1b[2J", "\x9b31m", "\u202etxt", os.fsdecode(b"\xff")])
def test_the_terminal_obeys_no_name(tmp_path, capsys, name):
    write(tmp_path / name / "a.obj")
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", str(tmp_path)])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert name not in said
    assert "objects: 1 in 1 categories" in said


@pytest.mark.parametrize(
    "text",
    [
        "category" + " " * 500_000,
        "categories {" + "first" * 100_000,
        ("category {first" + " " * 500) * 1000,
        "category" * 60_000,
    ],
)
def test_a_table_of_scans_is_searched_in_one_go(tmp_path, text):
    write(tmp_path / "A/meshes/model.obj")
    write(tmp_path / "A/metadata.pbtxt", text)
    assert GsoSource(tmp_path).list_objects()[0].category == "unsorted"


def test_categories_of_tables_are_escaped_and_cut(tmp_path):
    write(tmp_path / "gso/A/meshes/model.obj")
    write(tmp_path / "gso/A/metadata.pbtxt", 'category: "\x1b[2J' + "a" * 10_000 + '"')
    write(tmp_path / "sem/models-OBJ/models/a.obj")
    write(tmp_path / "sem/metadata.csv", "fullId,category\nwss.a,\x1b[2J" + "a" * 10_000)
    write(tmp_path / "objaverse/glbs/000-000/a.glb")
    write(tmp_path / "objaverse/lvis-annotations.json", '{"\\u001b[2J' + "a" * 10_000 + '": ["a"]}')
    sources = (
        GsoSource(tmp_path / "gso"),
        ShapeNetSemSource(tmp_path / "sem"),
        ObjaverseSource(tmp_path / "objaverse"),
    )
    for source in sources:
        (item,) = source.list_objects()
        assert item.category.startswith("\\x1b[2Jaaa")
        assert len(item.category) < 130


def test_a_packed_table_is_unpacked_as_far_as_its_size_allows(tmp_path):
    write(tmp_path / "glbs/000-000/a.glb")
    bomb = gzip.compress(b'{"a": [' + b"[]," * 20_000_000 + b"[]]}")
    write(tmp_path / "lvis-annotations.json.gz", bomb)
    with pytest.raises(InvalidInputError, match="is it Objaverse's"):
        ObjaverseSource(tmp_path).list_objects()


def test_a_table_without_end_is_not_read(tmp_path):
    write(tmp_path / "models-OBJ/models/a.obj")
    with (tmp_path / "metadata.csv").open("wb") as file:
        file.write(b"fullId,category\n")
        file.truncate(2**40)
    with pytest.raises(InvalidInputError, match="is it ShapeNetSem's"):
        ShapeNetSemSource(tmp_path).list_objects()
