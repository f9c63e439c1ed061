"""Importing one room does not load another's libraries; what is no Python is in the package too."""

import subprocess
import sys
from pathlib import Path

import pytest

from turntable.datasets import list_shipped_recipes

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("room", "foreign"),
    [
        ("datasets", ["torch", "moderngl", "trimesh", "pyarrow", "pydantic", "duckdb", "obstore", "PIL"]),
        ("renderer", ["torch", "starlette", "moderngl", "trimesh"]),
        ("loaders", ["torch", "moderngl", "trimesh", "pydantic", "starlette"]),
        ("training", ["moderngl", "trimesh", "matplotlib"]),
        ("testing.backends", ["torch", "moderngl", "embreex"]),
        ("testing.stores", ["torch", "moderngl", "scipy"]),
        ("testing.methods", ["moderngl", "trimesh", "scipy"]),
        ("testing.tasks", ["moderngl", "trimesh", "scipy"]),
    ],
)
def test_rooms_stay_light(room, foreign):
    code = f"import sys, turntable.{room}; print([name for name in {foreign} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_shaders_recipes_and_the_page_are_in_the_package():
    folder = ROOT / "turntable"
    assert len(list(folder.glob("datasets/recipes/*.toml"))) == len(list_shipped_recipes())
    assert (folder / "renderer/backends/gl/shaders/view.glsl").exists()
    patterns = (ROOT / "pyproject.toml").read_text()
    kinds = {path.suffix for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    for kind in kinds - {".py", ""}:
        assert f'"*{kind}"' in patterns or kind == ".typed", kind
