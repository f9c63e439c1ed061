"""The code blocks of README and docs run, in their order, in one folder; every link leads somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page, *languages):
    pattern = rf"^```({'|'.join(languages)})\n(.*?)^```$"
    return [
        (kind, text) for kind, text in re.findall(pattern, page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("docs")


def block_name(text):
    """The file that a block of Python begins with, `# NAME.py`: later blocks import it, or name it."""
    named = re.match(r"# (\w+\.py)\n", text)
    return named.group(1) if named else "block.py"


def run(folder, kind, text):
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    script = folder / block_name(text)
    script.write_text(text)
    command = ["bash", "-euc", text] if kind == "bash" else [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.gl
def test_readme_runs(folder):
    """`bash` and `python` blocks; `sh` ones install or take long, and CI runs them as themselves."""
    found = blocks(PAGES[0], "bash", "python")
    assert [kind for kind, _ in found] == ["bash", "python", "python"]
    for kind, text in found:
        run(folder, kind, text)


@pytest.mark.slow
@pytest.mark.gl
@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_docs_run(folder, page):
    """On the data set that the README made."""
    assert (folder / "my-set" / "manifest.json").exists(), "the README's blocks run first"
    for kind, text in blocks(page, "bash", "python"):
        run(folder, kind, text)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_files_of_the_checkout_are_where_pages_say(page):
    named = re.findall(
        r"`((?:turntable|tests|docs|benchmarks|scripts|docker)/[\w./-]+(?:\.py|/))`", page.read_text("utf-8")
    )
    for name in named:
        assert (ROOT / name).exists(), name
