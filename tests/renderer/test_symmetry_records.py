"""Tests of symmetry facts from the loader to the records of a data set and to those who read them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import trimesh

from tests.support.quick_run import TINY, contents
from turntable.cli import main
from turntable.datasets import ObjectRecord, open_dataset, verify_dataset
from turntable.datasets.files import FieldError, JsonFields
from turntable.datasets.objects import ObjectSymmetry
from turntable.errors import InvalidInputError
from turntable.renderer import generate
from turntable.renderer.meshes import measure_symmetry
from turntable.renderer.meshes.sources import FolderSource, SymmetrySource, load_mesh, symmetry_source
from turntable.renderer.runs import inspect_meshes
from turntable.service.catalog import build_catalog
from turntable.service.payloads import list_object_views

SYMMETRY = ObjectSymmetry(
    "Dinf", ((0.0, 0.0, 0.0, 1.0), (1.0, 0.0, 0.0, 0.0)), (0.0, 0.0, 1.0), (0.0, 0.25, 0.0), 0.001
)
RECORD = ObjectRecord(
    "a/b", "a", "train", "folder", "00", symmetry=SYMMETRY, mirror_residual=0.01, eigen_gap=0.2
)


def turntable(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The output of a command that succeeds."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert not ended.value.code
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a box, a copy of it, and a cone."""
    folder = tmp_path_factory.mktemp("meshes")
    (folder / "solids").mkdir()
    trimesh.creation.box((1, 0.7, 0.4)).export(folder / "solids" / "box.ply")
    shutil.copy(folder / "solids" / "box.ply", folder / "solids" / "copy.ply")
    trimesh.creation.cone(0.5, 1, sections=64).export(folder / "solids" / "cone.stl")
    return folder


@pytest.fixture(scope="module")
def measured(meshes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of them with their symmetry."""
    folder = tmp_path_factory.mktemp("measured") / "set"
    generate(TINY, SymmetrySource(FolderSource(meshes)), folder)
    return folder


def test_a_record_with_symmetry_comes_back_from_its_table() -> None:
    table = json.loads(json.dumps(RECORD.to_dict()))
    assert ObjectRecord.from_fields(JsonFields(table)) == RECORD
    finite = replace(RECORD, symmetry=replace(SYMMETRY, group="C2", axis=None))
    assert "axis" not in finite.to_dict()["symmetry"]
    assert ObjectRecord.from_fields(JsonFields(finite.to_dict())) == finite


def test_a_record_without_symmetry_has_no_such_fields() -> None:
    table = ObjectRecord("a/b", "a", "train", "folder", "00").to_dict()
    assert set(table) == {"id", "category", "split", "source", "source_sha256", "key"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"group": "C99"},
        {"group": 4},
        {"rotations": []},
        {"rotations": [[0, 0, 0, 1]] * 61},
        {"rotations": [[0, 0, 2, 1]]},
        {"rotations": [[0, 0, 1]]},
        {"axis": [0, 1]},
        {"center": [0, 0, 1e9]},
        {"residual": -1},
    ],
)
def test_a_strangers_symmetry_is_checked(wrong: dict[str, object]) -> None:
    table = {**RECORD.to_dict(), "symmetry": {**SYMMETRY.to_dict(), **wrong}}
    with pytest.raises(FieldError, match=r"symmetry|rotations"):
        ObjectRecord.from_fields(JsonFields(table))


def test_a_mesh_is_measured_once(meshes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SymmetrySource(FolderSource(meshes))
    mesh = load_mesh(source, "solids/box")
    calls: list[object] = []
    monkeypatch.setattr(
        symmetry_source, "measure_symmetry", lambda mesh: calls.append(mesh) or measure_symmetry(mesh)
    )
    assert source.measure(mesh, "one digest") == source.measure(mesh, "one digest")
    assert len(calls) == 1


@pytest.mark.gl
def test_a_run_puts_the_facts_into_the_records(measured: Path) -> None:
    assert verify_dataset(measured, deep=True).problems == ()
    dataset = open_dataset(measured)
    assert dataset.manifest.source["symmetry"]["points"] == 2048
    records: dict[str, ObjectRecord] = {}
    for name in dataset.splits:
        with dataset.open_split(name) as split:
            records |= {record.id: record for record in split.objects}
    box, copy, cone = (records[f"solids/{name}"] for name in ("box", "copy", "cone"))
    assert box.symmetry is not None
    assert cone.symmetry is not None
    assert (box.symmetry.group, cone.symmetry.group) == ("D2", "Cinf")
    assert copy.symmetry == box.symmetry
    # All axes across a cone are alike.
    assert cone.eigen_gap == pytest.approx(0, abs=1e-4)
    assert box.eigen_gap is not None
    assert box.eigen_gap > 0.1
    assert box.mirror_residual == pytest.approx(0, abs=0.002)


@pytest.mark.gl
def test_without_symmetry_a_run_is_as_ever_and_cannot_be_resumed_with_it(
    meshes: Path, measured: Path, tmp_path: Path
) -> None:
    generate(TINY, FolderSource(meshes), tmp_path / "set")
    plain = open_dataset(tmp_path / "set")
    assert "symmetry" not in plain.manifest.source
    assert plain.manifest.fingerprint == open_dataset(measured).manifest.fingerprint
    before = contents(tmp_path / "set")
    with pytest.raises(InvalidInputError, match="symmetry"):
        generate(TINY, SymmetrySource(FolderSource(meshes)), tmp_path / "set")
    assert contents(tmp_path / "set") == before


@pytest.mark.gl
def test_the_service_and_inspect_show_the_facts(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = build_catalog([measured]).find_entry("set")
    assert entry is not None
    split = next(iter(entry.splits))
    shown = list_object_views(entry, split, 0)
    record = entry.read_record(split, 0)
    assert record.symmetry is not None
    assert shown["symmetry"] == record.symmetry.to_dict()
    assert (shown["mirror_residual"], shown["eigen_gap"]) == (record.mirror_residual, record.eigen_gap)
    assert "D2 2, Cinf 1" in turntable(capsys, "inspect", str(measured))


def test_inspect_measures_a_folder_of_meshes(meshes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (meshes / "solids" / "broken.stl").write_bytes(b"nothing")
    try:
        printed = turntable(capsys, "inspect", str(meshes), "--symmetry")
    finally:
        (meshes / "solids" / "broken.stl").unlink()
    assert "symmetry: D2 2, Cinf 1" in printed
    assert "not measured: 1" in printed
    assert "solids/cone: Cinf, mirror residual 0.00" in printed


def test_inspect_measures_the_objects_that_it_loads_and_loads_no_other(
    meshes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = turntable(capsys, "inspect", str(meshes), "--symmetry", "--objects", "1")
    assert "loaded: 1 of 3 objects" in printed
    assert "symmetry: D2 1" in printed
    assert "solids/cone" not in printed
    assert "not measured" not in printed
    none = turntable(capsys, "inspect", str(meshes), "--symmetry", "--objects", "0")
    assert "symmetry: none" in none


def test_inspection_measures_in_the_pass_that_loads(meshes: Path) -> None:
    told: list[tuple[int, int]] = []
    found = inspect_meshes(
        SymmetrySource(FolderSource(meshes)), progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    groups = {name: facts.symmetry.group for name, facts in found.symmetry.items()}
    assert groups == {"solids/box": "D2", "solids/copy": "D2", "solids/cone": "Cinf"}
    assert inspect_meshes(FolderSource(meshes)).symmetry == {}
