"""The files in changes/: each is a line of the list that a version's section of CHANGELOG.md is made of."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "changes"
TEMPLATE = "template.md"
FRAGMENTS = sorted(path for path in FOLDER.iterdir() if path.name != TEMPLATE)
TOWNCRIER = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["towncrier"]
BEFORE = {kind["directory"]: kind["name"] for kind in TOWNCRIER["type"]}


def test_the_kinds_are_those_that_are_written_down():
    assert list(BEFORE) == ["change", "fix"]
    for kind in BEFORE:
        assert f"NAME.{kind}.md" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_a_change_is_one_line_of_a_known_kind(path):
    assert re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(BEFORE)})\.md", path.name)
    text = path.read_text("utf-8")
    line = text.removesuffix("\n")
    assert text == f"{line}\n", "one line, with an end"
    assert "\n" not in line
    assert line == " ".join(line.split())
    assert not line.startswith(("- ", "Fixed")), "the list has its bullets, and says of a fix that it is one"
    assert line.endswith((".", ".)"))
    assert len(re.findall(r"[.?!](?= [A-Z`]|$)", line)) <= 2, "one sentence or two"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", line):
        assert (ROOT / target).exists(), f"{target}: as seen from CHANGELOG.md"


def test_the_list_has_every_change():
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "1.2.0", "--date", "today"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    title, *lines = [line for line in done.stdout.splitlines() if line]
    assert title == "## 1.2.0 (today)"
    expected = [f"- {BEFORE[path.suffixes[0][1:]]}{path.read_text('utf-8').strip()}" for path in FRAGMENTS]
    assert sorted(lines) == sorted(expected)
    assert "<!-- towncrier release notes start -->" in (ROOT / "CHANGELOG.md").read_text("utf-8")
