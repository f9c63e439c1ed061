"""Tokens, links and limits, without a server."""

import json
import os
import stat
import time
from dataclasses import replace

import pytest

from turntable.errors import IntegrityError, InvalidInputError
from turntable.service import AccessFile, new_access, read_access, write_access
from turntable.service.doors import Gate, Rate


def test_a_token_opens_what_it_is_for_and_its_text_is_not_kept(tmp_path):
    access, token, text = new_access().created("alice", ["read"], ["zoo"])
    write_access(tmp_path / "access.json", access)
    again = read_access(tmp_path / "access.json")
    assert again == access
    assert text not in (tmp_path / "access.json").read_text()
    assert text.rsplit("_", 1)[1] not in (tmp_path / "access.json").read_text()
    assert stat.S_IMODE((tmp_path / "access.json").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "access.json"]
    assert again.holder(text) == token
    assert token.allows("read", "zoo")
    assert not token.allows("read", "other")
    assert not token.allows("render", "zoo")
    assert not token.allows("admin", None)


def test_scopes_imply_lesser_ones():
    access, admin, _ = new_access().created("root", ["admin"])
    _, render, _ = access.created("artist", ["render"])
    assert all(admin.allows(scope, "any") for scope in ("read", "render", "admin"))
    assert render.allows("read", "any")
    assert not render.allows("admin", None)


@pytest.mark.parametrize("change", ["", "x", "_", "tt_", "tt_00000000_x", "other_a_b"])
def test_what_is_no_token(change):
    access, _, text = new_access().created("alice", ["read"])
    for wrong in (change, text[:-1], text + "x", text.replace("tt_", "TT_"), text.upper()):
        assert access.holder(wrong) is None


def test_expired_and_revoked_tokens_open_nothing():
    access, token, text = new_access().created("alice", ["read"], days=1)
    assert access.holder(text) is not None
    past = replace(access, tokens=(replace(token, expires=time.time() - 1),))
    assert past.holder(text) is None
    assert access.revoked(token.id).holder(text) is None
    with pytest.raises(InvalidInputError, match="no token 'none'"):
        access.revoked("none")


def test_a_link_opens_one_data_set_for_a_while():
    access, token, _ = new_access().created("alice", ["read"])
    query = dict(part.split("=") for part in access.link_query(token.id, "zoo", 60).split("&"))
    assert access.linked("zoo", query) == token
    assert access.linked("other", query) is None
    assert access.linked("zoo", {**query, "until": str(int(query["until"]) + 1)}) is None
    assert access.linked("zoo", {**query, "signature": "ü"}) is None
    assert access.linked("zoo", {}) is None
    assert access.revoked(token.id).linked("zoo", query) is None
    assert replace(access, secret="other").linked("zoo", query) is None
    past = access._signature(token.id, "zoo", "5")
    assert access.linked("zoo", {**query, "until": "5", "signature": past}) is None
    with pytest.raises(InvalidInputError, match="at most a year"):
        access.link_query(token.id, "zoo", 1e9)
    narrow, other, _ = access.created("bob", ["read"], ["zoo"])
    with pytest.raises(InvalidInputError, match="may not read secret"):
        narrow.link_query(other.id, "secret", 60)


@pytest.mark.parametrize(
    ("scopes", "days"), [([], 1), (["write"], 1), (["read"], 0), (["read"], float("inf"))]
)
def test_tokens_that_cannot_be(scopes, days):
    with pytest.raises(InvalidInputError):
        new_access().created("alice", scopes, days=days)


def test_a_file_that_changes_is_read_again_and_a_damaged_one_opens_nothing(tmp_path):
    path = tmp_path / "access.json"
    access, token, text = new_access().created("alice", ["read"])
    write_access(path, access)
    file = AccessFile(path)
    assert file.current().holder(text) == token
    write_access(path, access.revoked(token.id))
    assert file.current().holder(text) is None
    write_access(path, access)
    assert file.current().holder(text) == token
    path.write_text("{")
    assert file.current().holder(text) is None
    path.unlink()
    assert file.current().holder(text) is None
    with pytest.raises(InvalidInputError, match="turntable token create"):
        read_access(path)
    for damaged in (
        "[]",
        json.dumps({"version": 2}),
        json.dumps({"version": 1, "secret": "", "tokens": [{}]}),
    ):
        path.write_text(damaged)
        with pytest.raises(IntegrityError, match="not a file of tokens"):
            read_access(path)


def test_a_bucket_fills_again_and_is_each_askers_own():
    now = [0.0]
    rate = Rate(2.0, 3.0, lambda: now[0])
    assert [rate.wait_s("a") for _ in range(5)] == [0, 0, 0, 1, 1]
    assert rate.wait_s("b") == 0
    now[0] = 0.5
    assert [rate.wait_s("a") for _ in range(2)] == [0, 1]
    now[0] = 100.0
    assert [rate.wait_s("a") for _ in range(4)] == [0, 0, 0, 1]
    assert Rate(0.1, 1.0, lambda: now[0]).wait_s("c") == 0
    slow = Rate(0.1, 1.0, lambda: now[0])
    slow.wait_s("c")
    assert slow.wait_s("c") == 10


def test_a_gate_has_room_for_so_many():
    gate = Gate(3, 2)
    assert [gate.enter(name) for name in "aaabb"] == [True, True, False, True, False]
    gate.leave("a")
    assert gate.enter("b")
    assert not gate.enter("c")
    for name in "abb":
        gate.leave(name)
    assert gate.total == 0
    assert gate.enter("c")


def _alter(path, change):
    table = json.loads(path.read_text())
    change(table["tokens"][0])
    path.write_text(json.dumps(table))


def _be_a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def _be_a_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = {
    "nested without end": lambda path: path.write_text("[" * 200_000),
    "a list": lambda path: path.write_text("[]"),
    "a text": lambda path: path.write_text('"x"'),
    "an unknown scope": lambda path: _alter(path, lambda row: row.update(scopes=["write"])),
    "scopes in one text": lambda path: _alter(path, lambda row: row.update(scopes="read")),
    "data sets in one text": lambda path: _alter(path, lambda row: row.update(datasets="*")),
    "a time that is a text": lambda path: _alter(path, lambda row: row.update(expires="never")),
    "an id that is a number": lambda path: _alter(path, lambda row: row.update(id=5)),
    "a folder": _be_a_folder,
    "a pipe": _be_a_pipe,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_file_of_tokens_that_is_damaged_opens_nothing_and_says_what_is_wrong(tmp_path, damage):
    path = tmp_path / "access.json"
    access, _, text = new_access().created("alice", ["read"])
    write_access(path, access)
    watched = AccessFile(path)
    assert watched.current().holder(text) is not None
    damage(path)
    with pytest.raises(IntegrityError, match=r"access\.json"):
        read_access(path)
    assert watched.current().holder(text) is None
