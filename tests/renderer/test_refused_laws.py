"""Recipes whose laws cannot hold are refused by name on the command line, before anything is written."""

import json
from pathlib import Path
from typing import Any

import pytest

from turntable import cli
from turntable.datasets import load_recipe

SCENE = {"objects": {"low": 8, "high": 8}, "size": {"low": 0.4, "high": 0.5}, "area": 0.55, "law": "ood"}
CIRCLE = [
    {"factor": "light_hue", "on": "floor_hue", "slope": 0.5},
    {"factor": "floor_hue", "on": "light_hue", "slope": 0.5},
]
TURN = {"length": 2, "motion": "still"}
TWIST = {"law": "twist"}

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown joints": ("articulated", {"joints": {"hinge": 1}}, "joints.hinge: unknown"),
    "an unknown range": ("articulated", {"joints": {"range": "most"}}, "joints.range: "),
    "joints of the zoo": ("zoo", {"joints": {"range": "full"}}, 'objects of source = "zoo" have no joints'),
    "a circle of couplings": ("zoo", {"coupling": CIRCLE}, "coupling: a circle, "),
    "dynamics without parts": ("zoo", {"sequence": TURN, "dynamics": TWIST}, 'source = "zoo" has no parts'),
    "dynamics without frames": ("articulated", {"dynamics": TWIST}, "dynamics: motion needs frames"),
    "a scene without room": ("scenes", {"scene": {**SCENE, "area": 0.3}}, "scene.area: "),
    "parts of the zoo": ("zoo", {"parts": True}, 'parts: source = "zoo" reads no glTF files'),
    "parts in a scene": (
        "zoo",
        {"source": "folder", "parts": True, "scene": SCENE},
        "parts: the parts of a scene are whole objects",
    ),
}


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[object, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main([str(item) for item in arguments])
    return ended.value.code, capsys.readouterr().err


def write(folder: Path, name: str, **keys: Any) -> Path:
    """The TOML file of a recipe with changed keys, which are not checked."""
    table = load_recipe(name).to_dict() | keys | {"name": "mine", "image_size_px": 32, "views": 2}
    path = folder / "mine.toml"
    path.write_text("".join(f"{key} = {to_toml(value)}\n" for key, value in table.items()), encoding="utf-8")
    return path


def to_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {to_toml(item)}" for key, item in value.items()) + " }"
    return "[" + ", ".join(map(to_toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_by_name(capsys: pytest.CaptureFixture[str], tmp_path: Path, case: str) -> None:
    name, keys, said = REFUSED[case]
    recipe = write(tmp_path, name, **keys)
    for command in (["inspect"], ["render", "--objects", "1", "--out", tmp_path / "set"]):
        status, err = run(capsys, command[0], recipe, *command[1:])
        assert (status, said in err) == (2, True), err
        assert "Traceback" not in err
    assert not (tmp_path / "set").exists()


@pytest.mark.gl
@pytest.mark.slow
def test_placements_that_cannot_be_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    recipe = write(tmp_path, "scenes", scene={**SCENE, "tries": 1})
    command = ["render", recipe, "--objects", "1", "--base-objects", "20"]
    status, err = run(capsys, *command, "--out", tmp_path / "set", "--workers", "1")
    assert status == 2
    assert "no place in the scene" in err
    assert "Traceback" not in err
