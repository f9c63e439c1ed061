"""Tokens, links and limits, without a server."""

import json
import os
import stat
import time
from dataclasses import replace

import pytest

from turntable.errors import IntegrityError, InvalidInputError
from turntable.service import AccessFile, make_access, read_access, write_access
from turntable.service.security import ConcurrencyLimiter, RateLimiter


def test_a_token_grants_its_scopes_and_its_text_is_not_stored(tmp_path):
    access, token, text = make_access().with_new_token("alice", ["read"], ["zoo"])
    write_access(tmp_path / "access.json", access)
    again = read_access(tmp_path / "access.json")
    assert again == access
    assert text not in (tmp_path / "access.json").read_text()
    assert text.rsplit("_", 1)[1] not in (tmp_path / "access.json").read_text()
    assert stat.S_IMODE((tmp_path / "access.json").stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "access.json"]
    assert again.find_token(text) == token
    assert token.allows("read", "zoo")
    assert not token.allows("read", "other")
    assert not token.allows("render", "zoo")
    assert not token.allows("admin", None)


def test_scopes_imply_lesser_ones():
    access, admin, _ = make_access().with_new_token("root", ["admin"])
    _, render, _ = access.with_new_token("artist", ["render"])
    assert all(admin.allows(scope, "any") for scope in ("read", "render", "admin"))
    assert render.allows("read", "any")
    assert not render.allows("admin", None)


@pytest.mark.parametrize("change", ["", "x", "_", "tt_", "tt_00000000_x", "other_a_b"])
def test_wrong_tokens_are_not_found(change):
    access, _, text = make_access().with_new_token("alice", ["read"])
    for wrong in (change, text[:-1], text + "x", text.replace("tt_", "TT_"), text.upper()):
        assert access.find_token(wrong) is None


def test_expired_and_revoked_tokens_are_not_found():
    access, token, text = make_access().with_new_token("alice", ["read"], days=1)
    assert access.find_token(text) is not None
    past = replace(access, tokens=(replace(token, expires=time.time() - 1),))
    assert past.find_token(text) is None
    assert access.with_revoked(token.id).find_token(text) is None
    with pytest.raises(InvalidInputError, match="no token 'none'"):
        access.with_revoked("none")


def test_a_link_is_for_one_data_set_and_expires():
    access, token, _ = make_access().with_new_token("alice", ["read"])
    query = dict(part.split("=") for part in access.make_link_query(token.id, "zoo", 60).split("&"))
    assert access.find_linked_token("zoo", query) == token
    assert access.find_linked_token("other", query) is None
    assert access.find_linked_token("zoo", {**query, "until": str(int(query["until"]) + 1)}) is None
    assert access.find_linked_token("zoo", {**query, "signature": "ü"}) is None
    assert access.find_linked_token("zoo", {}) is None
    assert access.with_revoked(token.id).find_linked_token("zoo", query) is None
    assert replace(access, secret="other").find_linked_token("zoo", query) is None
    past = access._sign(token.id, "zoo", "5")
    assert access.find_linked_token("zoo", {**query, "until": "5", "signature": past}) is None
    with pytest.raises(InvalidInputError, match="at most a year"):
        access.make_link_query(token.id, "zoo", 1e9)
    narrow, other, _ = access.with_new_token("bob", ["read"], ["zoo"])
    with pytest.raises(InvalidInputError, match="may not read secret"):
        narrow.make_link_query(other.id, "secret", 60)


@pytest.mark.parametrize(
    ("scopes", "days"), [([], 1), (["write"], 1), (["read"], 0), (["read"], float("inf"))]
)
def test_wrong_scopes_and_days_are_refused(scopes, days):
    with pytest.raises(InvalidInputError):
        make_access().with_new_token("alice", scopes, days=days)


def test_a_changed_file_is_read_again_and_a_damaged_one_grants_nothing(tmp_path):
    path = tmp_path / "access.json"
    access, token, text = make_access().with_new_token("alice", ["read"])
    write_access(path, access)
    file = AccessFile(path)
    assert file.read_current().find_token(text) == token
    write_access(path, access.with_revoked(token.id))
    assert file.read_current().find_token(text) is None
    write_access(path, access)
    assert file.read_current().find_token(text) == token
    path.write_text("{")
    assert file.read_current().find_token(text) is None
    path.unlink()
    assert file.read_current().find_token(text) is None
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


def test_each_client_has_a_bucket_that_fills_again():
    now = [0.0]
    rate = RateLimiter(2.0, 3.0, lambda: now[0])
    assert [rate.acquire("a") for _ in range(5)] == [0, 0, 0, 1, 1]
    assert rate.acquire("b") == 0
    now[0] = 0.5
    assert [rate.acquire("a") for _ in range(2)] == [0, 1]
    now[0] = 100.0
    assert [rate.acquire("a") for _ in range(4)] == [0, 0, 0, 1]
    assert RateLimiter(0.1, 1.0, lambda: now[0]).acquire("c") == 0
    slow = RateLimiter(0.1, 1.0, lambda: now[0])
    slow.acquire("c")
    assert slow.acquire("c") == 10


def test_the_concurrency_limiter_counts_in_all_and_per_client():
    gate = ConcurrencyLimiter(3, 2)
    assert [gate.acquire(name) for name in "aaabb"] == [True, True, False, True, False]
    gate.release("a")
    assert gate.acquire("b")
    assert not gate.acquire("c")
    for name in "abb":
        gate.release(name)
    assert gate.total == 0
    assert gate.acquire("c")


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
def test_a_damaged_file_of_tokens_is_reported(tmp_path, damage):
    path = tmp_path / "access.json"
    access, _, text = make_access().with_new_token("alice", ["read"])
    write_access(path, access)
    watched = AccessFile(path)
    assert watched.read_current().find_token(text) is not None
    damage(path)
    with pytest.raises(IntegrityError, match=r"access\.json"):
        read_access(path)
    assert watched.read_current().find_token(text) is None
