"""The code blocks of README and docs run, in their order, in one folder; every link leads somewhere.

`bash` and `python` blocks run. `sh` blocks are what cannot run here, each with its reason in `NOT_RUN`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTED_PORT = ":8765"

MEASURES = "measures for minutes or hours; its figures are on the page"
SLURM = "takes SLURM; tests/test_examples.py has stand-ins"
SHAPENET = "takes ShapeNet's models, and GPUs"
NOT_RUN = {
    ("CONTRIBUTING.md", "scripts/check --fix"): "what is run here",
    ("README.md", "git clone URL"): "clones and installs; CI runs the same scripts",
    ("README.md", 'pip install -e ".[render]"'): "installs; scripts/wheel tries each extra",
    ("backends.md", "turntable render 3diebench"): SHAPENET,
    ("checkpoints.md", "turntable import-checkpoint"): "takes a published checkpoint",
    ("clusters.md", "examples/slurm/submit.sh"): SLURM,
    ("clusters.md", 'pip install -e ".[cluster]"'): "installs, and starts a cluster",
    ("clusters.md", "turntable render 3diebench"): SHAPENET,
    ("convert.md", "turntable convert import 3DIEBench"): "takes the published sets",
    ("corpus.md", "scripts/bench corpus"): "fetches packages from registries",
    ("docker.md", "docker build"): "takes a container engine; tests/test_docker.py checks what is built",
    ("gpu.md", "scripts/gpu --minutes 8"): MEASURES,
    ("gpu.md", "scripts/gpu --device cpu"): MEASURES,
    ("gpu.md", "scripts/gpu --pack"): "packs for a machine without a network",
    ("performance.md", "turntable replay"): MEASURES,
    ("performance.md", "scripts/bench"): MEASURES,
    ("security.md", "turntable serve /srv/datasets"): "takes a proxy; tests/service/test_nginx.py has one",
    ("service.md", 'pip install -e ".[serve]"'): "installs; scripts/wheel tries each extra",
    ("training.md", "torchrun"): "takes eight GPUs; tests/training/test_ranks.py runs two ranks",
    ("training.md", "sbatch"): SLURM,
}
"""Why a block of `sh` does not run, by its page and the beginning of its first line."""

PRELUDE = """
# A service runs in the background until the block ends, and what follows waits until it answers.
turntable() {
    if [ "${1:-}" != serve ]; then command turntable "$@"; return; fi
    stop_service
    command turntable "$@" --port "$PORT" >service.log 2>&1 &
    service=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do
        kill -0 "$service" 2>/dev/null || { cat service.log >&2; return 1; }
        sleep 0.1
    done
}
stop_service() {
    [ -z "${service:-}" ] || { kill "$service" && wait "$service"; } 2>/dev/null || true
}
trap stop_service EXIT
"""


def blocks(page, *languages):
    pattern = rf"^```({'|'.join(languages)})\n(.*?)^```$"
    return [
        (kind, text) for kind, text in re.findall(pattern, page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("docs")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of blocks: this Python, a home of their own, and a free port in place of 8765."""
    bin_folder = str(Path(sys.executable).parent)
    home = tmp_path_factory.mktemp("home")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("XDG_")},
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PORT": str(free_port()),
    }


def block_name(text):
    """The file that a block of Python begins with, `# NAME.py`: later blocks import it, or name it."""
    named = re.match(r"# (\w+\.py)\n", text)
    return named.group(1) if named else "block.py"


def run(folder, environment, kind, text):
    text = text.replace(DOCUMENTED_PORT, f":{environment['PORT']}")
    script = folder / block_name(text)
    script.write_text(text)
    shell = ["bash", "-euo", "pipefail", "-c", PRELUDE + text]
    command = shell if kind == "bash" else [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
@pytest.mark.gl
def test_readme_runs(folder, environment):
    found = blocks(PAGES[0], "bash", "python")
    assert [kind for kind, _ in found] == ["bash", "python", "python"]
    for kind, text in found:
        run(folder, environment, kind, text)


@pytest.mark.slow
@pytest.mark.gl
@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_docs_run(folder, environment, page):
    """On the data set that the README made."""
    assert (folder / "my-set" / "manifest.json").exists(), "the README's blocks run first"
    for kind, text in blocks(page, "bash", "python"):
        run(folder, environment, kind, text)


def find_reason(page, text):
    """The key of `NOT_RUN` that a block of `sh` has, or None."""
    keys = (key for key in NOT_RUN if key[0] == page.name and text.startswith(key[1]))
    return next(keys, None)


def test_every_block_that_does_not_run_has_its_reason():
    found = [(page, text) for page in [*PAGES, ROOT / "CONTRIBUTING.md"] for _, text in blocks(page, "sh")]
    without = [f"{page.name}: {text}" for page, text in found if find_reason(page, text) is None]
    assert not without, "make it `bash`, or say in NOT_RUN why it cannot run"
    assert {find_reason(page, text) for page, text in found} == set(NOT_RUN), "no reason is left over"


def test_a_block_has_a_language_that_says_what_becomes_of_it():
    """Only these: a block of `shell`, or of none, would escape both rules."""
    known = {"bash", "console", "json", "python", "sh", "text", "toml"}
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert set(fences[::2]) <= known, page.name


def test_a_service_of_a_block_runs_until_the_block_ends(folder, environment, tmp_path):
    """Later lines of the block reach it, whatever the port is; a failure of either is the block's."""
    stand_in = tmp_path / "bin" / "turntable"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/bash\necho "$$" >served\nexec python -m http.server "${@: -1}"\n')
    stand_in.chmod(0o755)
    environment = {**environment, "PORT": str(free_port()), "HOME": str(tmp_path)}
    environment["PATH"] = f"{stand_in.parent}{os.pathsep}{environment['PATH']}"
    ask = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).status)"
    block = f"turntable serve my-set\npython -c '{ask}' http://127.0.0.1:8765/ >answer\n"
    run(tmp_path, environment, "bash", block)
    assert (tmp_path / "answer").read_text() == "200\n"
    assert not Path(f"/proc/{(tmp_path / 'served').read_text().strip()}").exists()
    stand_in.write_text("#!/bin/bash\necho it is broken\nexit 2\n")
    with pytest.raises(AssertionError, match="it is broken"):
        run(tmp_path, environment, "bash", "turntable serve my-set\n")


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
