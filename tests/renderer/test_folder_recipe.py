"""A newcomer's folder of mesh files: inspected, rendered by the recipe that comes with the package."""

import struct
from pathlib import Path

import pytest

from tests.support.quick_run import InProcess
from turntable import cli
from turntable.datasets import load_recipe
from turntable.renderer import generate
from turntable.renderer.meshes.sources import FolderSource

CUBE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\nf 1 3 4\nf 2 3 4\n"


@pytest.fixture
def meshes(tmp_path: Path) -> Path:
    folder = tmp_path / "meshes"
    for name, text in {
        "toys/one.obj": CUBE,
        "toys/two.off": "OFF\n4 2 0\n0 0 0\n1 0 0\n0 1 0\n0 0 1.5\n3 0 1 2\n3 0 1 3\n",
        "tools/three.obj": CUBE.replace("v 1", "v 2"),
        "tools/points.obj": "v 0 0 0\nv 1 0 0\n",
        "tools/model.fbx": "Kaydara FBX Binary",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "toys" / "cut.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 9_000))
    return folder


def test_inspect_tells_what_a_run_would_leave_out(meshes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", str(meshes)])
    said = capsys.readouterr().out
    assert not ended.value.code
    assert "would be left out: 2" in said
    assert "cut off: 1: toys/cut" in said
    assert "no faces: 1: tools/points" in said
    assert "format-unsupported: 1 warning" in said
    assert "tools/model.fbx" in said
    assert "faults: 0" not in said


@pytest.mark.gl
def test_the_recipe_renders_any_folder(meshes: Path, tmp_path: Path) -> None:
    recipe = load_recipe("folder")
    assert recipe.source == "folder"
    small = recipe.replace(views=2, image_size_px=16, quality="fast")
    manifest = generate(small, FolderSource(meshes), tmp_path / "set", engine=InProcess())
    assert (manifest.totals.objects, manifest.quarantined) == (3, 2)
    assert manifest.categories == ("tools", "toys")
