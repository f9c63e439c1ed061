"""turntable token, publish and serve as commands."""

import subprocess
import sys

import pytest

from turntable.cli import main
from turntable.datasets import open_dataset
from turntable.installation import format_install_command
from turntable.service import read_access
from turntable.testing.datasets import make_synthetic_dataset


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_a_token_from_creation_to_revocation(tmp_path, capsys):
    path = tmp_path / "access.json"
    status, out, err = run(
        capsys,
        *("token", "create", "the cluster", "--scopes", "read", "--scopes", "render"),
        *("--datasets", "zoo", "--datasets", "cars", "--days", "2", "--access", path),
    )
    text = out.strip()
    assert status == 0
    assert "not shown again" in err
    token = read_access(path).find_token(text)
    assert token.scopes == ("read", "render")
    assert token.datasets == ("zoo", "cars")
    assert token.name == "the cluster"
    _, listed, _ = run(capsys, "token", "list", "--access", path)
    assert token.id in listed
    assert text not in listed
    status, link, _ = run(
        capsys, "token", "link", token.id, "http://host:1/datasets/zoo", "--hours", "1", "--access", path
    )
    assert status == 0
    assert link.startswith(f"http://host:1/datasets/zoo?token={token.id}&until=")
    status, _, err = run(capsys, "token", "link", token.id, "http://host:1/zoo", "--access", path)
    assert (status, "http://HOST:PORT/datasets/NAME" in err) == (2, True)
    status, _, err = run(capsys, "token", "link", token.id, "http://host:1/datasets/dogs", "--access", path)
    assert (status, "may not read dogs" in err) == (2, True)
    assert run(capsys, "token", "revoke", token.id, "--access", path)[0] == 0
    assert read_access(path).find_token(text) is None
    assert "revoked" in run(capsys, "token", "list", "--access", path)[1]
    status, _, err = run(capsys, "token", "revoke", "nobody", "--access", path)
    assert (status, "no token 'nobody'" in err) == (2, True)
    status, _, err = run(capsys, "token", "list", "--access", tmp_path / "none.json")
    assert (status, "turntable token create" in err) == (2, True)


def test_publishing(tmp_path, capsys):
    make_synthetic_dataset(tmp_path / "set", num_objects=8, num_categories=2, num_views=2, image_size=16)
    status, out, _ = run(capsys, "publish", tmp_path / "set", tmp_path / "there")
    assert (status, "0 were already there" in out) == (0, True)
    assert "0 files sent" in run(capsys, "publish", tmp_path / "set", tmp_path / "there")[1]
    assert open_dataset(tmp_path / "there").manifest == open_dataset(tmp_path / "set").manifest
    status, out, _ = run(capsys, "publish", tmp_path / "set", "--hub", tmp_path / "hub")
    assert (status, "hf upload" in out) == (0, True)
    for words in ([], [tmp_path / "there", "--hub", tmp_path / "hub"]):
        status, _, err = run(capsys, "publish", tmp_path / "set", *words)
        assert (status, "no destination" in err) == (2, True)
    status, _, err = run(capsys, "publish", tmp_path / "none", tmp_path / "there")
    assert (status, "not a finished data set" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "no data set to serve"),
        (["."], "holds no data set"),
        (["SET", "--meshes", "x=/"], "--meshes is for --render"),
        (["SET", "--render", "--meshes", "x"], "give NAME=DIR"),
        (["SET", "--render", "--meshes", "x=/no/such/folder"], "give NAME=DIR"),
        (["SET", "--access", "none.json"], "turntable token create"),
        (["SET", "--public", "SET"], "--access"),
        (["SET", "--rate", "0"], "must be above 0"),
        (["SET", "--requests-at-once", "0"], "at least 1"),
    ],
)
def test_wrong_options_of_serve_are_refused(served_folder, tmp_path, monkeypatch, capsys, words, part):
    monkeypatch.chdir(tmp_path)
    given = [str(served_folder) if word == "SET" else word for word in words]
    status, _, err = run(capsys, "serve", *given)
    assert status == 2
    assert part in err


@pytest.mark.parametrize("library", ["httptools", "prometheus_client", "starlette", "uvicorn"])
def test_a_missing_library_names_the_extra(tmp_path, library):
    code = f"import sys; sys.modules[{library!r}] = None; from turntable.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert format_install_command("serve") in done.stderr
    assert "Traceback" not in done.stderr
