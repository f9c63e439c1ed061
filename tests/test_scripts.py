"""The scripts: how scripts/test calls pytest, and for which extras scripts/wheel has jobs."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAND_IN = """#!/usr/bin/env bash
[ "$1 $2 $3" != "-m coverage run" ] || { printf 'counted|' >>"$CALLS"; shift 3; }
[ "$1 $2" != "-m pytest" ] || { printf '%s|' "${@:3}" >>"$CALLS"; echo >>"$CALLS"; exit "${STATUS:-0}"; }
"""
SEVERAL = ["-n", str(min(len(os.sched_getaffinity(0)), 4)), "--dist", "loadfile"]


@pytest.fixture
def asked(tmp_path):
    """Run scripts/test with an environment that writes down what pytest was given, and give its calls."""
    binaries = tmp_path / "venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").write_text(STAND_IN)
    (binaries / "python").chmod(0o755)
    made_from = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    sums = subprocess.run(["cksum"], input=made_from, capture_output=True, check=True).stdout
    (tmp_path / "venv" / ".turntable-dev").write_bytes(sums.rstrip(b"\n"))
    environment = {
        **{
            name: value for name, value in os.environ.items() if not name.startswith("OMP_")
        },  # nproc heeds them
        "TURNTABLE_VENV": os.path.relpath(tmp_path / "venv", ROOT),
        "CALLS": str(tmp_path / "calls"),
    }

    def _asked(*words, status=0):
        command = ["bash", ROOT / "scripts" / "test", *words]
        done = subprocess.run(command, env={**environment, "STATUS": str(status)}, check=False, timeout=60)
        assert done.returncode == status
        return [line.split("|")[:-1] for line in (tmp_path / "calls").read_text().splitlines()]

    return _asked


def test_all_tests_are_run_on_several_cores_and_then_those_that_are_to_be_alone(asked):
    assert asked("-q", "--hypothesis-profile=explore") == [
        ["-q", "--hypothesis-profile=explore", "-m", "not alone", *SEVERAL],
        ["-q", "--hypothesis-profile=explore", "-m", "alone"],
    ]


def test_lines_are_counted_where_no_option_may_leave_a_test_out(asked):
    assert asked("-q", "--durations=3") == [
        ["counted", "-q", "--durations=3", "-m", "not alone", *SEVERAL],
        ["counted", "-q", "--durations=3", "-m", "alone"],
    ]


def test_a_failure_of_either_is_the_end_of_the_script(asked):
    assert len(asked(status=1)) == 2


def test_tests_that_are_named_are_all_that_is_run(asked):
    assert asked("tests/renderer", "-k", "hue or x y") == [["tests/renderer", "-k", "hue or x y"]]


def test_the_quick_form_leaves_out_what_is_slow(asked):
    (call,) = asked("-q", "--quick", "-x")
    assert call[:4] == ["-q", "-x", "-m", "not slow and not alone"]
    assert call[4:8] == SEVERAL


def test_the_quick_form_of_named_tests(asked):
    assert asked("--quick", "tests/renderer") == [["tests/renderer", "-m", "not slow"]]


def test_the_quick_form_has_most_tests_of_every_room(collected):
    """Asked of what this very session has collected: marks that spread would leave a room without tests."""
    quick, whole = collected
    assert {room: count for room, count in whole.items() if quick[room] < count / 2} == {}


LOWEST_TESTS = (ROOT / "scripts" / "lowest-tests").read_text("utf-8").splitlines()


def lowest_versions():
    """The lines that scripts/test --lowest installs: the extras, then one requirement each."""
    script = [sys.executable, ROOT / "scripts" / "lowest_versions.py"]
    return subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()


def test_lowest_runs_the_tests_of_the_list_in_an_environment_of_its_own(asked, tmp_path):
    extras, *requirements = lowest_versions()
    (tmp_path / "venv").rename(tmp_path / "venv-lowest")
    stamp = (tmp_path / "venv-lowest" / ".turntable-dev").read_text() + " ".join(requirements)
    (tmp_path / "venv-lowest" / f".turntable-{extras}").write_text(stamp)
    listed = [line.split()[0] for line in LOWEST_TESTS if not line.startswith("#")]
    assert all((ROOT / path).exists() for path in listed)
    marks = ["-m", "not slow and not alone"]
    assert asked("--lowest", "-q") == [["-q", *listed, *SEVERAL, *marks]]
    (tmp_path / "calls").unlink()
    assert asked("--lowest", "tests/models") == [["tests/models", *marks]]


def test_lowest_is_the_bound_of_every_library_that_users_get():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    extras, *requirements = lowest_versions()
    assert set(extras.split(",")) == optional.keys() - {"all", "bench", "dev"}
    pinned = dict(line.split("==") for line in requirements if "==" in line)
    lines = [*project["dependencies"], *(line for extra in extras.split(",") for line in optional[extra])]
    for line in lines:
        name, lowest = re.match(r"([\w-]+)(?:\[\w+\])?(?:>=([\d.]+))?", line).groups()
        assert pinned.get(name) == (None if name in ("torch", "turntable3d") else lowest), line


def test_every_bound_has_a_test_of_the_list():
    _, *requirements = lowest_versions()
    pinned = {line.partition("==")[0] for line in requirements if "==" in line}
    used = {word for line in LOWEST_TESTS[1:] for word in re.findall(r"[\w-]+", line.partition("#")[2])}
    assert pinned <= used, "name a test that uses it in scripts/lowest-tests"


def test_every_extra_that_users_install_has_a_job():
    text = (ROOT / "scripts" / "wheel").read_text("utf-8")
    (named,) = re.findall(r'JOBS="([\w ]+)"', text)
    assert sorted(re.findall(r"^job_(\w+)\(\)", text, re.MULTILINE)) == sorted(named.split())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours = {"dev", "bench"}  # for who works in a checkout: neither tests nor benchmarks are in the wheel
    assert {*named.split()} == {"base", *project["optional-dependencies"]} - ours


def test_a_job_that_there_is_not_is_refused_before_anything_is_built():
    command = ["bash", ROOT / "scripts" / "wheel", "render", "trian"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert 'turntable: there is no job "trian"; one of: render base train' in done.stderr


SHELL = [
    path for folder in ("scripts", "docker", ".ci") for path in (ROOT / folder).iterdir() if not path.suffix
]
IMPORT = re.compile(r"\bfrom (turntable[\w.]*) import (\w+(?:, \w+)*)")


@pytest.mark.parametrize("path", [*SHELL, ROOT / "scripts" / "setup.sh"], ids=lambda path: path.name)
def test_scripts_import_what_there_is(path):
    """Python in shell scripts: no checker of types reads it."""
    for module, names in IMPORT.findall(path.read_text("utf-8")):
        for name in names.split(", "):
            assert hasattr(importlib.import_module(module), name), f"{path.name}: {module} has no {name}"


def test_imports_in_shell_scripts_are_found():
    text = (ROOT / "scripts" / "setup.sh").read_text("utf-8")
    assert IMPORT.findall(text) == [("turntable.renderer.backends.registry", "probe_device")]
