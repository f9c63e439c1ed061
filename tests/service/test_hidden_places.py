"""Links, pipes and damage in the served folder: nothing outside is read, no response names its path."""

import asyncio
import json
import os

import pytest

from tests.support.asking import client_of
from turntable.errors import MissingExtraError
from turntable.installation import format_install_command
from turntable.service.json_responses import handle_turntable_error


def test_a_data_set_with_a_link_to_a_private_file_is_not_served(sets, tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "key").write_text("top secret")
    (sets / "secret" / "README.md").unlink()
    (sets / "secret" / "README.md").symlink_to(tmp_path / "private" / "key")
    with client_of(sets) as client:
        listed = {row["name"]: row for row in client.get("/datasets").json()}
        assert "secret/README.md: a link that leads out of the data set" in listed["secret"]["problem"]
        assert "--links-under" in listed["secret"]["problem"]
        answer = client.get("/datasets/secret/files/README.md")
        assert answer.status_code == 500
        assert "top secret" not in answer.text
        assert client.get("/datasets/open/files/README.md").status_code == 200
        # A link that is put there while the service runs is seen when the file is asked for.
        (sets / "open" / "README.md").unlink()
        (sets / "open" / "README.md").symlink_to(tmp_path / "private" / "key")
        answer = client.get("/datasets/open/files/README.md")
        assert answer.status_code == 500
        assert "top secret" not in answer.text
        assert client.get("/datasets/open/files/manifest.json").status_code == 200
    with client_of(sets, links_under=(tmp_path / "private",)) as client:
        assert client.get("/datasets/secret/files/README.md").text == "top secret"


def test_a_data_set_that_is_an_outside_link_or_a_fifo_is_not_served(sets, served_folder):
    (sets / "linked").symlink_to(served_folder)
    (sets / "fifo").mkdir()
    os.mkfifo(sets / "fifo" / "manifest.json")
    with client_of(sets) as client:
        listed = {row["name"]: row for row in client.get("/datasets").json()}
        assert "leads out" in listed[served_folder.name]["problem"]
        assert "no ordinary file" in listed["fifo"]["problem"]
        assert set(listed) == {"open", "secret", "fifo", served_folder.name}
        assert client.get("/datasets/open").status_code == 200
    with client_of(sets, links_under=(served_folder.parent,)) as client:
        assert client.get(f"/datasets/{served_folder.name}").status_code == 200


def test_one_bad_manifest_is_listed_with_its_reason(sets):
    path = sets / "secret" / "manifest.json"
    whole = json.loads(path.read_text())
    with client_of(sets) as client:
        for change in (
            {"views": "many"},
            {"categories": 5},
            {"recipe": []},
            {"totals": {}},
            {"name": "\x1b[2J"},
        ):
            path.write_text(json.dumps(whole | change))
            answer = client.get("/datasets")
            assert answer.status_code == 200
            rows = {row["name"]: row for row in answer.json()}
            assert "not a manifest" in rows["secret"]["problem"]
            assert rows["open"]["objects"] == 24
            assert client.get("/datasets/secret/about").status_code == 500
        path.write_text(json.dumps(whole))
        assert "problem" not in client.get("/datasets").json()[1]


@pytest.mark.slow
def test_no_response_contains_local_paths(sets):
    shard = next((sets / "secret" / "train").glob("*.tar"))
    asked = (
        "about",
        "factors",
        "objects",
        "views?where=floor_hue<1",
        f"train/{shard.name}",
        "labels.parquet",
        "pair",
    )
    queries = ("views?split=none", "views?where=nothing", "objects?split=none", "views?where=view>99")
    problems = [
        lambda: shard.write_bytes(shard.read_bytes()[:-1]),
        lambda: shard.unlink(),
        lambda: shard.with_suffix(".idx").write_bytes(b"x"),
        lambda: shard.with_suffix(".idx").unlink(),
        lambda: (sets / "secret" / "labels.parquet").write_bytes(b"x"),
        lambda: (sets / "secret" / "labels.parquet").unlink(),
        lambda: (sets / "secret" / "manifest.json").write_text("{"),
    ]
    for make in (lambda: None, *problems):
        make()
        with client_of(sets) as client:
            for path in (*asked, *queries):
                answer = client.get(f"/datasets/secret/{path}")
                assert str(sets.parent) not in answer.text, (path, answer.text)
                assert "/proc/" not in answer.text
            assert str(sets.parent) not in client.get("/datasets").text


def test_a_missing_library_is_named_without_an_install_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = MissingExtraError("duckdb", "train")
    assert format_install_command("train") in str(error)
    answer = asyncio.run(handle_turntable_error(None, error))
    assert answer.status_code == 501
    assert json.loads(answer.body) == {"error": "duckdb is not installed where this service runs"}
