"""The home that ``~`` stands for, and users without an account or a home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from turntable.cli.base import expand_argument
from turntable.datasets import load_recipe, open_dataset, open_store, read_vectors, verify_dataset
from turntable.errors import InvalidInputError, TurntableError
from turntable.home import expand_home, find_home, find_user_folder
from turntable.loaders import BatchConfig, Loader, Views
from turntable.testing.datasets import make_synthetic_dataset
from turntable.training import open_run


@pytest.fixture
def home(monkeypatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_tilde_is_the_home(home, monkeypatch) -> None:
    assert expand_home("~") == home
    assert expand_home("~/a/~b") == home / "a/~b"
    assert expand_home(Path("~/a")) == home / "a"
    assert expand_home("a/~") == Path("a/~")
    assert expand_home("~root/x") == Path("/root/x")
    monkeypatch.chdir(home)
    (home / "~my-backup").mkdir()
    assert expand_home("~my-backup") == Path("~my-backup")
    with pytest.raises(InvalidInputError, match="~nobody9/x: there is no user 'nobody9' on this machine"):
        expand_home("~nobody9/x")


def test_every_place_expands_it(home) -> None:
    make_synthetic_dataset(home / "set", num_objects=8, num_views=2, image_size=16)
    assert open_dataset("~/set").path == home / "set"
    assert open_dataset(Path("~/set")).path == home / "set"
    assert open_store("~/set").url == str(home / "set")
    assert verify_dataset("~/set").ok
    config = BatchConfig(split="train", sampler=Views(False), batch_size=2, output="numpy")
    assert Loader("~/set", config).num_objects
    with pytest.raises(InvalidInputError, match="no recipe"):
        load_recipe("~/none.toml")
    for use in (open_run, read_vectors):
        with pytest.raises(TurntableError, match="none"):
            use("~/none")


def test_a_command_expands_what_the_shell_left(home) -> None:
    for given, expected in (
        ("~/x", f"{home}/x"),
        ("--out=~/x", f"--out={home}/x"),
        ("my-set=~/x", f"my-set={home}/x"),
        ("~", str(home)),
        ("a~/x", "a~/x"),
        ("--where=a < '~'", "--where=a < '~'"),
        ("https://host/~user/x", "https://host/~user/x"),
    ):
        assert expand_argument(given) == expected


def test_a_user_without_account_has_the_home_of_the_environment(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}[0])
    assert find_home({"HOME": str(tmp_path)}) == tmp_path
    assert find_home({}) is None
    assert find_home({"HOME": "relative"}) is None
    assert find_user_folder({"X": "/x"}, "X", ".x") == Path("/x")
    assert find_user_folder({"X": "x"}, "X", ".x") is None
    assert find_user_folder({"HOME": "/h"}, "X", ".x") == Path("/h/.x")
    monkeypatch.delenv("HOME", raising=False)
    with pytest.raises(InvalidInputError, match="~/x: this user has no home folder; set HOME"):
        expand_home("~/x")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "this user has no home folder for a cache; set TURNTABLE_CACHE to a folder, or HOME"),
        ({"HOME": "/proc/none"}, "set TURNTABLE_CACHE to another folder"),
        ({"TURNTABLE_CACHE": "{tmp_path}/cache"}, ""),
    ],
)
def test_a_process_of_a_user_without_account(http_server, tmp_path, more: dict[str, str], said: str) -> None:
    make_synthetic_dataset(tmp_path / "set", num_objects=4, num_views=2, image_size=16)
    server = http_server(tmp_path)
    code = (
        "import pwd, sys; pwd.getpwuid = {}.__getitem__; from turntable.datasets import open_dataset;"
        "print(len(open_dataset(sys.argv[1]).open_split('train').read_jpeg(0, 0)) > 99)"
    )
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("HOME", "XDG", "TURN"))
    }
    environ |= {name: value.format(tmp_path=tmp_path) for name, value in more.items()}
    done = subprocess.run(
        [sys.executable, "-c", code, f"{server.url}/set"],
        env=environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert said in done.stderr
    assert ("True" in done.stdout) == (not said), done.stderr
