"""The documentation as a site: it builds without a warning, and names every option and every public name."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from turntable.cli import app
from turntable.cli.reference import build_reference

ROOT = Path(__file__).parent.parent
FACES = re.findall(r"^::: (\S+)$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", place],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


def test_the_commands_reference_is_the_commands():
    assert (ROOT / "docs" / "cli.md").read_text("utf-8") == build_reference(), "run scripts/docs"


def options(command, path=()):
    for name in command:
        if name.startswith("-"):
            continue
        below = command[name]
        yield from options(below, (*path, name))
    if command.default_command is not None and path:
        for argument in command.assemble_argument_collection():
            yield path, argument


def test_every_option_is_described():
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    described = list(options(app))
    assert len(described) > 100
    for path, argument in described:
        section = text.split(f"\n## turntable {' '.join(path)}\n")[-1].split("\n## ")[0]
        section = section if len(path) == 1 else text
        words = rf"`[^`]*{re.escape(argument.name)}(?!\w)[^`]*`: \S"
        assert re.search(words, section), f"{' '.join(path)} {argument.name} is not described"


@pytest.mark.slow
@pytest.mark.parametrize("face", FACES)
def test_every_public_name_is_on_the_site(site, face):
    page = (site / "api.html").read_text("utf-8")
    module = importlib.import_module(face)
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        # A name that several faces show is written out under the file that defines it.
        own = f"{getattr(value, '__module__', '')}.{name}"
        assert f'id="{face}.{name}"' in page or f'id="{own}"' in page, name


def test_nothing_of_the_site_is_asked_of_another_place(site):
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        for mark in ('src="http', 'rel="stylesheet" href="http'):
            assert mark not in text, page
