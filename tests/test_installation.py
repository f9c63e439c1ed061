"""The line that installs an extra: in place where turntable comes from a checkout, else by its name."""

import json
import pickle
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from turntable.errors import MissingExtraError
from turntable.installation import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
BY_NAME = 'pip install "turntable3d[render]"'
OURS = f'[project]\nname = "{DISTRIBUTION}"\n'
CODE = "from turntable.errors import MissingExtraError; print(MissingExtraError('a library', 'render'))"


def copied(folder, settings=None):
    """Put what makes the line into a folder, with a pyproject.toml beside it where one is given."""
    (folder / "turntable").mkdir(parents=True)
    for name in ("__init__", "errors", "installation"):
        shutil.copy(ROOT / "turntable" / f"{name}.py", folder / "turntable")
    if settings:
        (folder / "pyproject.toml").write_text(settings)
    return folder


def installed(folder, **origin):
    """Put the record of an installation beside the package, as pip does."""
    about = folder / f"{DISTRIBUTION}-0.1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: 0.1.0\n")
    if origin:
        (about / "direct_url.json").write_text(json.dumps(origin))
    return folder


def editable(folder):
    return {"url": folder.as_uri(), "dir_info": {"editable": True}}


def told(folder, asked_from):
    """Give the line of a Python that has nothing but its own library and a folder."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", CODE],
        cwd=asked_from,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    said, _, line = done.stdout.strip().partition("; run: ")
    assert said == "a library is not installed"
    return line


def test_a_wheel_is_installed_by_its_name(tmp_path):
    assert told(installed(copied(tmp_path / "site")), tmp_path) == BY_NAME


def test_so_is_one_that_was_installed_from_a_file(tmp_path):
    origin = {"url": "file:///wheels/turntable3d-0.1.0-py3-none-any.whl", "archive_info": {}}
    assert told(installed(copied(tmp_path / "site"), **origin), tmp_path) == BY_NAME


def test_a_checkout_without_metadata_is_installed_in_place(tmp_path):
    checkout = copied(tmp_path / "check out", OURS)
    assert told(checkout, tmp_path) == f'pip install -e "{checkout}[render]"'
    assert told(checkout, checkout) == 'pip install -e ".[render]"'


def test_so_is_an_editable_installation_of_files_that_lie_elsewhere(tmp_path):
    checkout = copied(tmp_path / "check out", OURS)
    site = installed(copied(tmp_path / "links"), **editable(checkout))
    assert told(site, tmp_path) == f'pip install -e "{checkout}[render]"'
    assert told(site, checkout) == 'pip install -e ".[render]"'


def test_a_checkout_that_is_gone_is_not_named(tmp_path):
    site = installed(copied(tmp_path / "links"), **editable(tmp_path / "gone"))
    assert told(site, tmp_path) == BY_NAME


@pytest.mark.parametrize("settings", ['[project]\nname = "another"\n', "[tool.ruff]\n", "no TOML"])
def test_a_copy_in_another_project_is_no_checkout(tmp_path, settings):
    assert told(copied(tmp_path / "another", settings), tmp_path) == BY_NAME


def test_the_line_is_for_a_shell(tmp_path):
    checkout = copied(tmp_path / 'a "$HOME" `b` \\', OURS)
    line = told(checkout, tmp_path)
    words = subprocess.run(["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True)
    assert words.stdout.splitlines() == ["pip", "install", "-e", f"{checkout}[render]"]


def test_the_error_arrives_from_another_process_as_it_was_raised():
    error = MissingExtraError("moderngl", "render")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.library, again.extra) == (str(error), "moderngl", "render")


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_extras_that_have_others_name_the_distribution():
    assert project()["name"] == DISTRIBUTION
    lines = [line for extra in project()["optional-dependencies"].values() for line in extra]
    ours = [re.fullmatch(rf"{DISTRIBUTION}\[([\w,]+)\]", line) for line in lines if "turntable" in line]
    assert len(ours) == 3
    for found in ours:
        assert set(found[1].split(",")) <= set(project()["optional-dependencies"])


PYTHON = [path for folder in ("turntable", "scripts", "benchmarks") for path in (ROOT / folder).rglob("*.py")]


def test_no_other_place_makes_such_a_line():
    assert [path.name for path in PYTHON if "pip install" in path.read_text("utf-8")] == ["installation.py"]


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "changes").glob("*.md")]
EXAMPLES = [path for path in (ROOT / "examples").rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", [*PAGES, *EXAMPLES], ids=lambda path: path.name)
def test_pages_install_a_clone_or_by_name(path):
    """`pip install turntable` is a warning alone: it is another project."""
    text = path.read_text("utf-8")
    for line in re.findall(r"pip install ([^`\n]*?)(?: *#.*)?(?:`|$)", text, re.MULTILINE):
        found = re.fullmatch(rf'(?:-e "\.|"{DISTRIBUTION})\[([\w,]+)\]"', line)
        if found:
            assert set(found[1].split(",")) <= set(project()["optional-dependencies"]), line
        else:
            assert line == "turntable"
            assert "`pip install turntable` installs another project" in text
    assert not re.search(r"turntable\[", text)
