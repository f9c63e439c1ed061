"""Every command over every hostile data set: what is refused, by whom, and that nothing else happens."""

import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support import with_tests
from tests.support.hostile import ALL, SECRET, Case, make_hostile

pytestmark = pytest.mark.slow

RUN = ("-m", "tests.support.hostile_run")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Case, ...]]:
    folder = tmp_path_factory.mktemp("corpus") / "sets"
    return folder, make_hostile(folder)


def contents(folder: Path) -> dict[str, str]:
    """What lies in a folder: each file by its digest, each link by where it leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder" if path.is_dir() else "special"
    return found


def test_the_corpus_is_the_same_for_the_same_seed(corpus, tmp_path: Path) -> None:
    folder, cases = corpus
    assert make_hostile(tmp_path / "sets") == cases
    again, first = contents(tmp_path / "sets"), contents(folder)
    assert again.keys() == first.keys()
    assert {name for name in again if again[name] != first[name]} == set()
    assert len(cases) > 140
    assert {command for case in cases for command in case.refused_by} == ALL


@pytest.mark.parametrize("command", sorted(ALL))
def test_a_hostile_data_set_is_refused_or_does_no_harm(corpus, tmp_path: Path, command: str) -> None:
    folder, cases = corpus
    before = contents(folder)
    scratch = tmp_path / "scratch"
    run = subprocess.run(
        [sys.executable, *RUN, command, folder, scratch, *(case.name for case in cases)],
        env=with_tests(),
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert [line["case"] for line in lines] == [case.name for case in cases], run.stderr[-3000:]
    for case, line in zip(cases, lines, strict=True):
        told = (case.name, line["state"], line["text"][:1000])
        if command in case.refused_by:
            assert line["state"] == "refused", told
            assert re.search(case.told, line["text"]), told
        else:
            assert line["state"] == "ok", told
        assert SECRET.decode() not in line["text"], told
    assert contents(folder) == before
    assert {path.name for path in tmp_path.iterdir()} <= {"scratch"}
    for path in scratch.rglob("*"):  # nothing private was copied
        assert not path.is_symlink(), path
        assert not path.is_file() or SECRET not in path.read_bytes(), path
