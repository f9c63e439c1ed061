"""Every kind of assembly, law and modality: the same bytes from any way to make a data set."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import with_tests
from tests.support.made_ways import RAY_NAMES, list_sets, make, open_objects
from tests.support.quick_run import InProcess, contents
from turntable.datasets import open_dataset, verify_dataset
from turntable.datasets.writing import Job
from turntable.renderer import generate_share, merge
from turntable.renderer.runs import ObjectSelection

NAMES = tuple(list_sets())
pytestmark = pytest.mark.gl


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory):
    """The folder of a set of this name, made here once."""
    folder = tmp_path_factory.mktemp("whole")

    def get(name: str) -> Path:
        if not (folder / name).exists():
            make(name, folder / name, engine=InProcess())
        return folder / name

    return get


def run_support(*arguments: object) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.support.made_ways", *map(str, arguments)]
    done = subprocess.run(
        command, env=with_tests(RAY_USAGE_STATS_ENABLED="0"), capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_whole(whole, name):
    report = verify_dataset(whole(name), deep=True)
    assert report.problems == ()
    manifest = open_dataset(whole(name)).manifest
    assert manifest.quarantined == 0
    assert len(manifest.shards) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_two_workers_make_the_same_bytes(whole, tmp_path, name):
    make(name, tmp_path / "set", num_workers=2)
    assert contents(tmp_path / "set") == contents(whole(name))


@pytest.mark.parametrize("name", NAMES)
def test_two_jobs_merge_to_the_same_bytes(whole, tmp_path, monkeypatch, name):
    monkeypatch.setitem(generate_share.__globals__, "ProcessEngine", lambda workers: InProcess())
    recipe, folder = list_sets()[name], tmp_path / "set"
    for number in (2, 1):
        generate_share(Job(number, 2), recipe, open_objects(recipe), folder, selection=ObjectSelection())
    merge(folder)
    made = {path: digest for path, digest in contents(folder).items() if not path.startswith("journal-")}
    assert made == contents(whole(name))


@pytest.mark.slow
def test_killed_runs_that_are_resumed_make_the_same_bytes(whole, tmp_path):
    run_support("killed", tmp_path)
    for name in NAMES:
        assert not (tmp_path / name / "manifest.json").exists()
        assert len(list((tmp_path / name).glob("*/*.tar"))) >= 1, name
        make(name, tmp_path / name, engine=InProcess())
        assert contents(tmp_path / name) == contents(whole(name)), name


@pytest.mark.slow
@pytest.mark.alone
def test_ray_makes_the_same_bytes(whole, tmp_path):
    pytest.importorskip("ray")
    run_support("ray", tmp_path)
    for name in RAY_NAMES:
        assert contents(tmp_path / name) == contents(whole(name)), name
