"""How `scripts/test` counts lines: of processes of every kind, into one folder, with a floor."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOY = """
import multiprocessing, os, signal, subprocess, sys, time

def forked():
    os._exit(0)

def spawned():
    print("spawned", flush=True)

def started():
    print("started", flush=True)

def terminated():
    print("ready", flush=True); time.sleep(60)

def main():
    os.chdir("elsewhere")
    child = os.fork()
    if not child:
        forked()
    os.waitpid(child, 0)
    process = multiprocessing.get_context("spawn").Process(target=spawned)
    process.start()
    process.join()
    code = "import sys; sys.path.insert(0, '..'); import toy.work; toy.work."
    subprocess.run([sys.executable, "-c", code + "started()"], check=True)
    ended = subprocess.Popen([sys.executable, "-c", code + "terminated()"], stdout=subprocess.PIPE)
    ended.stdout.readline()
    ended.terminate()
    assert ended.wait() == -signal.SIGTERM
    ended.stdout.close()
"""
UNUSED = "def never():\n    return 1\n\n\ndef nor_this():\n    return 2\n"


@pytest.fixture
def toy(tmp_path):
    """A package in a folder with this repository's settings: runs Python there."""
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    for ours, theirs in (
        ('source_pkgs = ["turntable"]', 'source_pkgs = ["toy"]'),
        ('include = ["turntable/*"]', 'include = ["toy/*"]'),
    ):
        assert ours in settings
        settings = settings.replace(ours, theirs)
    (tmp_path / "pyproject.toml").write_text(settings)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy/__init__.py").touch()
    (tmp_path / "toy/work.py").write_text(TOY)
    (tmp_path / "run.py").write_text(
        'if __name__ == "__main__":\n    from toy.work import main\n    main()\n'
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


def test_the_lines_of_every_process_count(toy, tmp_path):
    done = toy("-m", "coverage", "run", "run.py")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / ".coverage/lines.half").write_bytes(b"of a process that was killed")
    told = toy(ROOT / "scripts/coverage_report.py")
    assert (told.returncode, told.stderr) == (0, "")
    assert re.fullmatch(r" 100\.0 %  of the lines of .* ran; the floor is \d+ %\n", told.stdout)
    assert sorted(path.name for path in (tmp_path / ".coverage").iterdir()) == ["lines", "report.json"]


def test_too_few_lines_fail_and_files_have_names(toy, tmp_path):
    (tmp_path / "toy/unused.py").write_text(UNUSED)
    assert toy("-m", "coverage", "run", "run.py").returncode == 0
    told = toy(ROOT / "scripts/coverage_report.py")
    assert told.returncode == 2
    file, total = told.stdout.splitlines()
    assert file == f"   0.0 %  {Path('toy/unused.py')}"
    assert "of the lines" in total


def test_a_package_of_the_same_name_elsewhere_does_not_count(toy, tmp_path):
    other = tmp_path / "elsewhere" / "toy"
    other.mkdir()
    (other / "__init__.py").write_text(UNUSED)
    assert toy("-m", "coverage", "run", "run.py").returncode == 0
    code = "import sys; sys.path.insert(0, 'elsewhere'); import toy; assert 'elsewhere' in toy.__file__"
    (tmp_path / "other.py").write_text(code)
    assert toy("-m", "coverage", "run", "other.py").returncode == 0
    shutil.rmtree(other)
    told = toy(ROOT / "scripts/coverage_report.py")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(" 100.0 %")
